import HTTPTypes
import Hummingbird

extension Router<DoorContext> {
    typealias Handler = @Sendable (Request, DoorContext) async throws -> Response

    /// One path and all that it takes; every other method is answered with 405 and the list of those.
    ///
    /// `before` are methods that are taken before a request comes here.
    ///
    /// `HEAD` goes where `GET` goes; the front door drops the body.
    func path(
        _ path: RouterPath,
        _ handlers: KeyValuePairs<HTTPRequest.Method, Handler>,
        before: [HTTPRequest.Method] = []
    ) {
        var open = Array(handlers)
        if let get = open.first(where: { $0.key == .get }) {
            open.append((key: .head, value: get.value))
        }
        for (method, handler) in open {
            on(path, method: method, use: handler)
        }
        let allowed = (before + open.map(\.key)).map(\.rawValue).joined(separator: ", ")
        let others: [HTTPRequest.Method] = [.get, .head, .put, .post, .delete, .patch, .options, .trace, .connect]
        for method in others where !open.contains(where: { $0.key == method }) && !before.contains(method) {
            on(path, method: method) { request, _ -> Response in
                throw Refusal.methodNotAllowed(method.rawValue, path: request.uri.path, allowed: allowed)
            }
        }
    }
}

extension Request {
    /// A query parameter that counts: nil where it is absent, 400 where it is not in `range`.
    func count(_ name: String, in range: ClosedRange<Int>) throws(Refusal) -> Int? {
        guard let text = query(name) else { return nil }
        guard let count = Int(text), range.contains(count) else {
            throw .badInput("\(name) is a number from \(range.lowerBound) to \(range.upperBound), not \"\(text)\"")
        }
        return count
    }

    /// A query parameter, nil where it is absent or empty.
    func query(_ name: String) -> String? {
        // Most requests have no query, and need no dictionary of it.
        guard uri.query != nil, let value = uri.queryParameters[name[...]], !value.isEmpty else { return nil }
        return String(value)
    }

    /// A query parameter that is on or off: `follow`, `follow=1` and `follow=true` are on.
    func flag(_ name: String) throws(Refusal) -> Bool {
        guard uri.query != nil, let value = uri.queryParameters[name[...]] else { return false }
        switch value {
        case "", "1", "true": return true
        case "0", "false": return false
        default: throw .badInput("\(name) is true or false, not \"\(value)\"")
        }
    }
}
