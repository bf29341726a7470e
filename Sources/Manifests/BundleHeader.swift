/// The 512 bytes before each file of a ustar archive (POSIX.1-1988).
///
/// | offset | bytes | field |
/// |---|---|---|
/// | 0 | 100 | name |
/// | 100 | 8 | mode, octal |
/// | 108, 116 | 8, 8 | owner, group: 0, so that equal bundles are equal archives |
/// | 124 | 12 | size, octal |
/// | 136 | 12 | time of change: 0, for the same reason |
/// | 148 | 8 | sum of all bytes, with this field as spaces |
/// | 156 | 1 | type: `0`, a regular file |
/// | 257 | 8 | `ustar`, version `00` |
/// | 345 | 155 | what stands before the name, without the `/` between |
package enum BundleHeader {
    /// Files of an archive begin and end at multiples of this.
    package static let blockBytes = 512
    private static let nameBytesMax = 100
    private static let prefixBytesMax = 155

    package static func fits(_ path: String) -> Bool {
        split(Array(path.utf8)) != nil
    }

    /// The header of a file whose path ``fits(_:)``.
    package static func bytes(path: String, byteCount: Int, isExecutable: Bool = false) -> [UInt8] {
        var header = [UInt8](repeating: 0, count: blockBytes)
        let path = split(Array(path.utf8)) ?? (prefix: [], name: [])
        put(path.name, at: 0, in: &header)
        put(octal(isExecutable ? 0o755 : 0o644, digits: 7), at: 100, in: &header)
        put(octal(0, digits: 7), at: 108, in: &header)
        put(octal(0, digits: 7), at: 116, in: &header)
        put(octal(byteCount, digits: 11), at: 124, in: &header)
        put(octal(0, digits: 11), at: 136, in: &header)
        put(Array("        0".utf8), at: 148, in: &header)
        put(Array("ustar\u{0}00".utf8), at: 257, in: &header)
        put(path.prefix, at: 345, in: &header)
        let sum = header.reduce(0) { $0 + Int($1) }
        put(octal(sum, digits: 6) + [0, UInt8(ascii: " ")], at: 148, in: &header)
        return header
    }

    /// At a slash, so that both parts fit; nil where no slash does that.
    private static func split(_ path: [UInt8]) -> (prefix: [UInt8], name: [UInt8])? {
        if path.count <= nameBytesMax { return ([], path) }
        for (index, byte) in path.enumerated() where byte == UInt8(ascii: "/") {
            let nameCount = path.count - index - 1
            if index <= prefixBytesMax, (1...nameBytesMax).contains(nameCount) {
                return (Array(path[..<index]), Array(path[(index + 1)...]))
            }
        }
        return nil
    }

    private static func put(_ bytes: [UInt8], at offset: Int, in header: inout [UInt8]) {
        for (index, byte) in bytes.enumerated() {
            header[offset + index] = byte
        }
    }

    private static func octal(_ value: Int, digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
    }
}
