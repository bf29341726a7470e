/// Reading scalars out of text that is known to be valid UTF-8; out of other bytes come other scalars, never a trap.
extension Span where Element == UInt8 {
    /// The scalar that starts at `position`, and its bytes.
    @inline(__always)
    func scalar(at position: Int) -> (value: UInt32, byteCount: Int) {
        let first = UInt32(self[position])
        if first < 0x80 { return (first, 1) }
        let count = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4
        guard position + count <= self.count else { return (0xFFFD, self.count - position) }
        var value = first & (0x7F >> UInt32(count))
        for offset in 1..<count { value = value << 6 | UInt32(self[position + offset] & 0x3F) }
        return (min(value, 0x10FFFF), count)
    }

    /// Whether no letter, digit or underscore stands directly before `start` or after `end`.
    func isWholeWord(from start: Int, to end: Int) -> Bool {
        if start > 0 {
            var before = start - 1
            while before > 0, self[before] & 0xC0 == 0x80 { before -= 1 }
            if isWord(at: before) { return false }
        }
        return end >= count || !isWord(at: end)
    }

    private func isWord(at position: Int) -> Bool {
        Unicode.Scalar(scalar(at: position).value).map { isWordScalar($0) } ?? false
    }
}
