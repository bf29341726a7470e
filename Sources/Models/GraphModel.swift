package import Graphs

extension ImportedGraph {
    /// Reads the ONNX file at `path` in the bundle and readies it for the runner.
    package static func onnx(
        _ path: String,
        of files: ModelFiles,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> ImportedGraph {
        guard let range = files[path] else { throw .missing("\(path) is missing from the bundle") }
        return try OnnxImporter.importGraph(range, path: path, of: files, in: archive)
    }

    /// The same, compiled for the kernels.
    package func compiled(in archive: borrowing RawSpan) throws(ModelError) -> ImportedGraph {
        try GraphCompiler.compile(self, in: archive)
    }

    /// A runner with all constants copied into memory, for trials without a snapshot.
    package func runner(in archive: borrowing RawSpan) throws(GraphError) -> GraphRunner {
        var tensors: [Graph.ValueIndex: Tensor] = [:]
        for (constant, source) in zip(graph.constants, sources) {
            tensors[constant.value] = source.tensor(in: archive)
        }
        return try GraphRunner(graph) { tensors[$0.value] }
    }
}
