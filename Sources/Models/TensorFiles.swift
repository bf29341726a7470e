import JSON

/// The tensors of a model directory: one safetensors file, or several with an index that says what lies where.
struct TensorFiles {
    private let files: [SafeTensors]
    private let fileOfTensor: [String: Int]
    /// The weights' file, or its index: for sentences.
    let path: String

    /// Shards of the largest encoders are a handful.
    private static let filesMax = 64

    init(in directory: String, of files: ModelFiles, _ archive: borrowing RawSpan) throws(ModelError) {
        let single = ModelFiles.path(directory, "model.safetensors")
        let index = ModelFiles.path(directory, "model.safetensors.index.json")
        let names: [String]
        if files[single] != nil {
            (path, names) = (single, ["model.safetensors"])
        } else if let bytes = try files.document(
            index,
            in: archive,
            byteCountMax: ModelLimits.safetensorsHeaderBytesMax
        ) {
            (path, names) = (index, try Self.shards(bytes, path: index))
        } else {
            let pickle = ModelFiles.path(directory, "pytorch_model.bin")
            guard files[pickle] == nil else { throw ModelImporter.pickle(pickle) }
            throw .missing("\(single) is missing; the model's weights should be there")
        }
        var read: [SafeTensors] = []
        var fileOfTensor: [String: Int] = [:]
        for name in names {
            let shard = ModelFiles.path(directory, name)
            guard let range = files[shard] else { throw .missing("\(shard) is missing, and \(path) names it") }
            let tensors = try SafeTensors(range, in: archive, path: shard)
            for tensor in tensors.tensors.keys where fileOfTensor.updateValue(read.count, forKey: tensor) != nil {
                throw .invalid("\(path): two files hold \(tensor)")
            }
            for other in tensors.others.keys { fileOfTensor[other] = read.count }
            read.append(tensors)
        }
        self.files = read
        self.fileOfTensor = fileOfTensor
    }

    /// Of `{"weight_map": {"tensor": "file", …}}` the files, each once.
    private static func shards(_ bytes: [UInt8], path: String) throws(ModelError) -> [String] {
        let json: JSON
        do throws(JSONError) {
            json = try JSON.parse(bytes)
        } catch {
            throw .invalid("\(path): \(error)")
        }
        let names = Set((json["weight_map"]?.objectMembers ?? []).compactMap(\.value.stringValue))
        guard (1...filesMax).contains(names.count), !names.contains(where: { $0.contains("/") }) else {
            throw .invalid("\(path): weight_map should name 1 to \(filesMax) files beside it, it names \(names.count)")
        }
        return names.sorted()
    }

    /// nil where there is no such tensor of numbers.
    func shape(of name: String) -> [Int]? {
        fileOfTensor[name].flatMap { files[$0].tensors[name]?.shape }
    }

    /// The tensor called `name`, which must have this shape.
    func tensor(_ name: String, shape: [Int]) throws(ModelError) -> StoredTensor {
        guard let file = fileOfTensor[name] else {
            throw .invalid("\(path) lacks \(name), which the model's config.json asks for")
        }
        return try files[file].tensor(name, shape: shape)
    }
}
