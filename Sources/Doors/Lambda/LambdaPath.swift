/// The path of a request for the Lambda API, its neighbours, or a function's URL.
///
/// Segments are split before their percent signs are undone: a function's name may hold `%3A` and `%2F`.
struct LambdaPath: Equatable, Sendable {
    let segments: [String]
    /// As it was sent, without the question mark.
    let query: String
    /// As it was sent.
    let path: String

    /// - Parameter uri: path and query as they were sent.
    init(_ uri: String) {
        let mark = uri.firstIndex(of: "?")
        path = String(uri[..<(mark ?? uri.endIndex)])
        query = mark.map { String(uri[uri.index(after: $0)...]) } ?? ""
        segments = path.split(separator: "/").map { PercentCoding.decode($0) }
    }

    /// Whether a path begins as those of the API do: with the date of a version of it.
    static func beginsWithDate(_ path: String) -> Bool {
        let bytes = path.utf8.dropFirst().prefix(11)
        guard path.utf8.first == UInt8(ascii: "/"), bytes.count == 11, bytes.last == UInt8(ascii: "/") else {
            return false
        }
        return zip(bytes, 0...).allSatisfy { byte, index in
            switch index {
            case 4, 7: byte == UInt8(ascii: "-")
            case 10: true
            default: (0x30...0x39).contains(byte)
            }
        }
    }
}
