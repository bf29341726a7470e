import Foundation
import GRDB
import Metering

/// Every accepted event held against its outcome, its receipts and what it led to, in the node's own files.
struct EventsAudit {
    private(set) var faults: [String] = []
    let acceptedCount: Int
    /// Events that the node had on the disk and whose clients never heard so.
    private(set) var unheardCount = 0
    private(set) var outcomes: [String: Int] = [:]
    /// Runs that ended well beyond the first of their event.
    private(set) var repeatedRuns = 0
    /// Attempts that a kill ended, as their receipts say.
    private(set) var interruptedRuns = 0
    /// Attempts that were claimed and of which a kill left no receipt: none had been admitted.
    private(set) var attemptsWithoutReceipt = 0
    private(set) var repeatedLines = 0

    private struct Ended {
        var function: String
        var condition: String
        var attempts: Int
    }

    private static let waits = "was accepted and still waits"
    private static let isLost = "was accepted, has no outcome and does not wait"

    var lostCount: Int { faults.count { $0.hasSuffix(Self.isLost) } }
    var waitingCount: Int { faults.count { $0.hasSuffix(Self.waits) } }

    init(directory: String, accepted: [String: String]) async throws {
        acceptedCount = accepted.count
        let queue = try DatabaseQueue(path: directory + "/events.sqlite")
        let (ended, followers, waiting) = try await queue.read { database in
            var ended: [String: Ended] = [:]
            for row in try Row.fetchAll(database, sql: "SELECT id, queue, condition, attempts FROM outcomes") {
                ended[row["id"]] = Ended(function: row["queue"], condition: row["condition"], attempts: row["attempts"])
            }
            let bodies = try String.fetchAll(
                database,
                sql: """
                    SELECT json_extract(CAST(body AS TEXT), '$.requestContext.requestId') FROM messages
                    JOIN queues ON number = queue WHERE name = 'results'
                    """
            )
            return (ended, bodies, try Set(String.fetchAll(database, sql: "SELECT id FROM messages")))
        }
        try queue.close()
        for (id, function) in accepted {
            guard let end = ended[id] else {
                // On the disk and not run yet is late, not lost.
                faults.append("\(id) of \(function) \(waiting.contains(id) ? Self.waits : Self.isLost)")
                continue
            }
            if end.condition != "Success" { faults.append("\(id) of \(function) ended as \(end.condition)") }
        }
        for end in ended.values { outcomes[end.condition, default: 0] += 1 }
        let calls = ended.filter { EventsCrowd.destinations[$0.value.function] != nil }
        unheardCount = calls.keys.count { accepted[$0] == nil }
        checkFollowers(calls, followers)
        checkLines(calls, directory + "/destinations/results.jsonl")
        try await checkReceipts(calls, directory)
    }

    /// An end and its message are one step: one message for each, and no more.
    private mutating func checkFollowers(_ calls: [String: Ended], _ followers: [String]) {
        let wanted = Set(calls.filter { $0.value.function == "into-queue" }.keys)
        if Set(followers) != wanted {
            faults.append("\(wanted.subtracting(followers).count) results are missing in the queue")
        }
        if followers.count != wanted.count {
            faults.append("\(followers.count - wanted.count) results are in the queue twice")
        }
    }

    /// A line is written before its delivery is settled: once at least.
    private mutating func checkLines(_ calls: [String: Ended], _ path: String) {
        let wanted = Set(calls.filter { $0.value.function == "into-file" }.keys)
        let lines = (try? String(contentsOfFile: path, encoding: .utf8))?.split(separator: "\n") ?? []
        struct Record: Decodable {
            var requestContext: Context
            struct Context: Decodable { var requestId: String }
        }
        let ids = lines.compactMap {
            try? JSONDecoder().decode(Record.self, from: Data($0.utf8)).requestContext.requestId
        }
        let missing = wanted.subtracting(ids)
        if !missing.isEmpty { faults.append("\(missing.count) results are missing in the file") }
        repeatedLines = ids.count - Set(ids).count
    }

    private mutating func checkReceipts(_ calls: [String: Ended], _ directory: String) async throws {
        let ledger = try Ledger(directory: directory, node: "audit")
        for (id, end) in calls {
            guard let id = InvocationID(id) else { continue }
            let receipts = try await ledger.attempts(of: id)
            let ran = receipts.count { $0.outcome == .succeeded }
            if ran == 0 { faults.append("\(id) ended well and has no receipt that says so") }
            if Set(receipts.map(\.attempt)).count != receipts.count {
                faults.append("\(id) has two receipts of one attempt")
            }
            repeatedRuns += max(ran - 1, 0)
            interruptedRuns += receipts.count { $0.outcome == .interrupted }
            attemptsWithoutReceipt += max(end.attempts - receipts.count, 0)
        }
        try await ledger.close()
    }
}

/// How the nodes died, and what is told of it.
struct EventsTally {
    private var places: [String: Int] = [:]
    private var fromOutside = 0
    var tornLogs = 0
    var refusedByFullDisk = 0
    var acceptedOnFullDisk = 0
    var fullDiskFaults: [String] = []

    /// - Parameter place: nil where it was killed from outside.
    mutating func died(at place: String?) {
        if let place { places[place, default: 0] += 1 } else { fromOutside += 1 }
    }

    private struct Summary: Encodable {
        var kills: Int
        var killsAtPlaces: [String: Int]
        var places: Int
        var tornLogs: Int
        var accepted: Int
        var onDiskUnheard: Int
        var outcomes: [String: Int]
        var lost: Int
        var waiting: Int
        var repeatedRuns: Int
        var interruptedRuns: Int
        var attemptsWithoutReceipt: Int
        var repeatedLines: Int
        var acceptedOnFullDisk: Int
        var refusedByFullDisk: Int
        var faults: [String]
    }

    func show(_ audit: EventsAudit, isEmpty: Bool, json: Bool) throws {
        let summary = Summary(
            kills: places.values.reduce(fromOutside, +),
            killsAtPlaces: places,
            places: places.count,
            tornLogs: tornLogs,
            accepted: audit.acceptedCount,
            onDiskUnheard: audit.unheardCount,
            outcomes: audit.outcomes,
            lost: audit.lostCount,
            waiting: audit.waitingCount,
            repeatedRuns: audit.repeatedRuns,
            interruptedRuns: audit.interruptedRuns,
            attemptsWithoutReceipt: audit.attemptsWithoutReceipt,
            repeatedLines: audit.repeatedLines,
            acceptedOnFullDisk: acceptedOnFullDisk,
            refusedByFullDisk: refusedByFullDisk,
            faults: Array((audit.faults + fullDiskFaults + (isEmpty ? [] : ["queues are not empty"])).prefix(20))
        )
        let encoder = JSONEncoder()
        encoder.outputFormatting = json ? [.sortedKeys] : [.sortedKeys, .prettyPrinted]
        print(String(decoding: try encoder.encode(summary), as: UTF8.self))
        guard fullDiskFaults.isEmpty else { throw BenchError.refuted("a full disk cost events") }
    }
}
