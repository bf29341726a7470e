/// Finds which model an OpenAI request is for, and reads nothing else of its body.
///
/// One pass over the bytes of a JSON object, without a tree: strings are passed over, and the value of `model` at the top is
/// taken. Whether the rest is JSON is for the worker to say.
enum ModelField {
    /// Bytes of a model's name that are looked at; a function's name and an alias are shorter.
    private static let nameBytesMax = 256

    /// The value of the top-level key `model`; nil where there is none that is a plain string.
    static func find(in bytes: borrowing Span<UInt8>) -> String? {
        var offset = 0
        var depth = 0
        /// A key, and no value, begins at the next string.
        var isKeyNext = false
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "{"), UInt8(ascii: "["):
                depth += 1
                isKeyNext = depth == 1
            case UInt8(ascii: "}"), UInt8(ascii: "]"):
                depth -= 1
            case UInt8(ascii: ","):
                isKeyNext = depth == 1
            case UInt8(ascii: "\""):
                guard let end = endOfString(bytes, from: offset + 1) else { return nil }
                let key = offset + 1..<end
                offset = end
                if depth == 1, isKeyNext, equals(bytes, key, "model") { return value(bytes, after: end + 1) }
                isKeyNext = false
            default:
                break
            }
            offset += 1
        }
        return nil
    }

    /// Where the string that has begun ends.
    private static func endOfString(_ bytes: borrowing Span<UInt8>, from start: Int) -> Int? {
        var offset = start
        while offset < bytes.count {
            switch bytes[offset] {
            case UInt8(ascii: "\""): return offset
            case UInt8(ascii: "\\"): offset += 2
            default: offset += 1
            }
        }
        return nil
    }

    private static func equals(_ bytes: borrowing Span<UInt8>, _ range: Range<Int>, _ text: String) -> Bool {
        guard range.count == text.utf8.count else { return false }
        for (offset, byte) in zip(range, text.utf8) where bytes[offset] != byte { return false }
        return true
    }

    private static func value(_ bytes: borrowing Span<UInt8>, after key: Int) -> String? {
        var offset = key
        func skipSpace(_ bytes: borrowing Span<UInt8>) {
            while offset < bytes.count, [0x20, 0x09, 0x0A, 0x0D].contains(bytes[offset]) { offset += 1 }
        }
        skipSpace(bytes)
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: ":") else { return nil }
        offset += 1
        skipSpace(bytes)
        guard offset < bytes.count, bytes[offset] == UInt8(ascii: "\""),
            let end = endOfString(bytes, from: offset + 1), end - offset <= nameBytesMax
        else { return nil }
        var name: [UInt8] = []
        for place in offset + 1..<end { name.append(bytes[place]) }
        // No name of a function needs an escape.
        return name.contains(UInt8(ascii: "\\")) ? nil : String(validating: name, as: UTF8.self)
    }
}
