/// The files of a bundle, as ranges of the one archive that holds them: nothing is copied out.
package struct ModelFiles: Sendable {
    /// Path inside the bundle → where its bytes lie in the archive.
    package var ranges: [String: Range<Int>]

    package init(ranges: [String: Range<Int>]) {
        self.ranges = ranges
    }

    subscript(path: String) -> Range<Int>? {
        ranges[path]
    }

    /// Whether any file lies in this directory.
    func containsDirectory(_ path: String) -> Bool {
        let prefix = path.isEmpty ? "" : path + "/"
        return ranges.keys.contains { $0.hasPrefix(prefix) }
    }

    /// `directory/name`, or just the name at the top of the bundle.
    static func path(_ directory: String, _ name: String) -> String {
        directory.isEmpty ? name : "\(directory)/\(name)"
    }

    /// The bytes of a small file; nil where it is missing.
    func document(
        _ path: String,
        in archive: borrowing RawSpan,
        byteCountMax: Int = ModelLimits.configurationBytesMax
    ) throws(ModelError) -> [UInt8]? {
        guard let range = ranges[path] else { return nil }
        guard range.count <= byteCountMax else {
            throw .tooLarge("\(path) has \(range.count) bytes; at most \(byteCountMax) are read")
        }
        return FileBytes.copy(range, of: archive)
    }
}
