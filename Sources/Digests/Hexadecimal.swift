/// Digests as text.
package enum Hexadecimal {
    private static let digits = Array("0123456789abcdef".utf8)

    /// Lower case, two digits a byte.
    package static func text(_ bytes: [UInt8]) -> String {
        String(decoding: bytes.flatMap { [digits[Int($0 >> 4)], digits[Int($0 & 15)]] }, as: UTF8.self)
    }

    /// Whether two texts are equal, in a time that depends on their lengths alone.
    package static func areEqual(_ text: some StringProtocol, _ other: some StringProtocol) -> Bool {
        let (left, right) = (Array(text.utf8), Array(other.utf8))
        guard left.count == right.count else { return false }
        var difference: UInt8 = 0
        for index in left.indices { difference |= left[index] ^ right[index] }
        return difference == 0
    }
}
