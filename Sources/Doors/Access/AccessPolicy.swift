/// Who may knock at the doors.
package struct AccessPolicy: Sendable {
    private enum Rule {
        /// Every request carries the token.
        case token(BearerToken)
        /// No token, so only this machine may ask: programs of ours, not a page of a browser that was sent here.
        case loopback
    }

    private let rule: Rule

    /// Without a token only a loopback address may be listened on.
    ///
    /// - Throws: ``AccessError/tokenNeeded(_:)``.
    package init(listen: ListenAddress, token: BearerToken?) throws(AccessError) {
        if let token {
            rule = .token(token)
        } else if listen.isLoopback {
            rule = .loopback
        } else {
            throw .tokenNeeded(listen)
        }
    }

    /// What a request shows of who sent it.
    struct Presented {
        /// The header `Authorization`.
        var authorization: String?
        /// The header `Host`.
        var host: String?
        /// The header `Origin`, sent by browsers on behalf of a page.
        var origin: String?
    }

    /// Nil where the request may pass.
    ///
    /// Where no token protects the doors, a page in a browser of this machine is the attacker: it reaches loopback
    /// by a name of its own that resolves to 127.0.0.1 (then `Host` is that name), or by a plain cross-site POST
    /// (then `Origin` is its own). Both are refused.
    func refusal(of presented: Presented) -> Refusal? {
        switch rule {
        case .token(let token):
            guard let authorization = presented.authorization else { return .tokenMissing }
            guard let shown = Self.bearer(of: authorization), token.matches(shown) else { return .tokenWrong }
            return nil
        case .loopback:
            if let host = presented.host, !HostName.isLoopback(HostName.withoutPort(host)) {
                return .hostRefused(host)
            }
            guard let origin = presented.origin else { return nil }
            guard let slashes = origin.firstRange(of: "://"),
                HostName.isLoopback(HostName.withoutPort(origin[slashes.upperBound...]))
            else { return .originRefused(origin) }
            return nil
        }
    }

    /// Whether a request shows the token: then it needs no signature.
    func isToken(_ presented: Presented) -> Bool {
        guard case .token(let token) = rule, let shown = presented.authorization.flatMap(Self.bearer) else {
            return false
        }
        return token.matches(shown)
    }

    /// Whether anybody on this machine may ask.
    var isOpen: Bool { if case .loopback = rule { true } else { false } }

    /// The token of `Bearer TOKEN`; the scheme is matched without regard to case (RFC 9110, 11.1).
    private static func bearer(of authorization: String) -> Substring? {
        let parts = authorization.split(separator: " ", maxSplits: 1)
        guard parts.count == 2, parts[0].lowercased() == "bearer" else { return nil }
        return parts[1]
    }
}

/// Why a set of doors may not be opened.
package enum AccessError: Error, Equatable, CustomStringConvertible {
    case tokenNeeded(ListenAddress)
    /// A file that holds no pair of access key id and secret.
    case keysMalformed
    /// A token that no header could carry.
    case tokenMalformed

    package var description: String {
        switch self {
        case .tokenNeeded(let address):
            """
            \(address) can be reached from other machines, and no token protects it: configure a bearer token \
            (THAW_TOKEN or --token-file), or listen on 127.0.0.1
            """
        case .keysMalformed:
            """
            the file of access keys holds no pair of aws_access_key_id and aws_secret_access_key; write it as AWS clients \
            keep their credentials
            """
        case .tokenMalformed:
            "the bearer token is empty or holds characters other than visible ASCII; make one with: openssl rand -hex 32"
        }
    }
}
