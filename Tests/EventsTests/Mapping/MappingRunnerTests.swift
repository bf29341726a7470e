import ControlPlane
import Logging
import Synchronization
import Testing

@testable import Events

/// The runner against a source that lies in memory, without a clock: every wait is over at once.
struct MappingRunnerTests {
    @Test func `a queue's records come in batches, and those that failed come again`() async {
        let world = World(isStream: false, count: 25)
        world.answer = { records, _ in
            let bad = records.filter { $0 % 10 == 3 && world.deliveries($0) < 3 }
            let ids = bad.map { #"{"itemIdentifier":"\#($0)"}"# }.joined(separator: ",")
            return .succeeded(body: Array(#"{"batchItemFailures":[\#(ids)]}"#.utf8))
        }
        await world.run(["BatchSize": 10, "FunctionResponseTypes": .array(["ReportBatchItemFailures"])])
        #expect(world.settled.sorted() == Array(0..<25))
        #expect(world.deliveries(3) == 3 && world.deliveries(13) == 3 && world.deliveries(4) == 1)
    }

    @Test func `a stream's records are done in order, a poison one is given up and told`() async {
        let world = World(isStream: true, count: 20)
        world.answer = { records, _ in records.contains(7) ? .failed(body: []) : .succeeded(body: []) }
        await world.run([
            "BatchSize": 8, "MaximumRetryAttempts": 2, "BisectBatchOnFunctionError": true,
            "DestinationConfig": ["OnFailure": ["Destination": "d"]],
        ])
        #expect(world.settled == Array(0..<20))
        #expect(world.givenUp == [7])
        #expect(world.done == Array(0..<20).filter { $0 != 7 })
    }

    @Test func `what cannot run now is no failure of the records`() async {
        let world = World(isStream: true, count: 4)
        let refusals = Mutex(5)
        world.answer = { _, _ in
            refusals.withLock { left in
                left -= 1
                return left >= 0 ? .throttled : .succeeded(body: [])
            }
        }
        await world.run(["BatchSize": 4, "MaximumRetryAttempts": 0])
        #expect(world.givenUp.isEmpty)
        #expect(world.done == [0, 1, 2, 3])
    }

    @Test func `a source that goes away is opened again, and nothing is lost`() async {
        let world = World(isStream: false, count: 30)
        world.failsEvery = 4
        world.answer = { _, _ in .succeeded(body: []) }
        await world.run(["BatchSize": 3])
        #expect(world.settled.sorted() == Array(0..<30))
        #expect(world.opens > 1)
    }

    @Test func `what the filter drops is settled without a call`() async {
        let world = World(isStream: false, count: 10)
        world.answer = { _, _ in .succeeded(body: []) }
        await world.run([
            "BatchSize": 2,
            "FilterCriteria": ["Filters": .array([["Pattern": #"{"number":[{"numeric":["<",4]}]}"#]])],
        ])
        #expect(world.done.sorted() == [0, 1, 2, 3])
        #expect(world.settled.sorted() == Array(0..<10))
    }

    @Test func `what the filter drops behind a stream's batch is settled with it: its broker may wait for that`() async
    {
        let world = World(isStream: true, count: 10)
        world.answer = { _, _ in .succeeded(body: []) }
        await world.run([
            "BatchSize": 8,
            "FilterCriteria": ["Filters": .array([["Pattern": #"{"number":[{"numeric":["<",1]}]}"#]])],
        ])
        #expect(world.done == [0])
        #expect(world.settled == Array(0..<10))
    }

    @Test func `a queue's record that failed as often as it may is told, and settled`() async {
        let world = World(isStream: false, count: 3)
        world.answer = { records, _ in records.contains(1) ? .failed(body: []) : .succeeded(body: []) }
        await world.run(["BatchSize": 1, "MaximumRetryAttempts": 2])
        #expect(world.settled.sorted() == [0, 1, 2])
        #expect(world.givenUp == [1])
        #expect(world.deliveries(1) == 3)
    }

    @Test func `what is told of records that are given up has the shape that failures of streams have`() throws {
        let record = SourceRecord(
            id: "7",
            document: ["number": 7],
            byteCount: 1,
            acceptedUnixMilliseconds: 0,
            handle: "7"
        )
        let given = MappingRunner.GivenUp(
            records: [record],
            condition: "RetryAttemptsExhausted",
            attempts: 3,
            outcome: .failed(body: [])
        )
        let document = given.document(source: "redis://host/0", functionARN: "arn")
        let time = try #require(document["timestamp"]?.text)
        #expect(try /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/.wholeMatch(in: time) != nil, "\(time)")
        #expect(document["requestContext"]?["approximateInvokeCount"]?.integer == 3)
        #expect(document["responseContext"]?["functionError"]?.text == "Unhandled")
        #expect(document["records"]?.elements == [["number": 7]])
    }

    @Test func `a pattern that is none ends the runner with a reason`() async {
        let world = World(isStream: false, count: 1)
        await world.run(["FilterCriteria": ["Filters": .array([["Pattern": "["]])]])
        #expect(world.status?.lastResult == "PROBLEM: Invalid filter pattern definition: $ is not JSON.")
    }
}

/// A source with numbered records, a function that answers as it is told, and no clock.
private final class World: EventSource, @unchecked Sendable {  // Safe: everything that changes is behind the lock.
    let kind: SourceKind
    private let state: Mutex<State>
    /// Set before the run.
    var answer: @Sendable (_ records: [Int], _ attempt: Int) -> EventOutcome = { _, _ in .succeeded(body: []) }
    var failsEvery = Int.max

    private struct State {
        var waiting: [Int]
        var outside: Set<Int> = []
        var deliveries: [Int: Int] = [:]
        var settled: [Int] = []
        var done: [Int] = []
        var givenUp: [Int] = []
        var opens = 0
        var takes = 0
        var task: Task<Void, Never>?
        var status: MappingRunner.Status?
    }

    init(isStream: Bool, count: Int) {
        kind = SourceKind(name: "test", isStream: isStream, payloadKey: "body")
        state = Mutex(State(waiting: Array(0..<count)))
    }

    var settled: [Int] { state.withLock { $0.settled } }
    var done: [Int] { state.withLock { $0.done } }
    var givenUp: [Int] { state.withLock { $0.givenUp } }
    var opens: Int { state.withLock { $0.opens } }
    var status: MappingRunner.Status? { state.withLock { $0.status } }
    func deliveries(_ number: Int) -> Int { state.withLock { $0.deliveries[number, default: 0] } }

    /// Until every record is settled, or the runner ends by itself.
    func run(_ settings: [String: JSONValue]) async {
        let runner = MappingRunner(
            settings: { kind throws(FilterPatternError) in try MappingSettings(settings, kind: kind) },
            in: MappingRunner.Surroundings(
                open: { () async throws(SourceError) in
                    self.state.withLock { state in
                        state.opens += 1
                        // What nobody settled comes again.
                        state.waiting = (state.waiting + state.outside).sorted()
                        state.outside = []
                    }
                    return self
                },
                call: { event, attempt in
                    let numbers = JSONValue(parsing: event)?["Records"]?.elements?.compactMap { $0["number"]?.integer }
                    let outcome = self.answer(numbers ?? [], attempt)
                    if case .succeeded = outcome { self.state.withLock { $0.done += numbers ?? [] } }
                    return outcome
                },
                giveUp: { given in
                    self.state.withLock { $0.givenUp += given.records.compactMap { Int($0.id) } }
                    return true
                },
                pause: { _ in await Task.yield() },
                unixMilliseconds: { 0 },
                logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
            )
        )
        let task = Task { await runner.run() }
        state.withLock { $0.task = task }
        await task.value
        state.withLock { $0.status = runner.status }
    }

    func take(_ countMax: Int, waitMilliseconds: Int64?) async throws(SourceError) -> [SourceRecord] {
        let taken: [SourceRecord]? = state.withLock { state in
            state.takes += 1
            guard state.takes % failsEvery != 0 else { return nil }
            let numbers = Array(state.waiting.prefix(countMax))
            state.waiting.removeFirst(numbers.count)
            state.outside.formUnion(numbers)
            return numbers.map { number in
                state.deliveries[number, default: 0] += 1
                return SourceRecord(
                    id: "\(number)",
                    document: ["number": .integer(number)],
                    byteCount: 10,
                    acceptedUnixMilliseconds: 0,
                    deliveryCount: state.deliveries[number] ?? 0,
                    handle: "\(number)"
                )
            }
        }
        guard let taken else { throw SourceError("it went away") }
        if taken.isEmpty { await Task.yield() }
        return taken
    }

    func settle(_ records: [SourceRecord]) async throws(SourceError) {
        let task = state.withLock { state -> Task<Void, Never>? in
            let numbers = records.compactMap { Int($0.handle) }
            state.settled += numbers
            state.outside.subtract(numbers)
            return state.waiting.isEmpty && state.outside.isEmpty ? state.task : nil
        }
        task?.cancel()
    }

    func putBack(_ records: [SourceRecord], afterMilliseconds: Int64) async throws(SourceError) {
        state.withLock { state in
            let numbers = records.compactMap { Int($0.handle) }
            state.outside.subtract(numbers)
            state.waiting += numbers
        }
    }

    func lag() async -> Int? { state.withLock { $0.waiting.count } }
    func close() async {}
}
