import ArgumentParser
import Foundation
import GRDB
import Metering
import Queues
import Trials

/// What it costs to accept a call that nobody waits for, and how soon and how fast such calls run.
struct EventsBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events",
        abstract: "Events accepted a second, the time from acceptance to a run, and how fast a long queue drains.",
        discussion: """
            Rows: accepted per second (1/s, durable: each waiter goes on when its message is on the disk), against raw SQLite \
            writing the same rows in one transaction for as many as wait; accept to start p50 (ms, from the request to the start \
            of the run, on an idle node with a warm worker), against one commit of one row; drain per second (1/s, --queued events \
            of a function that echoes, by a node), against the accepted row; drain memory (MB, the scheduler's resident memory \
            at its highest while it drains), against the same after a tenth of them.
            """
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: "Messages for the first row.")
    var messages = 100_000

    @Option(help: "Clients that wait at a time, in the first row.")
    var waiters = 1024

    @Option(help: "Calls for the second row.")
    var calls = 200

    @Option(help: "Events that wait when the draining node starts.")
    var queued = 1_000_000

    private static let body = Array(#"{"order": 1234567, "item": "a thing of some sort", "count": 2}"#.utf8)

    func run() async throws {
        var misses = Misses()
        var accepted = 0.0
        await misses.attempt("accepted per second") {
            var (best, floor) = (0.0, 0.0)
            // In turn, so that both meet the same machine.
            for _ in 0..<3 {
                floor = max(floor, try Self.raw(messages, batch: waiters))
                best = max(best, try await publish(messages))
            }
            accepted = best
            try Figure(
                name: "accepted per second",
                value: best,
                unit: "1/s",
                against: "raw SQLite, \(waiters) rows a transaction",
                againstValue: floor
            ).show(json: json)
        }
        await misses.attempt("accept to start p50") { try await acceptToStart() }
        await misses.attempt("drain per second") { try await drain(accepted) }
        try misses.check()
    }

    private static func withFolder<Value>(_ body: (String) async throws -> Value) async throws -> Value {
        let folder = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        return try await body(folder)
    }

    private static func seconds(since start: ContinuousClock.Instant) -> Double {
        let passed = ContinuousClock.now - start
        return Double(passed.components.seconds) + Double(passed.components.attoseconds) / 1e18
    }

    // MARK: Accepting

    /// Messages accepted a second, each by a waiter of its own.
    private func publish(_ count: Int) async throws -> Double {
        try await Self.withFolder { folder in
            let store = try MessageStore(path: folder + "/events.sqlite")
            let start = ContinuousClock.now
            let each = count / waiters
            try await withThrowingTaskGroup(of: Void.self) { group in
                for _ in 0..<waiters {
                    group.addTask {
                        for _ in 0..<each {
                            let draft = MessageDraft(
                                body: Self.body,
                                attributes: #"{"contentType":"application/json"}"#
                            )
                            _ = try await store.publish(
                                draft,
                                to: MessageAddress(.function, "f"),
                                isClaimed: false,
                                now: 1_700_000_000_000
                            )
                        }
                    }
                }
                try await group.waitForAll()
            }
            return Double(each * waiters) / Self.seconds(since: start)
        }
    }

    /// The same rows in the same tables, by SQLite alone.
    private static func raw(_ count: Int, batch: Int) throws -> Double {
        let folder = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        // The store makes the tables, and lets go of them.
        do { _ = try MessageStore(path: folder + "/events.sqlite") }
        var configuration = Configuration()
        configuration.journalMode = .wal
        configuration.prepareDatabase { try $0.execute(sql: "PRAGMA synchronous = FULL") }
        let queue = try DatabaseQueue(path: folder + "/events.sqlite", configuration: configuration)
        let start = ContinuousClock.now
        for _ in 0..<(count / batch) {
            try queue.write { database in
                for _ in 0..<batch {
                    let insert = try BoundStatement(
                        """
                        INSERT INTO messages (
                            queue, id, body, attributes, groupKey, isBehind, acceptedUnixMilliseconds,
                            visibleUnixMilliseconds, claim, attempts, throttles
                        ) VALUES (1, ?, ?, ?, NULL, 0, ?, ?, 0, 0, 0)
                        """,
                        database
                    )
                    insert.bind(InvocationID.generated().description, 1)
                    insert.bind(body, 2)
                    insert.bind(#"{"contentType":"application/json"}"#, 3)
                    insert.bind(Int64(1_700_000_000_000), 4)
                    insert.bind(Int64(1_700_000_000_000), 5)
                    try insert.run()
                }
            }
        }
        return Double(count / batch * batch) / seconds(since: start)
    }

    // MARK: Running

    private func acceptToStart() async throws {
        let node = try await TrialNode(programs: Programs.directory)
        defer { node.removeData() }
        try await node.deploy(code: "echo", "name: echo\n", [:])
        for _ in 0..<20 { _ = try await node.invoke("echo", "{}") }
        var sent: [(id: InvocationID, unixNanoseconds: UInt64)] = []
        for _ in 0..<calls {
            let now = UInt64(Date.now.timeIntervalSince1970 * 1e9)
            let answer = try await node.request("POST", "/events?function=echo", body: Data(Self.body))
            struct Accepted: Decodable { var id: String }
            let id = try JSONDecoder().decode(Accepted.self, from: answer.body).id
            if let id = InvocationID(id) { sent.append((id, now)) }
            // The node is idle when the next one comes.
            _ = try await node.until(seconds: 10, everyMilliseconds: 2) {
                try await $0.request("GET", "/events/\(id)").text.contains(#""state":"done""#)
            }
        }
        _ = try await node.until(seconds: 30) {
            EventsCrash.isDrained(try await $0.request("GET", "/events").text)
        }
        await node.stop()
        let ledger = try Ledger(directory: node.dataDirectory, node: "bench")
        var times: [Double] = []
        for (id, begun) in sent {
            guard let receipt = try await ledger.attempts(of: id).first else { continue }
            let started = receipt.acceptedUnixNanoseconds + receipt.queueNanoseconds + receipt.bindNanoseconds
            times.append(Double(Int64(started) - Int64(begun)) / 1e6)
        }
        try await ledger.close()
        guard times.count == calls else { throw BenchError.refuted("\(calls - times.count) events have no receipt") }
        let floor = 1000 / (try Self.raw(200, batch: 1))
        let sample = Sample(times)
        for (name, value) in [("p50", sample.median), ("p99", sample.percentile(0.99))] {
            try Figure(
                name: "accept to start \(name)",
                value: value,
                unit: "ms",
                against: "one commit of one row",
                againstValue: floor
            ).show(json: json)
        }
    }

    // MARK: Draining

    private func drain(_ accepted: Double) async throws {
        let first = try await TrialNode(programs: Programs.directory)
        defer { first.removeData() }
        try await first.deploy(code: "echo", "name: echo\n", [:])
        await first.stop()
        try await fill(first.dataDirectory + "/events.sqlite")
        let start = ContinuousClock.now
        let node = try await TrialNode(programs: Programs.directory, dataDirectory: first.dataDirectory)
        var (early, highest, left) = (0.0, 0.0, queued)
        while left > 0 {
            // A look costs the writer a scan of the outcomes: seldom.
            try await Task.sleep(for: .seconds(2))
            left = try await Self.depth(of: node)
            let resident = Self.residentMegabytes(node.pid)
            highest = max(highest, resident)
            if left > queued * 9 / 10 { early = max(early, resident) }
        }
        let rate = Double(queued) / Self.seconds(since: start)
        await node.stop()
        try Figure(
            name: "drain per second",
            value: rate,
            unit: "1/s",
            against: "accepted per second",
            againstValue: accepted
        ).show(json: json)
        try Figure(
            name: "drain memory",
            value: highest,
            unit: "MB",
            against: "while the first tenth drained",
            againstValue: early
        ).show(json: json)
    }

    private func fill(_ path: String) async throws {
        let store = try MessageStore(path: path)
        let queue = try await store.makeQueue(MessageAddress(.function, "echo"), QueueSettings(), now: 1)
        let now = Int64(Date.now.timeIntervalSince1970 * 1000)
        var left = queued
        while left > 0 {
            let drafts = (0..<min(left, 5000)).map { _ in
                MessageDraft(body: Self.body, attributes: #"{"contentType":"application/json","clientContext":""}"#)
            }
            _ = try await store.publish(drafts, to: queue, now: now)
            left -= drafts.count
        }
    }

    private static func depth(of node: TrialNode) async throws -> Int {
        struct Listing: Decodable {
            var queues: [Queue]
            struct Queue: Decodable {
                var name: String
                var depth: Int
            }
        }
        let listing = try JSONDecoder().decode(Listing.self, from: try await node.request("GET", "/events").body)
        return listing.queues.first { $0.name == "echo" }?.depth ?? 0
    }

    private static func residentMegabytes(_ pid: Int32) -> Double {
        let status = (try? String(contentsOfFile: "/proc/\(pid)/status", encoding: .utf8)) ?? ""
        let line = status.split(separator: "\n").first { $0.hasPrefix("VmRSS:") } ?? ""
        return (Double(line.filter(\.isNumber)) ?? 0) / 1000
    }
}
