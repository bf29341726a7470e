/// Where the doors listen: `127.0.0.1:8080`, `[::1]:8080`, `localhost:8080`, `0.0.0.0:80`.
package struct ListenAddress: Equatable, Sendable, CustomStringConvertible {
    package let host: String
    /// 0 lets the kernel choose.
    package let port: Int

    /// Nil where `text` is not `HOST:PORT` with a port of at most 65535, or a bare IPv6 address.
    package init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":") else { return nil }
        let portText = text[text.index(after: colon)...]
        guard (1...5).contains(portText.utf8.count), portText.utf8.allSatisfy({ (0x30...0x39).contains($0) }),
            let port = UInt16(portText)
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") {
            host = host.dropFirst().dropLast()
            guard host.contains(":") else { return nil }
        } else if host.contains(":") {
            return nil
        }
        guard !host.isEmpty, host.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7F }) else { return nil }
        self.host = String(host)
        self.port = Int(port)
    }

    /// Whether only this machine can reach it.
    package var isLoopback: Bool {
        HostName.isLoopback(host)
    }

    package var description: String {
        host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
    }
}

/// Names of this machine that no other machine can take.
enum HostName {
    /// Whether `host`, without a port or brackets, means the loopback interface whatever a name server says.
    ///
    /// RFC 6761 reserves `localhost` and the names below it; every address of 127.0.0.0/8 is loopback.
    static func isLoopback(_ host: some StringProtocol) -> Bool {
        // How this machine is called in nearly every request.
        if host.utf8.elementsEqual("127.0.0.1".utf8) || host.utf8.elementsEqual("localhost".utf8) { return true }
        var name = host.lowercased()
        if name.hasSuffix(".") { name.removeLast() }
        if name == "localhost" || name.hasSuffix(".localhost") || name == "::1" { return true }
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts[0] == "127"
            && parts.allSatisfy {
                $0.utf8.count <= 3 && $0.utf8.allSatisfy { (0x30...0x39).contains($0) } && UInt8($0) != nil
            }
    }

    /// The host of a `Host` header or of the authority of an origin: without its port and brackets.
    static func withoutPort<Authority: StringProtocol>(_ authority: Authority) -> Authority.SubSequence {
        // By bytes: characters would have to be put together first.
        let bytes = authority.utf8
        if bytes.first == UInt8(ascii: "["), let bracket = bytes.firstIndex(of: UInt8(ascii: "]")) {
            return authority[bytes.index(after: bytes.startIndex)..<bracket]
        }
        return authority[..<(bytes.firstIndex(of: UInt8(ascii: ":")) ?? bytes.endIndex)]
    }
}
