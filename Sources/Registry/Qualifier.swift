/// Which version of a function a caller means.
package enum Qualifier: Equatable, Sendable {
    /// The version that serves: the newest, or where a rollback went.
    case serving
    /// The highest number, also while an older one serves.
    case newest
    case version(Int)
    case alias(String)

    /// A label is short enough for a table column.
    package static let labelBytesMax = 64

    /// Reads `?qualifier=…`.
    ///
    /// - Returns: nil for text that can be neither a number nor a label.
    package init?(_ text: String?) {
        guard let text else {
            self = .serving
            return
        }
        // `$LATEST` is what callers of AWS Lambda write.
        if text == "latest" || text == "$LATEST" {
            self = .newest
        } else if let number = Int(text), number > 0, String(number) == text {
            self = .version(number)
        } else if Qualifier.isLabel(text) {
            self = .alias(text)
        } else {
            return nil
        }
    }

    /// `[a-zA-Z][a-zA-Z0-9_-]{0,63}`, and not a spelling of `latest`: the first letter keeps labels apart from numbers.
    package static func isLabel(_ text: String) -> Bool {
        guard let first = text.utf8.first, isLetter(first), text.utf8.count <= labelBytesMax else { return false }
        guard text.lowercased() != "latest" else { return false }
        return text.utf8.allSatisfy { byte in
            isLetter(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
                || byte == UInt8(ascii: "_") || byte == UInt8(ascii: "-")
        }
    }

    private static func isLetter(_ byte: UInt8) -> Bool {
        (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte | 0x20)
    }
}
