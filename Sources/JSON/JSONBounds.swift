/// What a text may ask of the reader; checked in one pass over the bytes before anything is allocated for them.
package struct JSONBounds: Sendable {
    /// Arrays and objects within each other.
    ///
    /// The documents of this house nest five deep.
    package var depthMax = 64
    /// Values in the whole text.
    ///
    /// A value costs about 64 bytes while the tree is built, so that 2 Mi values take 128 MiB at the most; the largest vocabularies in use have 256 Ki.
    package var valuesMax = 2 * 1024 * 1024

    package init() {}

    package init(depthMax: Int, valuesMax: Int) {
        self.depthMax = depthMax
        self.valuesMax = valuesMax
    }

    /// Counts brackets and separators outside strings.
    ///
    /// Says nothing about grammar: that is the parser's work.
    func check(_ bytes: Span<UInt8>) throws(JSONError) {
        var depth = 0
        var values = 1
        var isInString = false
        var isEscaped = false
        for offset in bytes.indices {
            let byte = bytes[offset]
            if isInString {
                if isEscaped {
                    isEscaped = false
                } else if byte == UInt8(ascii: "\\") {
                    isEscaped = true
                } else if byte == UInt8(ascii: "\"") {
                    isInString = false
                }
                continue
            }
            switch byte {
            case UInt8(ascii: "\""):
                isInString = true
            case UInt8(ascii: "["), UInt8(ascii: "{"):
                depth += 1
                values += 1
                guard depth <= depthMax else {
                    throw .malformed("nested deeper than \(depthMax) levels", at: offset, in: bytes)
                }
            case UInt8(ascii: "]"), UInt8(ascii: "}"):
                depth -= 1
            case UInt8(ascii: ","):
                values += 1
            default:
                continue
            }
            guard values <= valuesMax else {
                throw .malformed("more than \(valuesMax) values", at: offset, in: bytes)
            }
        }
    }
}

extension JSONError {
    /// Counts the line and column of `offset`; only once a text is already refused.
    static func malformed(_ message: String, at offset: Int, in bytes: Span<UInt8>) -> JSONError {
        var line = 1
        var column = 1
        for index in 0..<min(offset, bytes.count) {
            let byte = bytes[index]
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            } else if byte & 0xC0 != 0x80 {
                column += 1
            }
        }
        return .malformed(message: message, line: line, column: column, byteOffset: offset)
    }
}
