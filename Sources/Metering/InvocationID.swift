import Linux
import Synchronization

/// The name of one call, in every header, log, event and receipt: a UUID of version 7 (RFC 9562).
///
/// ```
///  48 bits             4 bits   12 bits            2 bits   62 bits
///  ms since 1970, UTC  7        parts of the ms    variant  random
/// ```
package struct InvocationID: Hashable, Comparable, Sendable {
    package let high: UInt64
    package let low: UInt64

    private static let versionBits: UInt64 = 0x7 << 12
    private static let variantBits: UInt64 = 0b10 << 62

    /// - Parameters:
    ///   - tick: time in 4096ths of a millisecond since 1970; the upper 4 bits are cut off, in the year 10889.
    ///   - random: the upper 2 bits are not used.
    init(tick: UInt64, random: UInt64) {
        high = (tick >> 12) << 16 | InvocationID.versionBits | (tick & 0xfff)
        low = InvocationID.variantBits | (random & (.max >> 2))
    }

    /// - Returns: nil where the bits are not those of a UUID of version 7.
    package init?(high: UInt64, low: UInt64) {
        guard high & 0xf000 == InvocationID.versionBits, low >> 62 == 0b10 else { return nil }
        self.high = high
        self.low = low
    }

    /// An identifier that no other has, above all that this process has made before.
    ///
    /// - Parameter now: nanoseconds since 1970, as the wall clock has just said.
    package static func generated(at now: UInt64 = Clock.wallNanoseconds()) -> InvocationID {
        source.withLock { source in
            source.sequence.next(unixNanoseconds: now, random: source.random.next())
        }
    }

    private static let source = Mutex((sequence: InvocationIDSequence(), random: RandomPool()))

    package static func < (left: InvocationID, right: InvocationID) -> Bool {
        (left.high, left.low) < (right.high, right.low)
    }
}

/// Gives out identifiers in strictly rising order, also when the clock stands or is set back.
package struct InvocationIDSequence: Sendable {
    private var tickLast: UInt64 = 0

    package init() {}

    package mutating func next(unixNanoseconds: UInt64, random: UInt64) -> InvocationID {
        // RFC 9562, 6.2, method 3: the 12 bits after the milliseconds are a finer clock, 244 ns a tick. A burst above
        // one call a tick runs ahead of the clock until it is over.
        let milliseconds = unixNanoseconds / 1_000_000
        let part = (unixNanoseconds % 1_000_000) * 4096 / 1_000_000
        tickLast = max(tickLast &+ 1, milliseconds << 12 | part)
        return InvocationID(tick: tickLast, random: random)
    }
}

extension InvocationID: LosslessStringConvertible, Codable {
    /// Canonical text: 36 characters, lower case.
    package var description: String {
        unsafe String(unsafeUninitializedCapacity: 36) { text in
            var place = 0
            for nibble in 0..<32 {
                if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 {
                    unsafe text[place] = UInt8(ascii: "-")
                    place += 1
                }
                unsafe text[place] = character(ofNibble: nibble)
                place += 1
            }
            return place
        }
    }

    /// Appends the canonical text, 36 bytes, without a string on the way.
    package func write(to text: inout OutputRawSpan) {
        for nibble in 0..<32 {
            if nibble == 8 || nibble == 12 || nibble == 16 || nibble == 20 { text.append(UInt8(ascii: "-")) }
            text.append(character(ofNibble: nibble))
        }
    }

    private func character(ofNibble nibble: Int) -> UInt8 {
        let word = nibble < 16 ? high : low
        let digit = UInt8(truncatingIfNeeded: word >> UInt64(60 - nibble % 16 * 4)) & 0xf
        return digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit
    }

    /// Reads canonical text in either case; nil for anything else, also for a UUID of another version.
    package init?(_ text: String) {
        guard text.utf8.count == 36 else { return nil }
        var words: (high: UInt64, low: UInt64) = (0, 0)
        for (index, byte) in text.utf8.enumerated() {
            if [8, 13, 18, 23].contains(index) {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            guard let digit = InvocationID.digit(byte) else { return nil }
            words.high = words.high << 4 | words.low >> 60
            words.low = words.low << 4 | digit
        }
        self.init(high: words.high, low: words.low)
    }

    private static func digit(_ byte: UInt8) -> UInt64? {
        switch byte {
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt64(byte - UInt8(ascii: "0"))
        case UInt8(ascii: "a")...UInt8(ascii: "f"): UInt64(byte - UInt8(ascii: "a") + 10)
        case UInt8(ascii: "A")...UInt8(ascii: "F"): UInt64(byte - UInt8(ascii: "A") + 10)
        default: nil
        }
    }

    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        guard let id = InvocationID(text) else {
            throw DecodingError.dataCorruptedError(
                in: container,
                debugDescription: "\"\(text)\" is not a UUID of version 7"
            )
        }
        self = id
    }

    package func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
