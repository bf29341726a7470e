import ControlPlane
import Queues
import Synchronization

/// Dead letters on their way back.
struct MoveTask: Sendable {
    let handle: String
    let source: String
    let destination: String?
    let ratePerSecondMax: Int?
    let startedUnixMilliseconds: Int64
    let total: Int
    var moved = 0
    var status = Status.running
    var failure: String?

    enum Status: String {
        case running = "RUNNING"
        case completed = "COMPLETED"
        case cancelling = "CANCELLING"
        case cancelled = "CANCELLED"
        case failed = "FAILED"
    }
}

extension ClientQueues {
    /// Moved in one step on the disk: between two of them others get theirs.
    private static let moveCount = 500
    /// What is told of tasks that have ended.
    private static let movesKept = 100

    func startMove(_ request: JSONValue) async throws(ClientQueueError) -> JSONValue {
        let arn = try Self.text(request, "SourceArn")
        let name = ClientMessage.queueName(arn: arn) ?? ""
        let source = try await queue(named: name)
        let all = try await stored { () async throws(QueueError) in try await store.queues(.client) }
        guard all.contains(where: { $0.settings.deadLetters == name }) else {
            throw .badParameter("Source queue must be configured as a Dead Letter Queue.")
        }
        var destination: MessageAddress?
        if let target = request["DestinationArn"]?.text {
            destination = try await queue(named: ClientMessage.queueName(arn: target) ?? "").address
        }
        let now = unixMilliseconds()
        let depth = try await stored { () async throws(QueueError) in try await store.measure(source, now: now) }
        let task = MoveTask(
            handle: MessageHandle(sequence: Int64.random(in: 1...Int64.max), claim: Int64.random(in: 1...Int64.max))
                .text,
            source: arn,
            destination: request["DestinationArn"]?.text,
            ratePerSecondMax: request["MaxNumberOfMessagesPerSecond"]?.integer,
            startedUnixMilliseconds: now,
            total: depth.count
        )
        let isBusy = moves.withLock { moves in
            guard !moves.contains(where: { $0.source == arn && $0.status == .running }) else { return true }
            moves.append(task)
            if moves.count > Self.movesKept { moves.removeFirst() }
            return false
        }
        if isBusy {
            throw .unsupported(
                "There is already a task running. Only one active task is allowed for a source queue arn at a given time."
            )
        }
        let to = destination
        Task { await move(task, from: source, to: to) }
        return ["TaskHandle": .text(task.handle)]
    }

    private func move(_ task: MoveTask, from source: StoredQueue, to destination: MessageAddress?) async {
        let step = min(task.ratePerSecondMax.map { max($0, 1) } ?? Self.moveCount, Self.moveCount)
        var left = task.total
        while left > 0 {
            guard change(task.handle, { $0.status == .running }) else {
                _ = change(task.handle) { task in
                    task.status = .cancelled
                    return true
                }
                return
            }
            do throws(QueueError) {
                let count = min(step, left)
                let moved = try await store.redrive(source, to: destination, countMax: count, now: unixMilliseconds())
                left -= moved
                _ = change(task.handle) { task in
                    task.moved += moved
                    return true
                }
                if moved < count { break }
            } catch {
                _ = change(task.handle) { task in
                    (task.status, task.failure) = (.failed, error.description)
                    return true
                }
                return
            }
            if task.ratePerSecondMax != nil { await LoopWait().wait(milliseconds: 1000, on: loop) }
        }
        _ = change(task.handle) { task in
            task.status = .completed
            return true
        }
    }

    private func change(_ handle: String, _ body: (inout MoveTask) -> Bool) -> Bool {
        moves.withLock { moves in
            guard let index = moves.firstIndex(where: { $0.handle == handle }) else { return false }
            return body(&moves[index])
        }
    }

    func listMoves(_ request: JSONValue) throws(ClientQueueError) -> JSONValue {
        let arn = try Self.text(request, "SourceArn")
        let found = moves.withLock { $0 }.filter { $0.source == arn }.reversed().prefix(
            request["MaxResults"]?.integer ?? 1
        )
        return [
            "Results": .array(
                found.map { task in
                    .present([
                        "TaskHandle": task.status == .running ? .text(task.handle) : nil,
                        "Status": .text(task.status.rawValue),
                        "SourceArn": .text(task.source),
                        "DestinationArn": task.destination.map { .text($0) },
                        "MaxNumberOfMessagesPerSecond": task.ratePerSecondMax.map { .integer($0) },
                        "ApproximateNumberOfMessagesMoved": .integer(task.moved),
                        "ApproximateNumberOfMessagesToMove": .integer(task.total),
                        "FailureReason": task.failure.map { .text($0) },
                        "StartedTimestamp": .integer(Int(task.startedUnixMilliseconds)),
                    ])
                }
            )
        ]
    }

    func cancelMove(_ request: JSONValue) throws(ClientQueueError) -> JSONValue {
        let handle = try Self.text(request, "TaskHandle")
        let moved = moves.withLock { moves -> Int? in
            guard let index = moves.firstIndex(where: { $0.handle == handle && $0.status == .running }) else {
                return nil
            }
            moves[index].status = .cancelling
            return moves[index].moved
        }
        guard let moved else { throw .noSuchTask("Task does not exist.") }
        return ["ApproximateNumberOfMessagesMoved": .integer(moved)]
    }
}
