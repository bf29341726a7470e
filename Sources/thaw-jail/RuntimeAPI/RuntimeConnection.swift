import Linux

/// One connection of the program to its Runtime API.
final class RuntimeConnection {
    /// What the body of the request under way is for.
    enum Purpose: Equatable {
        case nothing
        case reply
        case stream
        case error
        case initError
        /// Another function is called with it.
        case call(id: String, function: String)
    }

    let descriptor: FileDescriptor
    var reader = RequestReader()
    var purpose = Purpose.nothing
    var head: RequestHead?
    var body: [UInt8] = []
    /// The body went beyond what its purpose allows; the rest is passed over.
    var isTooLarge = false
    /// Answered already; what is left of the request is passed over.
    var isAnswered = false
    /// It has asked for a call and waits.
    var isWaiting = false

    init(_ descriptor: consuming FileDescriptor) {
        self.descriptor = descriptor
    }

    /// The longest that a program may leave what it asked for unread.
    private static let writeMilliseconds = 60_000

    /// False where the program has closed the connection, or does not read from it.
    func write(_ bytes: [UInt8]) -> Bool {
        var done = 0
        while done < bytes.count {
            do throws(SystemError) {
                let rest = bytes.span.extracting(done..<bytes.count)
                if let count = try unsafe descriptor.writeAvailable(rest.bytes) {
                    done += count
                } else if try !descriptor.waitWritable(timeoutMilliseconds: Self.writeMilliseconds) {
                    return false
                }
            } catch {
                return false
            }
        }
        return true
    }

    func answer(_ status: Int, _ body: String) -> Bool {
        answer(status, "application/json", Array(body.utf8))
    }

    /// - Parameter contentType: of a header's characters.
    func answer(_ status: Int, _ contentType: String, _ body: [UInt8]) -> Bool {
        write(Self.response(status, contentType, body))
    }

    static func response(_ status: Int, _ contentType: String, _ body: [UInt8]) -> [UInt8] {
        let head = """
            HTTP/1.1 \(status) \(Self.reason(status))\r
            Content-Type: \(contentType)\r
            Content-Length: \(body.count)\r
            \r

            """
        return Array(head.utf8) + body
    }

    private static func reason(_ status: Int) -> String {
        switch status {
        case 200: "OK"
        case 202: "Accepted"
        case 400: "Bad Request"
        case 403: "Forbidden"
        case 404: "Not Found"
        case 413: "Payload Too Large"
        case 502: "Bad Gateway"
        case 503: "Service Unavailable"
        default: "Error"
        }
    }
}
