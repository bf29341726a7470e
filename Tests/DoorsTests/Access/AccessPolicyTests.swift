import Testing

@testable import Doors

@Suite struct AccessPolicyTests {
    private let token = "0123456789abcdef"

    private func policy(_ listen: String, token: String? = nil) throws -> AccessPolicy {
        try AccessPolicy(listen: try #require(ListenAddress(listen)), token: try token.map { try BearerToken($0) })
    }

    @Test(arguments: ["0.0.0.0:8080", "[::]:8080", "192.168.1.2:80", "node.example:80", "127.0.0.1.example.com:80"])
    func `no other address than loopback is opened without a token`(listen: String) throws {
        let address = try #require(ListenAddress(listen))
        #expect(throws: AccessError.tokenNeeded(address)) { try policy(listen) }
        _ = try policy(listen, token: token)
    }

    @Test func `with a token only its bearer passes`() throws {
        let policy = try policy("0.0.0.0:80", token: token)
        #expect(policy.refusal(of: .init(authorization: "Bearer \(token)", host: "any.example")) == nil)
        #expect(policy.refusal(of: .init(authorization: "bearer \(token)")) == nil)
        #expect(policy.refusal(of: .init()) == .tokenMissing)
        for wrong in [
            "Bearer", "Bearer ", "Bearer x\(token)", "Bearer \(token)x", "Basic \(token)", token, "Bearer  \(token)",
        ] {
            #expect(policy.refusal(of: .init(authorization: wrong)) == .tokenWrong)
        }
    }

    @Test func `without a token only names of this machine are answered`() throws {
        let policy = try policy("127.0.0.1:8080")
        for host in [
            "127.0.0.1:8080", "localhost", "LOCALHOST:8080", "a.localhost:1", "[::1]:8080", "localhost.:80", nil,
        ] {
            #expect(policy.refusal(of: .init(host: host)) == nil)
        }
        for host in ["evil.example", "localhost.evil.example:8080", "127.0.0.1.nip.io", "10.0.0.1", "[::2]:1", ""] {
            #expect(policy.refusal(of: .init(host: host)) == .hostRefused(host))
        }
    }

    @Test func `without a token no page of another site may call`() throws {
        let policy = try policy("127.0.0.1:8080")
        let host = "127.0.0.1:8080"
        #expect(policy.refusal(of: .init(host: host, origin: "http://localhost:3000")) == nil)
        for origin in ["https://evil.example", "null", "http://localhost.evil.example"] {
            #expect(policy.refusal(of: .init(host: host, origin: origin)) == .originRefused(origin))
        }
    }

    @Test(arguments: ["", " \n", "two words", "ümlaut", "a\u{0}b"])
    func `a token that no header can carry is refused`(text: String) {
        #expect(throws: AccessError.tokenMalformed) { try BearerToken(text) }
    }

    @Test func `a token matches itself alone`() throws {
        let token = try BearerToken("abc\n")
        #expect(token.matches("abc"))
        for other in ["", "ab", "abcabc", "abd", "ABC", "abc\n"] {
            #expect(!token.matches(other))
        }
    }
}
