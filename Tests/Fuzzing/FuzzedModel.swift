import Models

/// Model files.
enum FuzzedModel {
    static func importModel(_ files: [String: Range<Int>], _ source: String, _ bytes: [UInt8]) {
        _ = try? ModelImporter.importModel(source: source, of: ModelFiles(ranges: files), in: unsafe bytes.span.bytes)
    }

    /// A directory in Hugging Face layout, its files one after the other with a zero byte between them.
    static func importDirectory(_ bytes: [UInt8]) {
        let names = ["config.json", "tokenizer.json", "model.safetensors"]
        var files: [String: Range<Int>] = [:]
        var start = 0
        for name in names {
            let end = name == names.last ? bytes.count : bytes[start...].firstIndex(of: 0) ?? bytes.count
            files["model/\(name)"] = start..<end
            start = min(end + 1, bytes.count)
        }
        importModel(files, "model", bytes)
    }
}
