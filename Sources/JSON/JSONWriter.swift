/// Writes JSON into bytes, value by value, without a tree in between; commas place themselves.
///
/// The caller closes what it opened, in order.
package struct JSONWriter: Sendable {
    package private(set) var bytes: [UInt8] = []
    private var needsComma = false

    package init(reservingBytes count: Int = 0) {
        bytes.reserveCapacity(count)
    }

    package mutating func beginObject() { open(UInt8(ascii: "{")) }
    package mutating func endObject() { close(UInt8(ascii: "}")) }
    package mutating func beginArray() { open(UInt8(ascii: "[")) }
    package mutating func endArray() { close(UInt8(ascii: "]")) }

    /// The key of the value that is written next.
    package mutating func key(_ name: String) {
        separate()
        appendQuoted(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma = false
    }

    package mutating func string(_ value: String) {
        separate()
        appendQuoted(value)
    }

    /// A string of these bytes in base64, as RFC 4648 has it.
    package mutating func base64(of data: Span<UInt8>) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        bytes.appendBase64(of: data)
        bytes.append(UInt8(ascii: "\""))
    }

    package mutating func integer(_ value: some BinaryInteger) { scalar(value.description) }
    package mutating func bool(_ value: Bool) { scalar(value ? "true" : "false") }
    package mutating func null() { scalar("null") }

    /// The shortest decimal that reads back as the same `Float`.
    /// - Throws: ``JSONError/notFinite``
    package mutating func number(_ value: Float) throws(JSONError) {
        guard value.isFinite else { throw .notFinite }
        scalar(value.description)
    }

    /// The shortest decimal that reads back as the same `Double`.
    /// - Throws: ``JSONError/notFinite``
    package mutating func number(_ value: Double) throws(JSONError) {
        guard value.isFinite else { throw .notFinite }
        scalar(value.description)
    }

    /// A whole tree.
    /// - Throws: ``JSONError/notFinite``
    package mutating func value(_ value: JSON) throws(JSONError) {
        switch value {
        case .null: null()
        case .bool(let flag): bool(flag)
        case .integer(let number): integer(number)
        case .number(let number): try self.number(number)
        case .string(let text): string(text)
        case .array(let elements):
            beginArray()
            for element in elements { try self.value(element) }
            endArray()
        case .object(let members):
            beginObject()
            for member in members {
                key(member.key)
                try self.value(member.value)
            }
            endObject()
        }
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma = false
    }

    private mutating func close(_ bracket: UInt8) {
        bytes.append(bracket)
        needsComma = true
    }

    private mutating func separate() {
        if needsComma { bytes.append(UInt8(ascii: ",")) }
        needsComma = true
    }

    private mutating func scalar(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    private mutating func appendQuoted(_ text: String) {
        bytes.append(UInt8(ascii: "\""))
        for byte in text.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A:
                bytes.append(contentsOf: [UInt8(ascii: "\\"), UInt8(ascii: "n")])
            case 0..<0x20:
                bytes.append(contentsOf: "\\u00".utf8)
                bytes.append(Self.hexDigit(byte >> 4))
                bytes.append(Self.hexDigit(byte & 15))
            default:
                bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    private static func hexDigit(_ value: UInt8) -> UInt8 {
        value < 10 ? UInt8(ascii: "0") + value : UInt8(ascii: "a") + value - 10
    }
}

extension JSON {
    /// This value as compact JSON text.
    /// - Throws: ``JSONError/notFinite``
    package func encoded() throws(JSONError) -> [UInt8] {
        var writer = JSONWriter()
        try writer.value(self)
        return writer.bytes
    }
}
