/// A model as the inference protocols name it: `name`, `name:alias` or `name@version`.
struct ModelName: Equatable {
    var function: String
    /// Version number or alias; nil for what serves now.
    var qualifier: String?

    init(_ text: String) {
        guard let mark = text.utf8.firstIndex(where: { $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: "@") }) else {
            function = text
            return
        }
        function = String(text[..<mark])
        qualifier = String(text[text.index(after: mark)...])
    }

    /// A segment of a path, in which clients may have escaped the mark; nil where it is no text.
    init?(segment: Substring.UTF8View) {
        guard let text = Self.unescaped(segment) else { return nil }
        self.init(text)
    }

    /// `%3A` is a colon.
    static func unescaped(_ segment: Substring.UTF8View) -> String? {
        guard segment.contains(UInt8(ascii: "%")) else { return String(Substring(segment)) }
        var bytes: [UInt8] = []
        var rest = segment
        while let byte = rest.popFirst() {
            guard byte == UInt8(ascii: "%") else {
                bytes.append(byte)
                continue
            }
            guard let high = rest.popFirst().flatMap(digit), let low = rest.popFirst().flatMap(digit) else {
                return nil
            }
            bytes.append(high << 4 | low)
        }
        return String(validating: bytes, as: UTF8.self)
    }

    private static func digit(_ byte: UInt8) -> UInt8? {
        Character(UnicodeScalar(byte)).hexDigitValue.map { UInt8($0) }
    }
}
