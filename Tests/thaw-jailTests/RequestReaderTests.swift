import Testing

@testable import thaw_jail

struct RequestReaderTests {
    private static let next = "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n\r\n"
    private static let response =
        "POST /2018-06-01/runtime/invocation/a/response HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello"
    private static let streamed = """
        POST /2018-06-01/runtime/invocation/a/response HTTP/1.1\r
        Transfer-Encoding: chunked\r
        Trailer: Lambda-Runtime-Function-Error-Type\r
        \r
        5;x=y\r
        hello\r
        1\r
        !\r
        0\r
        Lambda-Runtime-Function-Error-Type: Oh\r
        \r

        """

    /// What a run of bytes says, with the pieces of bodies put together.
    private func read(_ pieces: [[UInt8]]) throws -> [String] {
        var reader = RequestReader()
        var said: [String] = []
        var body: [UInt8] = []
        for piece in pieces {
            for event in try reader.take(piece) {
                switch event {
                case .head(let head): said.append("\(head.method) \(head.target)")
                case .body(let bytes): body += bytes
                case .end(let trailers):
                    said.append(
                        String(decoding: body, as: UTF8.self) + trailers.map { " \($0.key)=\($0.value)" }.joined()
                    )
                    body = []
                }
            }
        }
        return said
    }

    private static let whole = [
        "GET /2018-06-01/runtime/invocation/next", "", "POST /2018-06-01/runtime/invocation/a/response", "hello",
        "POST /2018-06-01/runtime/invocation/a/response", "hello! lambda-runtime-function-error-type=Oh",
    ]

    @Test func `requests behind one another are read, whole and byte by byte`() throws {
        let bytes = Array((Self.next + Self.response + Self.streamed).utf8)
        #expect(try read([bytes]) == Self.whole)
        #expect(try read(bytes.map { [$0] }) == Self.whole)
        for cut in stride(from: 1, to: bytes.count, by: 7) {
            #expect(try read([Array(bytes[..<cut]), Array(bytes[cut...])]) == Self.whole)
        }
    }

    @Test(arguments: [
        "get / HTTP/1.1\r\n\r\n", "GET x HTTP/1.1\r\n\r\n", "GET / HTTP/1.0\r\n\r\n", "GET / HTTP/1.1 \r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
        "POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n", "POST / HTTP/1.1\r\nContent-Length: +1\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: gzip\r\n\r\n", "POST / HTTP/1.1\r\n: x\r\n\r\n",
        "POST / HTTP/1.1\r\nA B: x\r\n\r\n", "POST / HTTP/1.1\r\nA: x\nB: y\r\n\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
        "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffffff\r\n",
    ])
    func `what is no request, or may be read in two ways, is refused`(text: String) {
        #expect(throws: RequestError.self) { try read([Array(text.utf8)]) }
    }

    @Test func `a head without end is refused before it fills the memory`() {
        #expect(throws: RequestError.self) {
            var reader = RequestReader()
            for _ in 0...RequestReader.headBytesMax / 1024 {
                _ = try reader.take([UInt8](repeating: UInt8(ascii: "A"), count: 1024))
            }
        }
    }

    @Test func `mutants of requests are read or refused, the same however they are cut`() {
        var random = SplitMix(state: 15)
        let seed = Array((Self.next + Self.response + Self.streamed).utf8)
        for _ in 0..<2000 {
            var bytes = seed
            for _ in 0..<Int.random(in: 1...4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &random)
                case 1: bytes.remove(at: place)
                case 2: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                default: bytes.removeLast(min(bytes.count - 1, place % 40))
                }
            }
            let cut = Int.random(in: 0...bytes.count, using: &random)
            let whole = Result { try read([bytes]) }
            let halves = Result { try read([Array(bytes[..<cut]), Array(bytes[cut...])]) }
            #expect((try? whole.get()) == (try? halves.get()))
        }
    }
}

/// A generator whose numbers follow from its seed.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
