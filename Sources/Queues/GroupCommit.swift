import GRDB
import Linux
import Synchronization

/// Joins what many ask for at once into one transaction: while one is being written to the disk, the next collects.
///
/// One waiter costs one wait for the disk, and so do a thousand.
final class GroupCommit: Sendable {
    private let database: DatabaseQueue
    private let state: Mutex<State>
    /// Only on the database's own queue.
    private let rows: MessageRowsBox

    private struct State {
        var pending: [Operation] = []
        var isWriting = false
    }

    /// Something to be done within a transaction, and whom to tell when it is on the disk.
    struct Operation: Sendable {
        /// - Returns: called after the commit.
        let run: @Sendable (MessageRows) throws -> (@Sendable () -> Void)
        let fail: @Sendable (QueueError) -> Void
    }

    /// Operations of one transaction: some thousand rows are half a megabyte of the log, which the disk takes in a few
    /// milliseconds; more would only let the first of them wait.
    private static let operationsMax = 2048

    init(_ database: DatabaseQueue, depths: [Int64: Int]) {
        self.database = database
        state = Mutex(State())
        rows = MessageRowsBox(depths)
    }

    func add(_ operation: Operation) {
        let mustStart = state.withLock { state in
            state.pending.append(operation)
            defer { state.isWriting = true }
            return !state.isWriting
        }
        if mustStart { write() }
    }

    private func write() {
        database.asyncWriteWithoutTransaction { [self] database in
            while let batch = take() { commit(batch[...], database) }
        }
    }

    private func take() -> [Operation]? {
        state.withLock { state in
            guard !state.pending.isEmpty else {
                state.isWriting = false
                return nil
            }
            let batch = Array(state.pending.prefix(Self.operationsMax))
            state.pending.removeFirst(batch.count)
            return batch
        }
    }

    private func commit(_ batch: ArraySlice<Operation>, _ database: Database) {
        let before = rows.depths
        var told: [@Sendable () -> Void] = []
        told.reserveCapacity(batch.count)
        do {
            KillPoint.pass("commit.begin")
            try database.inTransaction(.immediate) {
                for operation in batch { told.append(try operation.run(MessageRows(database, rows))) }
                KillPoint.pass("commit.before")
                return .commit
            }
            KillPoint.pass("commit.after")
        } catch {
            rows.depths = before
            // One that this transaction made is not there.
            rows.forgetQueues()
            guard batch.count == 1 else {
                // One of them, or all: each by itself, so that none fails for another's sake.
                for index in batch.indices { commit(batch[index...index], database) }
                return
            }
            for operation in batch { operation.fail(.storage("\(error)")) }
            return
        }
        for tell in told { tell() }
    }
}

/// What is known of the rows without asking; only the writer looks.
final class MessageRowsBox: Sendable {
    private let state: Mutex<State>

    private struct State {
        var depths: [Int64: Int]
        var queues: [MessageAddress: StoredQueue] = [:]
    }

    init(_ depths: [Int64: Int]) {
        state = Mutex(State(depths: depths))
    }

    /// Messages by queue.
    var depths: [Int64: Int] {
        get { state.withLock { $0.depths } }
        set { state.withLock { $0.depths = newValue } }
    }

    func depth(_ queue: Int64) -> Int { state.withLock { $0.depths[queue, default: 0] } }

    func add(_ count: Int, to queue: Int64) { state.withLock { $0.depths[queue, default: 0] += count } }

    func empty(_ queue: Int64) { state.withLock { $0.depths[queue] = nil } }

    /// Queues by their names, as they were last written.
    func queue(_ address: MessageAddress) -> StoredQueue? { state.withLock { $0.queues[address] } }

    func remember(_ queue: StoredQueue) { state.withLock { $0.queues[queue.address] = queue } }

    func forget(_ address: MessageAddress) { state.withLock { $0.queues[address] = nil } }

    func forgetQueues() { state.withLock { $0.queues = [:] } }
}
