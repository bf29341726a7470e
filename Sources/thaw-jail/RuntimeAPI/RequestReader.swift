/// The head of a request to the Runtime API.
struct RequestHead: Equatable {
    var method: String
    /// The path and what follows it, as it came.
    var target: String
    /// Names in lower case.
    var headers: [(name: String, value: String)]

    func value(_ name: String) -> String? {
        headers.first { $0.name == name }?.value
    }

    static func == (one: RequestHead, other: RequestHead) -> Bool {
        one.method == other.method && one.target == other.target
            && one.headers.elementsEqual(other.headers, by: { $0.name == $1.name && $0.value == $1.value })
    }
}

/// Why a connection's bytes are no request of HTTP/1.1.
struct RequestError: Error, Equatable {
    let problem: String
}

/// Takes the bytes of one connection apart into requests of HTTP/1.1, however they are cut.
///
/// ```
///  head ──► body of a length ──► (end) ──► head …
///     └───► chunk size ⇄ chunk ──► trailers ──► (end)
/// ```
struct RequestReader {
    enum Event: Equatable {
        case head(RequestHead)
        case body([UInt8])
        case end(trailers: [String: String])
    }

    /// Bytes of a head, and of all trailers together; runtimes of Lambda put a cause of 64 KiB into a header.
    static let headBytesMax = 128 * 1024
    private static let headersMax = 128
    private static let chunkLineBytesMax = 256

    private enum State {
        case head
        case body(left: Int)
        case chunkSize
        case chunk(left: Int)
        case chunkEnd
        case trailers
    }

    private var state = State.head
    private var bytes: [UInt8] = []
    private var position = 0
    /// How far a search for the end of a line or head has come: bytes that come one by one are looked at once.
    private var searched = 0

    /// Whether a request has begun and not ended.
    var isInRequest: Bool {
        if case .head = state { return position < bytes.count }
        return true
    }

    /// Appends what came, and answers what became complete.
    mutating func take(_ piece: [UInt8]) throws(RequestError) -> [Event] {
        if position == bytes.count {
            bytes = piece
            (position, searched) = (0, 0)
        } else {
            bytes.append(contentsOf: piece)
        }
        var events: [Event] = []
        while try step(&events) {}
        if position > 64 * 1024 {
            bytes.removeFirst(position)
            searched = max(0, searched - position)
            position = 0
        }
        return events
    }

    private mutating func step(_ events: inout [Event]) throws(RequestError) -> Bool {
        switch state {
        case .head:
            return try readHead(&events)
        case .body(let left):
            guard let count = takeBody(left, &events) else { return false }
            if count == left {
                events.append(.end(trailers: [:]))
                state = .head
            } else {
                state = .body(left: left - count)
            }
            return true
        case .chunkSize:
            guard let line = try takeLine(bytesMax: Self.chunkLineBytesMax) else { return false }
            let size = try Self.chunkSize(line)
            state = size == 0 ? .trailers : .chunk(left: size)
            return true
        case .chunk(let left):
            guard let count = takeBody(left, &events) else { return false }
            state = count == left ? .chunkEnd : .chunk(left: left - count)
            return true
        case .chunkEnd:
            guard bytes.count - position >= 2 else { return false }
            guard bytes[position] == cr, bytes[position + 1] == lf else {
                throw RequestError(problem: "a chunk does not end where it said")
            }
            advance(2)
            state = .chunkSize
            return true
        case .trailers:
            guard let block = try takeBlock() else { return false }
            let pairs = try Self.headers(block)
            events.append(.end(trailers: Dictionary(pairs, uniquingKeysWith: { first, _ in first })))
            state = .head
            return true
        }
    }

    private mutating func readHead(_ events: inout [Event]) throws(RequestError) -> Bool {
        // An empty line between requests is no request.
        while bytes.count - position >= 2, bytes[position] == cr, bytes[position + 1] == lf { advance(2) }
        guard let block = try takeBlock() else { return false }
        let end = block.firstIndex(of: cr) ?? block.endIndex
        let line = block[..<end].split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard line.count == 3, !line[0].isEmpty, line[1].first == UInt8(ascii: "/"),
            line[0].allSatisfy({ (UInt8(ascii: "A")...UInt8(ascii: "Z")).contains($0) }),
            line[1].allSatisfy({ (0x21...0x7e).contains($0) })
        else { throw RequestError(problem: "a request begins with its method, its path and HTTP/1.1") }
        guard line[2].elementsEqual("HTTP/1.1".utf8) else {
            throw RequestError(problem: "this server speaks HTTP/1.1 only")
        }
        let head = RequestHead(
            method: String(decoding: line[0], as: UTF8.self),
            target: String(decoding: line[1], as: UTF8.self),
            headers: try Self.headers(block[end...].dropFirst(2))
        )
        let body = try Self.body(of: head)
        events.append(.head(head))
        switch body {
        case .chunked: state = .chunkSize
        case .length(0): events.append(.end(trailers: [:]))
        case .length(let count): state = .body(left: count)
        }
        return true
    }

