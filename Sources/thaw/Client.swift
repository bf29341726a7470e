import AsyncHTTPClient
import Foundation
import NIOCore
import NIOHTTP1
import NIOPosix

/// A node, as the commands talk to it.
struct Client: Sendable {
    /// Without a slash at the end.
    let url: String
    private let token: String?

    /// Longer than any function may run (15 minutes) and any bundle packs; the node has the closer deadlines.
    private static let timeout: TimeAmount = .hours(2)
    /// Documents of a node: 1000 receipts of 1 KiB are 1 MiB.
    private static let documentBytesMax = 64 << 20
    /// A reply that a function may give.
    static let replyBytesMax = 1 << 30

    /// Lives as long as the process; a node that is not there is told at once, trying again is for servers.
    private static let http: HTTPClient = {
        var configuration = HTTPClient.Configuration()
        configuration.connectionPool.retryConnectionEstablishment = false
        configuration.timeout.connect = .seconds(10)
        return HTTPClient(eventLoopGroupProvider: .singleton, configuration: configuration)
    }()

    /// - Parameter environment: `THAW_URL` and `THAW_TOKEN` are read.
    /// - Throws: ``CommandFailure/badURL(_:)``.
    init(environment: [String: String] = ProcessInfo.processInfo.environment) throws(CommandFailure) {
        var url = environment["THAW_URL"] ?? ""
        if url.isEmpty { url = "http://127.0.0.1:8080" }
        guard let parsed = URL(string: url), ["http", "https"].contains(parsed.scheme), parsed.host?.isEmpty == false
        else { throw .badURL(url) }
        while url.hasSuffix("/") { url.removeLast() }
        self.url = url
        token = environment["THAW_TOKEN"].flatMap { token in
            let trimmed = token.trimmingCharacters(in: .whitespacesAndNewlines)
            return trimmed.isEmpty ? nil : trimmed
        }
    }

    enum Method: String {
        case get = "GET"
        case put = "PUT"
        case post = "POST"
        case delete = "DELETE"
    }

    enum Body {
        case bytes(Data)
        case archive(BundleArchive.Pieces, byteCount: Int)
    }

    /// The beginning of an answer; its body is still to come.
    struct Reply: Sendable {
        let status: Int
        let body: HTTPClientResponse.Body
        private let headers: HTTPHeaders

        fileprivate init(_ response: HTTPClientResponse) {
            status = Int(response.status.code)
            headers = response.headers
            body = response.body
        }

        var isSuccess: Bool { (200..<300).contains(status) }

        func header(_ name: String) -> String? {
            headers.first(name: name)
        }
    }

    /// Sends a request and returns its reply, whatever the status.
    func send(
        _ method: Method,
        _ path: String,
        contentType: String? = nil,
        body: Body? = nil
    ) async throws(CommandFailure) -> Reply {
        var request = HTTPClientRequest(url: url + path)
        request.method = HTTPMethod(rawValue: method.rawValue)
        request.headers.add(name: "User-Agent", value: "thaw")
        if let token { request.headers.add(name: "Authorization", value: "Bearer \(token)") }
        if let contentType { request.headers.add(name: "Content-Type", value: contentType) }
        switch body {
        case nil: break
        case .bytes(let bytes)?: request.body = .bytes(ByteBuffer(bytes: bytes))
        case .archive(let pieces, let byteCount)?: request.body = .stream(pieces, length: .known(Int64(byteCount)))
        }
        do {
            return Reply(try await Self.http.execute(request, timeout: Self.timeout))
        } catch let failure as CommandFailure {
            // Thrown by the body: a file that cannot be read.
            throw failure
        } catch let error as HTTPClientError {
            throw .unreachable(url: url, detail: error.shortDescription)
        } catch {
            throw .unreachable(url: url, detail: Self.detail(of: error))
        }
    }

    /// Sends a request and returns the document that answers it.
    func document(
        _ method: Method,
        _ path: String,
        contentType: String? = nil,
        body: Body? = nil
    ) async throws(CommandFailure) -> Data {
        let reply = try await send(method, path, contentType: contentType, body: body)
        let data = try await collect(reply, bytesMax: Self.documentBytesMax)
        try check(reply, data)
        return data
    }

    /// The whole body of a reply.
    func collect(_ reply: Reply, bytesMax: Int) async throws(CommandFailure) -> Data {
        do {
            return Data(try await reply.body.collect(upTo: bytesMax).readableBytesView)
        } catch {
            throw .unreachable(url: url, detail: "the reply broke off: \(Self.detail(of: error))")
        }
    }

    /// Throws what the node said where the status is not a success.
    func check(_ reply: Reply, _ body: Data) throws(CommandFailure) {
        guard !reply.isSuccess else { return }
        guard let document = try? JSONDecoder().decode(ErrorDocument.self, from: body) else {
            throw .notANode(url: url, detail: "it answered HTTP \(reply.status) without a Thaw error document")
        }
        throw .refused(status: reply.status, message: document.error.message)
    }

    func decode<Value: Decodable>(_: Value.Type, from data: Data) throws(CommandFailure) -> Value {
        do {
            return try JSONDecoder().decode(Value.self, from: data)
        } catch {
            throw .notANode(url: url, detail: "its answer has another form")
        }
    }

    private static func detail(of error: any Error) -> String {
        switch error {
        case let error as NIOConnectionError:
            error.connectionErrors.first.map { detail(of: $0.error) } ?? "no address of \(error.host) answers"
        case let error as IOError:
            error.description.contains("refused") ? "connection refused" : error.description
        default:
            "\(error)"
        }
    }

    private struct ErrorDocument: Decodable {
        struct Detail: Decodable {
            var code: String
            var message: String
        }
        var error: Detail
    }
}

extension String {
    /// One segment of a path; a name that needs no escaping stays as it is.
    var asPathSegment: String {
        addingPercentEncoding(withAllowedCharacters: .alphanumerics.union(CharacterSet(charactersIn: "-._~"))) ?? self
    }
}
