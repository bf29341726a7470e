/// Status and headers of an HTTP/1.1 response.
struct ResponseHead: Equatable, Sendable {
    /// How the end of the body is told.
    enum Framing: Equatable, Sendable {
        case length(Int)
        case chunked
    }

    /// More than any runtime sends: a head is a few hundred bytes, the client context at most 3,583.
    static let bytesMax = 64 * 1024
    /// More than any call brings; it keeps a broken length from being taken for a wish to allocate.
    static let bodyBytesMax = 1 << 30

    let status: Int
    let framing: Framing
    let keepsAlive: Bool
    private let headers: [(name: String, value: String)]

    /// The first header of that name, which is given in lower case.
    subscript(name: String) -> String? {
        headers.first { $0.name == name }?.value
    }

    static func == (left: ResponseHead, right: ResponseHead) -> Bool {
        left.status == right.status && left.framing == right.framing && left.keepsAlive == right.keepsAlive
            && left.headers.elementsEqual(right.headers) { $0 == $1 }
    }

    /// Parses a head without the empty line that ends it.
    init(parsing bytes: some Collection<UInt8>) throws(RuntimeAPIError) {
        var lines = bytes.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)[...]
        guard let first = lines.popFirst() else { throw RuntimeAPIError("the response has no status line") }
        let parts = Self.text(first).split(separator: " ", maxSplits: 2)
        guard parts.count > 1, parts[0] == "HTTP/1.1", let status = Int(parts[1]), (100...599).contains(status) else {
            throw RuntimeAPIError("the response does not begin with a status of HTTP/1.1")
        }
        var headers: [(name: String, value: String)] = []
        for line in lines {
            let text = Self.text(line)
            guard let colon = text.firstIndex(of: ":"), colon != text.startIndex else {
                throw RuntimeAPIError("the response has a header without a name")
            }
            let name = text[..<colon].lowercased()
            headers.append((name, Self.trimmed(text[text.index(after: colon)...])))
        }
        self.status = status
        self.headers = headers
        func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }
        keepsAlive = header("connection")?.lowercased() != "close"
        if header("transfer-encoding")?.lowercased() == "chunked" {
            framing = .chunked
        } else if let text = header("content-length") {
            guard let count = Int(text), (0...Self.bodyBytesMax).contains(count) else {
                throw RuntimeAPIError("the response has a Content-Length of \(text)")
            }
            framing = .length(count)
        } else {
            framing = .length(0)
        }
    }

    /// The length of a chunk, from the line that stands before it.
    static func chunkCount(_ line: some Collection<UInt8>) throws(RuntimeAPIError) -> Int {
        let digits = trimmed(text(line).prefix { $0 != ";" })
        guard digits.count <= 8, !digits.hasPrefix("-"), !digits.hasPrefix("+"), let count = Int(digits, radix: 16),
            count <= bodyBytesMax
        else { throw RuntimeAPIError("the response has a chunk of length \(digits.prefix(20))") }
        return count
    }

    private static func text(_ line: some Collection<UInt8>) -> String {
        let text = String(decoding: line, as: UTF8.self)
        return text.last == "\r" ? String(text.dropLast()) : text
    }

    private static func trimmed(_ text: some StringProtocol) -> String {
        let start = text.drop { $0 == " " || $0 == "\t" }
        guard let end = start.lastIndex(where: { $0 != " " && $0 != "\t" }) else { return "" }
        return String(start[...end])
    }
}
