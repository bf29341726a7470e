import AsyncHTTPClient
import Events
import Linux
import Metering
import NIOCore
import NIOHTTP1
import Synchronization

/// Sends what events led to outside of the node: posts to web addresses, lines of files.
final class OutsideDelivery: Sendable {
    let client: HTTPClient
    private let directory: String
    /// One line after another.
    private let writing = Mutex(())
    private let isStopped = Atomic(false)

    /// A destination that does not answer within this time is asked again later.
    private static let timeout: TimeAmount = .seconds(30)
    /// Of a reply, what is read at most; nobody looks at it.
    private static let replyBytesMax = 64 << 10

    init(directory: String, group: any EventLoopGroup) throws {
        self.directory = directory
        try Directory.make(directory, permissions: 0o700)
        var configuration = HTTPClient.Configuration()
        // Where a redirect leads, nobody configured.
        configuration.redirectConfiguration = .disallow
        client = HTTPClient(eventLoopGroupProvider: .shared(group), configuration: configuration)
    }

    /// A node that could not start has made it all the same, and a client may not go without being told.
    deinit {
        guard !isStopped.load(ordering: .relaxed) else { return }
        Task { [client] in try? await client.shutdown() }
    }

    func stop() async throws {
        isStopped.store(true, ordering: .relaxed)
        try await client.shutdown()
    }

    func deliver(_ delivery: Delivery) async -> DeliveryOutcome {
        switch delivery.place {
        case .web(let url): await post(delivery, to: url)
        case .file(let name): write(delivery, to: name)
        }
    }

    private func post(_ delivery: Delivery, to url: String) async -> DeliveryOutcome {
        var request = HTTPClientRequest(url: url)
        request.method = .POST
        request.headers.add(name: "Content-Type", value: "application/json")
        // The same at each try, so that the receiver can tell a second one.
        request.headers.add(name: "Idempotency-Key", value: delivery.id.description)
        request.body = .bytes(ByteBuffer(bytes: delivery.body))
        do {
            let response = try await client.execute(request, timeout: Self.timeout)
            _ = try? await response.body.collect(upTo: Self.replyBytesMax)
            switch response.status.code {
            case 200..<300: return .delivered
            // Too early, too many, or it was busy.
            case 408, 425, 429: return .failed(reason: "\(url) answered \(response.status.code)")
            case 400..<500: return .refused(reason: "\(url) answered \(response.status.code)")
            default: return .failed(reason: "\(url) answered \(response.status.code)")
            }
        } catch {
            return .failed(reason: "\(url) could not be reached: \(error)")
        }
    }

    private func write(_ delivery: Delivery, to name: String) -> DeliveryOutcome {
        let path = "\(directory)/\(name).jsonl"
        do throws(SystemError) {
            try writing.withLock { (_) throws(SystemError) in
                let file = try FileDescriptor.open(path, [.readingWriting, .creating], permissions: 0o600)
                let end = try file.size()
                // A node that died while it wrote left a line without an end: what is written now must not become part of it.
                let isTorn = end > 0 ? try file.pread(count: 1, at: end - 1) != [0x0a] : false
                try file.pwrite((isTorn ? [0x0a] : []) + delivery.body + [0x0a], at: end)
                try file.sync()
            }
            return .delivered
        } catch {
            return .failed(reason: "\(path) could not be written: \(error)")
        }
    }
}
