/// The name of a snapshot: SHA-256 of its index, which holds a digest of every chunk of the file.
package struct SnapshotDigest: Hashable, Sendable, CustomStringConvertible {
    /// Always 32.
    package let bytes: [UInt8]

    /// `nil` unless there are 32 bytes.
    package init?(bytes: [UInt8]) {
        guard bytes.count == SnapshotFormat.digestByteCount else { return nil }
        self.bytes = bytes
    }

    /// `nil` unless the text is 64 lower-case hexadecimal digits: a digest has one spelling, because files are named
    /// by it.
    package init?(hex: String) {
        let digits = Array(hex.utf8)
        guard digits.count == 2 * SnapshotFormat.digestByteCount else { return nil }
        var bytes: [UInt8] = []
        for index in stride(from: 0, to: digits.count, by: 2) {
            guard let high = Self.value(of: digits[index]), let low = Self.value(of: digits[index + 1]) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        self.bytes = bytes
    }

    package var hex: String {
        let digits = Array("0123456789abcdef".utf8)
        return String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    package var description: String { hex }

    private static func value(of digit: UInt8) -> UInt8? {
        switch digit {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
        case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
        default: nil
        }
    }
}
