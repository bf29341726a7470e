import HTTPTypes
import Hummingbird

/// The refusals that more than one door gives.
extension Refusal {
    static func unknownFunction(_ name: String) -> Refusal {
        Refusal(
            status: .notFound,
            code: "unknownFunction",
            message: "there is no function \"\(name)\"; `thaw list` shows those that are deployed"
        )
    }

    static func unknownQualifier(function: String, qualifier: String) -> Refusal {
        Refusal(
            status: .notFound,
            code: "unknownQualifier",
            message: "\(function) has no version or alias \"\(qualifier)\"; `thaw versions \(function)` shows both"
        )
    }

    static func tooLarge(bytesMax: Int) -> Refusal {
        Refusal(status: .contentTooLarge, code: "tooLarge", message: "the body is over the limit of \(bytesMax) bytes")
    }

    static let badInputCode = "badInput"

    static func badInput(_ message: String) -> Refusal {
        Refusal(status: .badRequest, code: badInputCode, message: message)
    }

    static let draining = Refusal(
        status: .serviceUnavailable,
        code: "draining",
        message: "this node is shutting down and takes no new calls",
        headers: [.retryAfter: String(DoorLimits.retryAfterDrainingSeconds)]
    )

    static func unavailable(_ message: String) -> Refusal {
        Refusal(
            status: .serviceUnavailable,
            code: "unavailable",
            message: message,
            headers: [.retryAfter: String(DoorLimits.retryAfterUnavailableSeconds)]
        )
    }

    static func storage(_ message: String) -> Refusal {
        Refusal(status: .internalServerError, code: "storage", message: message)
    }

    static func notFound(path: String) -> Refusal {
        Refusal(status: .notFound, code: "notFound", message: "there is no door at \(path)")
    }

    static func methodNotAllowed(_ method: String, path: String, allowed: String) -> Refusal {
        Refusal(
            status: .methodNotAllowed,
            code: "methodNotAllowed",
            message: "\(path) does not take \(method); it takes \(allowed)",
            headers: [.allow: allowed]
        )
    }

    static let tooSlow = Refusal(
        status: .requestTimeout,
        code: "tooSlow",
        message: """
            the body came slower than \(DoorLimits.bodyBytesPerSecondMin) bytes a second \
            after \(DoorLimits.bodyGraceSeconds) s
            """
    )

    static let endedEarly = Refusal(
        status: .badRequest,
        code: "endedEarly",
        message: "the connection ended before the body did"
    )

    static let tokenMissing = Refusal(
        status: .unauthorized,
        code: "tokenMissing",
        message: "this node asks for a token: send Authorization: Bearer TOKEN (thaw reads it from THAW_TOKEN)",
        headers: [.wwwAuthenticate: #"Bearer realm="thaw""#]
    )

    static let tokenWrong = Refusal(
        status: .unauthorized,
        code: "tokenWrong",
        message: "the token is not the one that this node was started with",
        headers: [.wwwAuthenticate: #"Bearer realm="thaw", error="invalid_token""#]
    )

    static func hostRefused(_ host: String) -> Refusal {
        Refusal(
            status: .forbidden,
            code: "hostRefused",
            message: """
                without a token only requests to localhost or 127.0.0.1 are answered, and this one is to "\(host)"; \
                configure a token to use another name
                """
        )
    }

    static func originRefused(_ origin: String) -> Refusal {
        Refusal(
            status: .forbidden,
            code: "originRefused",
            message: "without a token no page of another site may call this node, and this one is of \"\(origin)\""
        )
    }
}
