/// What a bucket answers when it is asked for its objects: XML from another machine, read with bounds.
struct BucketListing: Equatable, Sendable {
    struct Object: Hashable, Sendable {
        var key = ""
        /// As the bucket writes it, with its quotation marks.
        var tag = ""
        /// `2026-01-02T03:04:05.000Z`.
        var modified = ""
        var byteCount = 0
    }

    var objects: [Object] = []
    /// With which the rest is asked for; nil where this is the end.
    var continuation: String?
    /// What went wrong, in the bucket's words.
    var errorCode: String?
    var errorMessage: String?

    /// Elements within elements; a listing has four.
    private static let depthMax = 16
    /// A key has 1024 bytes at most, a token somewhat more.
    private static let textBytesMax = 16 << 10

    /// - Returns: nil for what is no such answer.
    init?(_ bytes: [UInt8]) {
        var path: [String] = []
        var text: [UInt8] = []
        var isTruncated = false
        var object = Object()
        var token: String?
        var rest = bytes[...]
        while let start = rest.firstIndex(of: UInt8(ascii: "<")) {
            text += rest[..<start]
            guard text.count <= Self.textBytesMax, let end = rest[start...].firstIndex(of: UInt8(ascii: ">")) else {
                return nil
            }
            let tag = rest[(start + 1)..<end]
            rest = rest[(end + 1)...]
            switch tag.first {
            case UInt8(ascii: "?"), UInt8(ascii: "!"): continue
            case UInt8(ascii: "/"):
                guard let name = path.popLast(), tag.dropFirst().elementsEqual(name.utf8) else { return nil }
                let value = Self.unescaped(text)
                text = []
                switch (path.last, name) {
                case ("Contents", "Key"): object.key = value
                case ("Contents", "ETag"): object.tag = value
                case ("Contents", "LastModified"): object.modified = value
                case ("Contents", "Size"): object.byteCount = Int(value) ?? 0
                case (_, "Contents"):
                    guard !object.key.isEmpty else { return nil }
                    objects.append(object)
                    object = Object()
                case (_, "IsTruncated"): isTruncated = value == "true"
                case (_, "NextContinuationToken"): token = value
                case ("Error", "Code"): errorCode = value
                case ("Error", "Message"): errorMessage = value
                default: break
                }
            default:
                text = []
                if tag.last == UInt8(ascii: "/") { continue }
                guard path.count < Self.depthMax else { return nil }
                path.append(String(decoding: tag.prefix { $0 != UInt8(ascii: " ") && $0 != 10 }, as: UTF8.self))
                if path.count == 1, path[0] != "ListBucketResult", path[0] != "Error" { return nil }
            }
        }
        guard path.isEmpty, bytes.contains(UInt8(ascii: "<")) else { return nil }
        if isTruncated {
            guard let token, !token.isEmpty else { return nil }
            continuation = token
        }
    }

    /// Undoes `&amp;` and its kin; one that is not known stays as it is.
    private static func unescaped(_ text: [UInt8]) -> String {
        var scalars = String.UnicodeScalarView()
        var rest = String(decoding: text, as: UTF8.self).unicodeScalars[...]
        while let scalar = rest.popFirst() {
            guard scalar == "&", let end = rest.prefix(10).firstIndex(of: ";"),
                let meant = meaning(String(rest[..<end]))
            else {
                scalars.append(scalar)
                continue
            }
            scalars.append(meant)
            rest = rest[rest.index(after: end)...]
        }
        return String(scalars)
    }

    private static func meaning(_ name: String) -> Unicode.Scalar? {
        switch name {
        case "amp": return "&"
        case "lt": return "<"
        case "gt": return ">"
        case "quot": return "\""
        case "apos": return "'"
        default:
            guard name.first == "#" else { return nil }
            let digits = name.dropFirst()
            let value = digits.first == "x" ? UInt32(digits.dropFirst(), radix: 16) : UInt32(digits)
            return value.flatMap(Unicode.Scalar.init)
        }
    }
}
