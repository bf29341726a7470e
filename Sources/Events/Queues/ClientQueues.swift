package import ControlPlane
import FoundationEssentials
package import Logging
package import NIOCore
package import Queues
import Synchronization

/// Queues that clients make, as the queue API has them: what a request asks for is done, and its reply made.
package final class ClientQueues: Sendable {
    package let store: MessageStore
    let account: LambdaAccount
    let loop: any EventLoop
    let logger: Logger
    let unixMilliseconds: @Sendable () -> Int64
    let moves = Mutex<[MoveTask]>([])

    package init(
        store: MessageStore,
        account: LambdaAccount,
        loop: any EventLoop,
        logger: Logger,
        unixMilliseconds: @escaping @Sendable () -> Int64 = { Int64(Date.now.timeIntervalSince1970 * 1000) }
    ) {
        self.store = store
        self.account = account
        self.loop = loop
        self.logger = logger
        self.unixMilliseconds = unixMilliseconds
    }

    /// Does one operation.
    ///
    /// - Parameters:
    ///   - name: as in `AmazonSQS.SendMessage`, without what is before the point.
    ///   - origin: `http://HOST:PORT`, for the addresses of queues.
    /// - Returns: nil where the reply has no body.
    package func perform(
        _ name: String,
        _ request: JSONValue,
        origin: String
    ) async throws(ClientQueueError) -> JSONValue? {
        switch name {
        case "CreateQueue": try await create(request, origin)
        case "GetQueueUrl":
            ["QueueUrl": .text(url(try await queue(named: try Self.text(request, "QueueName")), origin))]
        case "ListQueues": try await list(request, origin)
        case "DeleteQueue": try await silently { try await store.delete(try await queue(request)) }
        case "PurgeQueue": try await silently { try await store.purge(try await queue(request)) }
        case "GetQueueAttributes": try await attributes(request)
        case "SetQueueAttributes": try await setAttributes(request)
        case "TagQueue", "UntagQueue": try await tag(request)
        case "ListQueueTags": ["Tags": .texts(try await queue(request).settings.tags)]
        // Who may use a queue is not told apart here: whoever may ask this node may use all.
        case "AddPermission", "RemovePermission": try await silently { _ = try await queue(request) }
        case "SendMessage": try await send(request)
        case "SendMessageBatch": try await sendBatch(request)
        case "ReceiveMessage": try await receive(request)
        case "DeleteMessage": try await delete(request)
        case "DeleteMessageBatch":
            try await batch(request) { (queue, entry) throws(ClientQueueError) in
                try await delete(entry, of: queue)
                return [:]
            }
        case "ChangeMessageVisibility": try await silently { try await hold(request, of: try await queue(request)) }
        case "ChangeMessageVisibilityBatch":
            try await batch(request) { (queue, entry) throws(ClientQueueError) in
                try await hold(entry, of: queue)
                return [:]
            }
        case "ListDeadLetterSourceQueues": try await sources(request, origin)
        case "StartMessageMoveTask": try await startMove(request)
        case "ListMessageMoveTasks": try listMoves(request)
        case "CancelMessageMoveTask": try cancelMove(request)
        default: throw .unknownOperation(name)
        }
    }

    // MARK: Queues

    func url(_ queue: StoredQueue, _ origin: String) -> String { "\(origin)/\(account.id)/\(queue.address.name)" }

    package func arn(_ name: String) -> String { "arn:aws:sqs:\(account.region):\(account.id):\(name)" }

    func queue(_ request: JSONValue) async throws(ClientQueueError) -> StoredQueue {
        let url = try Self.text(request, "QueueUrl")
        return try await queue(named: String(url.split(separator: "/").last ?? ""))
    }

    func queue(named name: String) async throws(ClientQueueError) -> StoredQueue {
        guard
            let queue = try await stored({ () async throws(QueueError) in
                try await store.queue(MessageAddress(.client, name))
            })
        else { throw .noSuchQueue }
        return queue
    }

    private func create(_ request: JSONValue, _ origin: String) async throws(ClientQueueError) -> JSONValue {
        let name = try Self.text(request, "QueueName")
        let bare = name.hasSuffix(".fifo") ? name.dropLast(5) : name[...]
        guard (1...80).contains(name.utf8.count), !bare.isEmpty, bare.utf8.allSatisfy(Self.isNameByte) else {
            throw .badParameter("Can only include alphanumeric characters, hyphens, or underscores. 1 to 80 in length")
        }
        let said = Self.texts(request["Attributes"])
        var settings = try ClientQueueSettings.read(said, name: name, before: nil)
        settings.tags = Self.texts(request["tags"])
        let (wanted, now) = (settings, unixMilliseconds())
        let made = try await stored { () async throws(QueueError) in
            try await store.makeQueue(MessageAddress(.client, name), wanted, now: now)
        }
        // One that is there is as good where it does not differ in what was said.
        let known = ClientQueueSettings.document(made, QueueDepth(count: 0, inFlight: 0, delayed: 0), arn: "")
        if let differing = said.sorted(by: { $0.key < $1.key }).first(where: { known[$0.key] != $0.value }) {
            throw .exists(differing.key)
        }
        return ["QueueUrl": .text(url(made, origin))]
    }

    private func list(_ request: JSONValue, _ origin: String) async throws(ClientQueueError) -> JSONValue {
        let prefix = request["QueueNamePrefix"]?.text ?? ""
        let all = try await stored { () async throws(QueueError) in try await store.queues(.client) }
            .filter { $0.address.name.hasPrefix(prefix) && $0.address.name > (request["NextToken"]?.text ?? "") }
        let page = all.prefix(request["MaxResults"]?.integer ?? 1000)
        guard !page.isEmpty else { return [:] }
        return .present([
            "QueueUrls": .texts(page.map { url($0, origin) }),
            "NextToken": page.count < all.count ? page.last.map { .text($0.address.name) } : nil,
        ])
    }

    private func attributes(_ request: JSONValue) async throws(ClientQueueError) -> JSONValue {
        let queue = try await queue(request)
        let now = unixMilliseconds()
        let depth = try await stored { () async throws(QueueError) in try await store.measure(queue, now: now) }
        let all = ClientQueueSettings.document(queue, depth, arn: arn(queue.address.name))
        let names = (request["AttributeNames"]?.elements ?? []).compactMap(\.text)
        return ["Attributes": .texts(names.contains("All") ? all : all.filter { names.contains($0.key) })]
    }

    private func setAttributes(_ request: JSONValue) async throws(ClientQueueError) -> JSONValue? {
        let queue = try await queue(request)
        let settings = try ClientQueueSettings.read(
            Self.texts(request["Attributes"]),
            name: queue.address.name,
            before: queue.settings
        )
        let now = unixMilliseconds()
        return try await silently { try await store.change(queue, settings, now: now) }
    }

    private func tag(_ request: JSONValue) async throws(ClientQueueError) -> JSONValue? {
        let queue = try await queue(request)
        var settings = queue.settings
        settings.tags.merge(Self.texts(request["Tags"])) { $1 }
        for key in (request["TagKeys"]?.elements ?? []).compactMap(\.text) { settings.tags[key] = nil }
        let (changed, now) = (settings, unixMilliseconds())
        return try await silently { try await store.change(queue, changed, now: now) }
    }

    private func sources(_ request: JSONValue, _ origin: String) async throws(ClientQueueError) -> JSONValue {
        let letters = try await queue(request).address.name
        let all = try await stored { () async throws(QueueError) in try await store.queues(.client) }
        return ["queueUrls": .texts(all.filter { $0.settings.deadLetters == letters }.map { url($0, origin) })]
    }

    // MARK: Reading requests

    static func text(_ request: JSONValue, _ name: String) throws(ClientQueueError) -> String {
        guard let text = request[name]?.text, !text.isEmpty else { throw .missing(name) }
        return text
    }

    static func texts(_ value: JSONValue?) -> [String: String] { (value?.members ?? [:]).compactMapValues(\.text) }

    static func isNameByte(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5a, 0x61...0x7a, 0x2d, 0x5f: true
        default: false
        }
    }

    func stored<Value>(
        _ body: () async throws(QueueError) -> Value
    ) async throws(ClientQueueError) -> Value {
        do throws(QueueError) {
            return try await body()
        } catch {
            throw .storage(error.description)
        }
    }

    /// For operations whose replies are empty.
    func silently(_ body: () async throws -> Void) async throws(ClientQueueError) -> JSONValue? {
        do {
            try await body()
            return nil
        } catch let error as ClientQueueError {
            throw error
        } catch {
            throw .storage("\(error)")
        }
    }
}
