import HTTPTypes
import HummingbirdCore
import NIOHTTP1
import NIOHTTPTypesHTTP1

/// The head of a request that calls a function: which one, and what the head says about the body and the sender.
///
/// Paths mean what they mean to the router, whose own parts read the rare spellings.
struct InvocationHead {
    let function: String
    /// Version number or alias; nil for what serves now.
    let qualifier: String?
    let door: CallDoor
    private(set) var contentType: String?
    private(set) var contentEncoding: String?
    /// Bytes of JSON in front of an inference request's tensors, in the client's text.
    private(set) var inferenceHeaderLength: String?
    /// Bytes of the body as announced, in the client's text; nil where it comes in chunks, or where there is none.
    private(set) var contentLength: String?
    private(set) var isChunked = false
    /// The client waits for a word before it sends the body.
    private(set) var isContinueAwaited = false
    /// The client sends nothing more on this connection.
    private(set) var isLast: Bool
    /// A reply may be sent in chunks.
    let isChunkable: Bool
    private(set) var presented = AccessPolicy.Presented()

    /// The last path on a connection that named a function, and what it meant: callers mostly say the same again.
    struct Memory {
        fileprivate var last: (uri: String, target: Target)?
    }

    /// Nil where the request is somebody else's.
    ///
    /// - Parameters:
    ///   - memory: of this connection.
    ///   - route: the function that has chosen this path, asked for every other path than ours.
    init?(_ head: HTTPRequestHead, _ memory: inout Memory, route: (_ path: String) -> String?) {
        guard head.method == .POST, let target = Self.target(of: head, &memory, route) else { return nil }
        function = target.function
        qualifier = target.qualifier
        door = target.door
        isLast = head.version != .http1_1
        isChunkable = head.version == .http1_1
        for (name, value) in head.headers { note(name, value) }
    }

    private static func target(
        of head: HTTPRequestHead,
        _ memory: inout Memory,
        _ route: (_ path: String) -> String?
    ) -> Target? {
        if let last = memory.last, last.uri == head.uri { return last.target }
        guard let target = Target(head, route: route) else { return nil }
        // A route may be another function's tomorrow; a name means itself.
        if target.isNamed { memory.last = (head.uri, target) }
        return target
    }

    /// Looks at the length of a name first: most fields are none of ours.
    private mutating func note(_ name: String, _ value: String) {
        switch name.utf8.count {
        case 4 where Self.matches(name, "host"):
            // The first one is the authority, as the codec has it.
            if presented.host == nil { presented.host = value }
        case 6 where Self.matches(name, "origin"): Self.join(value, to: &presented.origin)
        case 6 where Self.matches(name, "expect"): isContinueAwaited = value.lowercased() == "100-continue"
        case 10 where Self.matches(name, "connection"): noteConnection(value)
        case 12 where Self.matches(name, "content-type"): Self.join(value, to: &contentType)
        case 13 where Self.matches(name, "authorization"): Self.join(value, to: &presented.authorization)
        case 14 where Self.matches(name, "content-length"): contentLength = value
        case 16 where Self.matches(name, "content-encoding"): Self.join(value, to: &contentEncoding)
        case 17 where Self.matches(name, "transfer-encoding"): isChunked = true
        case 31 where Self.matches(name, "inference-header-content-length"): inferenceHeaderLength = value
        default: break
        }
    }

    private mutating func noteConnection(_ value: String) {
        for option in value.split(separator: ",") {
            switch option.drop(while: { $0 == " " }).lowercased() {
            case "close": isLast = true
            case "keep-alive": isLast = false
            default: break
            }
        }
    }

    /// - Parameter literal: lower case; letters and hyphens, which no other byte of a field name becomes by the bit.
    private static func matches(_ name: String, _ literal: StaticString) -> Bool {
        unsafe name.utf8.elementsEqual(
            UnsafeBufferPointer(start: literal.utf8Start, count: literal.utf8CodeUnitCount)
        ) { $0 | 0x20 == $1 }
    }

    /// A field that is given twice is one list, as HTTP has it.
    private static func join(_ value: String, to field: inout String?) {
        field = field.map { "\($0), \(value)" } ?? value
    }
}

extension InvocationHead {
    /// What path and query mean.
    fileprivate struct Target {
        let function: String
        let qualifier: String?
        let door: CallDoor
        /// The path says the function's name, and not a route of its choice.
        let isNamed: Bool

        init?(_ head: HTTPRequestHead, route: (_ path: String) -> String?) {
            // A request to a proxy carries a whole URL; the codec's reading of it stands.
            guard
                let uri = head.uri.utf8.first == UInt8(ascii: "/")
                    ? head.uri : try? HTTPRequest(head, secure: false, splitCookie: false).path
            else { return nil }
            let path = uri.utf8.prefix { $0 != UInt8(ascii: "?") }
            let hasQuery = path.endIndex != uri.utf8.endIndex
            if let name = Self.functionName(path) {
                function = String(name)
                door = .own
                isNamed = true
            } else if let call = InferencePath(path) {
                function = call.model.function
                qualifier = call.model.qualifier
                door = call.door
                isNamed = true
                return
            } else if let name = route(URI(uri).path) {
                function = name
                door = .own
                isNamed = false
            } else {
                return nil
            }
            qualifier = hasQuery ? Self.qualifier(of: URI(uri)) : nil
        }

        /// `/functions/{name}/invocations`; empty segments do not count.
        private static func functionName(_ path: String.UTF8View.SubSequence) -> Substring? {
            var segments = PathSegments(rest: path)
            guard let first = segments.next(), first.elementsEqual("functions".utf8), let name = segments.next(),
                let last = segments.next(), last.elementsEqual("invocations".utf8), segments.next() == nil
            else { return nil }
            return Substring(name)
        }

        private static func qualifier(of uri: URI) -> String? {
            guard let value = uri.queryParameters["qualifier"], !value.isEmpty else { return nil }
            return String(value)
        }
    }
}

/// A path's segments; empty ones do not count.
struct PathSegments {
    var rest: Substring.UTF8View

    mutating func next() -> Substring.UTF8View? {
        rest = rest.drop { $0 == UInt8(ascii: "/") }
        guard !rest.isEmpty else { return nil }
        let segment = rest.prefix { $0 != UInt8(ascii: "/") }
        rest = rest[segment.endIndex...]
        return segment
    }
}
