import Testing

@testable import Doors

@Suite struct ListenAddressTests {
    @Test(arguments: [
        ("127.0.0.1:8080", "127.0.0.1", 8080, true), ("localhost:1", "localhost", 1, true),
        ("[::1]:65535", "::1", 65535, true), ("127.9.9.9:0", "127.9.9.9", 0, true),
        ("0.0.0.0:80", "0.0.0.0", 80, false), ("[::]:80", "::", 80, false),
        ("127.0.0.1.evil.example:80", "127.0.0.1.evil.example", 80, false),
        ("192.168.0.1:80", "192.168.0.1", 80, false), ("127.1:80", "127.1", 80, false),
        ("[::ffff:127.0.0.1]:80", "::ffff:127.0.0.1", 80, false),
    ])
    func `an address is read`(text: String, host: String, port: Int, isLoopback: Bool) throws {
        let address = try #require(ListenAddress(text))
        #expect(address.host == host)
        #expect(address.port == port)
        #expect(address.isLoopback == isLoopback)
        #expect(address.description == text)
    }

    @Test(arguments: [
        "", "8080", ":8080", "host", "host:", "host:65536", "host:-1", "host:+1", "::1:80", "[x]:1", "a b:1",
    ])
    func `what is no address is refused`(text: String) {
        #expect(ListenAddress(text) == nil)
    }
}
