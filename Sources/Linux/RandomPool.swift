import Glibc

/// Random numbers of the kernel's, fetched many at a time: a system call for each would cost more than its use.
package struct RandomPool: RandomNumberGenerator, Sendable {
    /// 256 bytes, the most that one call gives; the kernel fills them in about the time of the call itself.
    private static let wordCount = 32

    private var words: [UInt64] = []

    package init() {}

    package mutating func next() -> UInt64 {
        if words.isEmpty { fill() }
        return words.removeLast()
    }

    private mutating func fill() {
        words = [UInt64](repeating: 0, count: Self.wordCount)
        let isFilled = unsafe words.withUnsafeMutableBytes { bytes in
            guard let base = bytes.baseAddress else { return false }
            return unsafe getentropy(base, bytes.count) == 0
        }
        precondition(isFilled, "a kernel that runs us has random numbers")
    }
}
