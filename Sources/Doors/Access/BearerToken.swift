/// The secret that every request must carry once it is configured.
package struct BearerToken: Sendable {
    private let bytes: [UInt8]

    /// - Parameter text: white space around it, such as the end of a file's line, is dropped.
    /// - Throws: ``AccessError/tokenMalformed``.
    package init(_ text: String) throws(AccessError) {
        let isSpace: (UInt8) -> Bool = { $0 == 0x20 || (0x09...0x0D).contains($0) }
        var bytes = text.utf8[...]
        while let first = bytes.first, isSpace(first) { bytes.removeFirst() }
        while let last = bytes.last, isSpace(last) { bytes.removeLast() }
        guard !bytes.isEmpty, bytes.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { throw .tokenMalformed }
        self.bytes = Array(bytes)
    }

    /// Compares in a time that depends on the length of `shown` alone, not on where it first differs.
    func matches(_ shown: some StringProtocol) -> Bool {
        var difference: UInt8 = 0
        var count = 0
        for byte in shown.utf8 {
            difference |= byte ^ bytes[count % bytes.count]
            count += 1
        }
        return count == bytes.count && difference == 0
    }
}
