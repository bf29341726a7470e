import Foundation
import Graphs
import Models

/// One node test of the ONNX standard: a folder that `deploy/rivals/onnx-node-cases` wrote.
struct NodeCase {
    /// What came of a case.
    enum Outcome {
        case passed
        /// Of a number type that Thaw refuses everywhere.
        case skipped(String)
        case failed(String)

        /// As one line: `passed`, `skipped REASON` or `failed REASON`.
        var line: String {
            switch self {
            case .passed: "passed"
            case .skipped(let reason): "skipped \(Self.flat(reason))"
            case .failed(let reason): "failed \(Self.flat(reason))"
            }
        }

        /// Reads ``line``.
        init(line: String) {
            let words = line.split(separator: " ", maxSplits: 1).map(String.init)
            let reason = words.count > 1 ? words[1] : ""
            switch words.first {
            case "passed": self = .passed
            case "skipped": self = .skipped(reason)
            default: self = .failed(reason)
            }
        }

        private static func flat(_ text: String) -> String {
            // The list of all that is supported is the same every time.
            String((text.split(separator: "; supported are").first ?? "").replacing("\n", with: " "))
        }
    }

    let name: String
    /// With its domain in front where that is not ONNX's own.
    let `operator`: String
    private let folder: URL
    private let tolerance: ValueDifference.Tolerance

    init(_ folder: URL) throws {
        let words = try String(contentsOf: folder.appendingPathComponent("case.txt"), encoding: .utf8).split(
            separator: "\n"
        )
        guard words.count == 3, let relative = Double(words[1]), let absolute = Double(words[2]) else {
            throw BenchError.refuted("\(folder.path)/case.txt is none of deploy/rivals/onnx-node-cases")
        }
        name = folder.lastPathComponent
        `operator` = String(words[0])
        self.folder = folder
        tolerance = ValueDifference.Tolerance(relative: relative, absolute: absolute)
    }

    func run(compiled: Bool) -> Outcome {
        do {
            if let difference = try difference(compiled: compiled) { return .failed(difference) }
            return .passed
        } catch {
            let message = "\(error)"
            return DataTypes.refused.contains { message.contains("is of \($0),") }
                ? .skipped(message) : .failed(message)
        }
    }

    /// nil where the outputs are as the standard says.
    private func difference(compiled: Bool) throws -> String? {
        let runner = try runner(compiled: compiled)
        return try difference(runner, try inputs(of: runner.graph))
    }

    func runner(compiled: Bool) throws -> GraphRunner {
        // The folder as the archive of a bundle, its files one after the other.
        var archive: [UInt8] = []
        var files = ModelFiles(ranges: [:])
        for name in try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted() {
            guard !name.hasSuffix(".pb"), name != "case.txt" else { continue }
            let bytes = try bytes(name)
            files.ranges[name] = archive.count..<archive.count + bytes.count
            archive += bytes
        }
        // Bytes of bytes: there is no padding.
        let span = unsafe archive.span.bytes
        var imported = try ImportedGraph.onnx("model.onnx", of: files, in: span)
        if compiled { imported = try imported.compiled(in: span) }
        return try imported.runner(in: span)
    }

    func inputs(of graph: Graph) throws -> [GraphValue] {
        try graph.inputs.enumerated().map { place, port in try value(port, "input_\(place).pb") }
    }

    func difference(_ runner: GraphRunner, _ inputs: [GraphValue]) throws -> String? {
        let outputs = try runner.run(inputs)
        for (place, port) in runner.graph.outputs.enumerated() {
            let expected = try value(port, "output_\(place).pb")
            guard let difference = ValueDifference.between(expected, outputs[place], tolerance) else { continue }
            return "\(port.name): \(difference)"
        }
        return nil
    }

    private func bytes(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: folder.appendingPathComponent(name)))
    }

    private func value(_ port: Graph.Port, _ file: String) throws -> GraphValue {
        let bytes = try bytes(file)
        return try ValueProto.read(port.kind, 0..<bytes.count, in: unsafe bytes.span.bytes, file: file)
    }
}