    private enum Body {
        case length(Int)
        case chunked
    }

    /// Where both ways of saying the length stand, or one of them twice, somebody else may read it otherwise.
    private static func body(of head: RequestHead) throws(RequestError) -> Body {
        let lengths = head.headers.filter { $0.name == "content-length" }
        let codings = head.headers.filter { $0.name == "transfer-encoding" }
        guard lengths.count + codings.count <= 1 else {
            throw RequestError(problem: "the length of the body is said twice")
        }
        if let coding = codings.first {
            guard coding.value.lowercased() == "chunked" else {
                throw RequestError(problem: "the transfer encoding is not chunked")
            }
            return .chunked
        }
        guard let length = lengths.first else { return .length(0) }
        guard let count = number(length.value.utf8, radix: 10) else {
            throw RequestError(problem: "the content length is no number")
        }
        return .length(count)
    }

    private static func chunkSize(_ line: ArraySlice<UInt8>) throws(RequestError) -> Int {
        let digits = line.prefix { $0 != UInt8(ascii: ";") && $0 != UInt8(ascii: " ") }
        guard let size = number(digits, radix: 16) else {
            throw RequestError(problem: "a chunk's size is no hexadecimal number")
        }
        return size
    }

    private static func number(_ digits: some Collection<UInt8>, radix: Int) -> Int? {
        guard (1...15).contains(digits.count), digits.first != UInt8(ascii: "+"), digits.first != UInt8(ascii: "-")
        else { return nil }
        return Int(String(decoding: digits, as: UTF8.self), radix: radix)
    }

    /// Lines of `name: value`, each ended by CRLF.
    private static func headers(_ block: ArraySlice<UInt8>) throws(RequestError) -> [(name: String, value: String)] {
        var headers: [(name: String, value: String)] = []
        var rest = block
        while !rest.isEmpty {
            let end = rest.firstIndex(of: cr) ?? rest.endIndex
            let line = rest[..<end]
            rest = rest[end...].dropFirst(2)
            guard let colon = line.firstIndex(of: UInt8(ascii: ":")), colon > line.startIndex,
                line[..<colon].allSatisfy(isNameByte), line[colon...].allSatisfy({ $0 >= 0x20 || $0 == 0x09 })
            else { throw RequestError(problem: "a header is `name: value`") }
            guard headers.count < headersMax else {
                throw RequestError(problem: "a request has more than \(headersMax) headers")
            }
            let value = line[(colon + 1)...].drop { $0 == 0x20 || $0 == 0x09 }
            let trimmed = value.prefix(value.count - value.reversed().prefix { $0 == 0x20 || $0 == 0x09 }.count)
            let name = String(decoding: line[..<colon], as: UTF8.self).lowercased()
            headers.append((name, String(decoding: trimmed, as: UTF8.self)))
        }
        return headers
    }

    /// Up to so many bytes of a body as an event; nil where none is there.
    private mutating func takeBody(_ left: Int, _ events: inout [Event]) -> Int? {
        let count = min(left, bytes.count - position)
        guard count > 0 else { return nil }
        if position == 0, count == bytes.count {
            events.append(.body(bytes))
        } else {
            events.append(.body(Array(bytes[position..<position + count])))
        }
        advance(count)
        return count
    }

    private mutating func takeLine(bytesMax: Int) throws(RequestError) -> ArraySlice<UInt8>? {
        guard let end = try search([cr, lf], bytesMax: bytesMax) else { return nil }
        defer { advance(end + 2 - position) }
        return bytes[position..<end]
    }

    /// Lines up to an empty one, without that; a block may be that line alone.
    private mutating func takeBlock() throws(RequestError) -> ArraySlice<UInt8>? {
        if case .trailers = state, bytes.count - position >= 2, bytes[position] == cr, bytes[position + 1] == lf {
            advance(2)
            return []
        }
        guard let end = try search([cr, lf, cr, lf], bytesMax: Self.headBytesMax) else { return nil }
        defer { advance(end + 4 - position) }
        let block = bytes[position..<end]
        // A line that ends otherwise is read otherwise by somebody.
        var before: UInt8 = 0
        for byte in block {
            guard (byte == lf) == (before == cr) else { throw RequestError(problem: "lines end with CRLF") }
            before = byte
        }
        return block
    }

    private mutating func search(_ mark: [UInt8], bytesMax: Int) throws(RequestError) -> Int? {
        var index = max(position, searched)
        while index + mark.count <= bytes.count {
            if bytes[index] == cr, bytes[index..<index + mark.count].elementsEqual(mark) {
                guard index - position <= bytesMax else { throw RequestError(problem: "a head is too long") }
                return index
            }
            index += 1
        }
        searched = index
        guard bytes.count - position <= bytesMax else { throw RequestError(problem: "a head is too long") }
        return nil
    }

    private mutating func advance(_ count: Int) {
        position += count
        searched = position
    }
}

private let cr = UInt8(ascii: "\r")
private let lf = UInt8(ascii: "\n")

/// RFC 9110's token, without its rarest signs.
private func isNameByte(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."):
        true
    default: false
    }
}
