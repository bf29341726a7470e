/// The parts that a client names when it completes an upload, out of S3's XML.
///
/// Only what stock clients write is read: elements without attributes that matter, and no declarations.
enum PartList {
    /// Ten thousand parts, with all the checksums that a client may name of each.
    static let bytesMax = 4 << 20

    /// - Throws: for what is no list of numbers and tags.
    static func parts(_ bytes: [UInt8]) throws(UploadError) -> [(number: Int, tag: String)] {
        guard let text = String(validating: bytes, as: UTF8.self), !text.contains("<!") else { throw malformed }
        var parts: [(number: Int, tag: String)] = []
        var rest = text[...]
        while let part = element("Part", &rest) {
            var inner = part
            guard let number = element("PartNumber", &inner).flatMap({ Int($0) }) else { throw malformed }
            inner = part
            guard let tag = element("ETag", &inner) else { throw malformed }
            guard parts.count < 10_000 else { throw malformed }
            parts.append((number, plain(tag)))
        }
        guard !parts.isEmpty else { throw malformed }
        return parts
    }

    /// What stands in the next element of that name; the text moves on behind it.
    private static func element(_ name: String, _ text: inout Substring) -> Substring? {
        guard let start = text.firstRange(of: "<\(name)>"),
            let end = text[start.upperBound...].firstRange(of: "</\(name)>")
        else { return nil }
        defer { text = text[end.upperBound...] }
        return text[start.upperBound..<end.lowerBound]
    }

    /// A tag comes with its quotes, as they are or as an entity.
    private static func plain(_ tag: Substring) -> String {
        tag.replacing("&quot;", with: "\"").replacing("&#34;", with: "\"").filter { $0 != "\"" && !$0.isWhitespace }
    }

    private static let malformed = UploadError(
        400,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema"
    )
}
