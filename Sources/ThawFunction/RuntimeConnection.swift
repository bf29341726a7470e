import Glibc

/// A connection to the Runtime API over TCP, kept open between calls.
///
/// It blocks: its thread has nothing else to do.
struct RuntimeConnection: ~Copyable {
    private let socket: Int32
    private var arrived: [UInt8] = []
    /// Where in ``arrived`` the next response begins.
    private var start = 0

    /// - Parameter address: host and port, such as `127.0.0.1:9001`.
    init(address: String) throws(RuntimeAPIError) {
        socket = try Self.connected(address)
    }

    /// Takes over a connected socket.
    init(owning socket: Int32) {
        self.socket = socket
    }

    private static func connected(_ address: String) throws(RuntimeAPIError) -> Int32 {
        guard let colon = address.lastIndex(of: ":") else {
            throw RuntimeAPIError("AWS_LAMBDA_RUNTIME_API should be host:port, got \(address)")
        }
        var hints = unsafe addrinfo()
        unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
        var found: UnsafeMutablePointer<addrinfo>?
        let port = String(address[address.index(after: colon)...])
        guard unsafe getaddrinfo(String(address[..<colon]), port, &hints, &found) == 0, let first = unsafe found else {
            throw RuntimeAPIError("the address \(address) of the Runtime API is not known")
        }
        defer { unsafe freeaddrinfo(first) }
        let entry = unsafe first.pointee
        let kind = unsafe entry.ai_socktype | Int32(SOCK_CLOEXEC.rawValue)
        let socket = unsafe Glibc.socket(entry.ai_family, kind, entry.ai_protocol)
        guard socket >= 0 else { throw RuntimeAPIError("no socket for the Runtime API: \(reason())") }
        guard unsafe connect(socket, entry.ai_addr, entry.ai_addrlen) == 0 else {
            let why = reason()
            close(socket)
            throw RuntimeAPIError("no connection to the Runtime API at \(address): \(why)")
        }
        // A reply is one write, or one for each piece of it; none waits for the next to fill a packet.
        var enabled: Int32 = 1
        _ = unsafe setsockopt(socket, Int32(IPPROTO_TCP), TCP_NODELAY, &enabled, socklen_t(MemoryLayout<Int32>.size))
        return socket
    }

    deinit {
        close(socket)
    }

    /// Sends all of it.
    func send(_ bytes: [UInt8]) throws(RuntimeAPIError) {
        var sent = 0
        while sent < bytes.count {
            let count = unsafe bytes.withUnsafeBytes { buffer in
                let rest = unsafe UnsafeRawBufferPointer(rebasing: buffer[sent...])
                return unsafe Glibc.send(socket, rest.baseAddress, rest.count, Int32(MSG_NOSIGNAL))
            }
            if count >= 0 {
                sent += count
            } else if errno != EINTR {
                throw RuntimeAPIError("the Runtime API takes no more: \(Self.reason())")
            }
        }
    }

    /// Waits for one response: its head and body.
    mutating func receive() throws(RuntimeAPIError) -> (head: ResponseHead, body: [UInt8]) {
        let lines = try line(endingIn: Array("\r\n\r\n".utf8), countMax: ResponseHead.bytesMax)
        let head = try ResponseHead(parsing: lines)
        switch head.framing {
        case .length(let count):
            return (head, try take(count))
        case .chunked:
            var body: [UInt8] = []
            while true {
                let count = try ResponseHead.chunkCount(try line(endingIn: Array("\r\n".utf8), countMax: 1024))
                guard body.count + count <= ResponseHead.bodyBytesMax else {
                    throw RuntimeAPIError("the body of the response does not end")
                }
                if count == 0 { break }
                body += try take(count)
                _ = try line(endingIn: Array("\r\n".utf8), countMax: 2)
            }
            // Trailers, which nobody sends us, and the empty line.
            while try !line(endingIn: Array("\r\n".utf8), countMax: ResponseHead.bytesMax).isEmpty {}
            return (head, body)
        }
    }

    /// What comes before `end`, which is taken too.
    private mutating func line(endingIn end: [UInt8], countMax: Int) throws(RuntimeAPIError) -> [UInt8] {
        var searched = start
        while true {
            if let found = arrived[searched...].firstIndex(of: end) {
                defer { start = found + end.count }
                return Array(arrived[start..<found])
            }
            guard arrived.count - start <= countMax + end.count else {
                throw RuntimeAPIError("a line of the response does not end within \(countMax) bytes")
            }
            let before = start
            // An end may have arrived in half.
            searched = max(start, arrived.count - end.count + 1)
            try fill()
            searched -= before - start
        }
    }

    private mutating func take(_ count: Int) throws(RuntimeAPIError) -> [UInt8] {
        while arrived.count - start < count {
            try fill()
        }
        defer { start += count }
        return Array(arrived[start..<start + count])
    }

    /// Reads what is there, at least a byte.
    private mutating func fill() throws(RuntimeAPIError) {
        if start == arrived.count {
            arrived.removeAll(keepingCapacity: true)
            start = 0
        }
        let before = arrived.count
        arrived.append(contentsOf: repeatElement(0, count: Self.readBytes))
        var count = -1
        repeat {
            count = unsafe arrived.withUnsafeMutableBytes { buffer in
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: buffer[before...])
                return unsafe recv(socket, room.baseAddress, room.count, 0)
            }
        } while count < 0 && errno == EINTR
        let why = count < 0 ? Self.reason() : "it hung up"
        arrived.removeLast(Self.readBytes - max(count, 0))
        guard count > 0 else { throw RuntimeAPIError("the Runtime API sends no more: \(why)") }
    }

    private static func reason() -> String {
        unsafe String(cString: strerror(errno))
    }

    /// A call with its headers is one read, mostly.
    private static let readBytes = 64 * 1024
}

extension ArraySlice<UInt8> {
    /// Where `pattern` begins.
    fileprivate func firstIndex(of pattern: [UInt8]) -> Int? {
        guard count >= pattern.count else { return nil }
        return (startIndex...endIndex - pattern.count).first { start in
            self[start..<start + pattern.count].elementsEqual(pattern)
        }
    }
}
