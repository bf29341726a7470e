import Testing

@testable import ThawFunction

/// Heads of responses, good and bad.
@Suite struct ResponseHeadTests {
    private static let sample = """
        HTTP/1.1 200 OK\r
        Lambda-Runtime-Aws-Request-Id:  8476a536 \r
        Lambda-Runtime-Deadline-Ms: 1542409706888\r
        Connection: keep-alive\r
        Content-Length: 17
        """

    private func head(_ text: String) throws -> ResponseHead {
        try ResponseHead(parsing: Array(text.utf8))
    }

    @Test func `status, headers and length are read`() throws {
        let head = try head(Self.sample)
        #expect(head.status == 200)
        #expect(head.framing == .length(17))
        #expect(head["lambda-runtime-aws-request-id"] == "8476a536")
        #expect(head["lambda-runtime-trace-id"] == nil)
        #expect(head.keepsAlive)
    }

    @Test func `without a length there is no body, and chunks win over a length`() throws {
        #expect(try head("HTTP/1.1 202 Accepted").framing == .length(0))
        #expect(try head("HTTP/1.1 200 \r\nContent-Length: 3\r\nTransfer-Encoding: Chunked").framing == .chunked)
        #expect(try !head("HTTP/1.1 200 OK\r\nconnection: Close").keepsAlive)
    }

    @Test(arguments: [
        "", "HTTP/1.0 200 OK", "HTTP/1.1", "HTTP/1.1 20x OK", "HTTP/1.1 99 Low", "HTTP/1.1 200 OK\r\nno colon",
        "HTTP/1.1 200 OK\r\n: nameless", "HTTP/1.1 200 OK\r\nContent-Length: -1",
        "HTTP/1.1 200 OK\r\nContent-Length: 99999999999",
    ])
    func `what is no head is refused`(text: String) {
        #expect(throws: RuntimeAPIError.self) { try head(text) }
    }

    @Test func `lengths of chunks are hexadecimal and bounded`() throws {
        #expect(try ResponseHead.chunkCount(Array("1aF;name=value".utf8)) == 0x1AF)
        for bad in ["", "g", "-1", "+1", "fffffffff", "7fffffff"] {
            #expect(throws: RuntimeAPIError.self, "\(bad)") { try ResponseHead.chunkCount(Array(bad.utf8)) }
        }
    }

    @Test func `mutants are refused or read, never fatal, and lengths stay in bounds`() {
        var generator = SeededGenerator(state: 15)
        var readCount = 0
        for _ in 0..<3000 {
            var bytes = Array(Self.sample.utf8)
            for _ in 0..<Int.random(in: 1...4, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes[place...].prefix(9), at: place)
                }
            }
            guard let head = try? ResponseHead(parsing: bytes) else { continue }
            readCount += 1
            if case .length(let count) = head.framing {
                #expect((0...ResponseHead.bodyBytesMax).contains(count))
            }
        }
        // Most bytes of a head are values, which may be anything.
        #expect((1000..<3000).contains(readCount))
    }
}

/// SplitMix64: the same mutants in each run.
private struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return mixed ^ (mixed >> 31)
    }
}
