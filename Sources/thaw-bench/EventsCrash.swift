import ArgumentParser
import Foundation
import Linux
import Synchronization
import Trials

/// A node that is killed again and again while clients have it accept events: nothing accepted may be lost, or end twice.
struct EventsCrash: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "events-crash",
        abstract:
            "Kill the scheduler with SIGKILL while clients enqueue, then hold every accepted event against its outcome.",
        discussion: """
            Every other kill is at one of the named places of the code (THAW_KILL_AT), in turn; the others come from outside, at \
            random. Between two nodes the log's end is at times garbled, as a torn write leaves it. With --disk-full, which needs \
            root, one round more runs on a file system that fills up. Ends with status 1 where an accepted event is not accounted for.
            """
    )

    @Option(help: "How often the scheduler is killed.")
    var kills = 200

    @Option(help: "Seconds after which no more kills begin, and the summary is made.")
    var secondsMax = 3600.0

    @Option(help: "The node's directory; a fresh one without it.")
    var data: String?

    @Option(help: "Seed of the times and the places.")
    var seed: UInt64 = 1

    @Flag(help: "Also fill the disk that the node writes to.")
    var diskFull = false

    @Flag(help: "The summary as one JSON object.")
    var json = false

    /// Places at which the scheduler can be made to die; each is in the sources.
    static let places = [
        "queue.made", "open.begin", "open.migrated", "open.released", "accept.begin", "publish.begin",
        "publish.inserted",
        "publish.duplicate", "key.remembered", "commit.begin", "commit.before", "commit.after",
        "publish.end", "accept.stored", "claim.begin", "claim.updated", "claim.end", "run.begin", "run.end",
        "settle.begin", "remove.done", "settle.buried", "move.done", "outcome.recorded", "settle.follower",
        "settle.end",
        "settle.committed", "run.settled", "sweep.begin", "sweep.end", "deliver.begin", "deliver.end", "redrive.begin",
        "redrive.end", "settle.again",
    ]

    /// Places that a round comes to once at most.
    private static let rare: Set<String> = [
        "queue.made", "open.begin", "open.migrated", "open.released", "publish.duplicate", "sweep.begin", "sweep.end",
        "redrive.begin", "redrive.end", "settle.again",
    ]

    func run() async throws {
        let directory = try data ?? TrialNode.freshDirectory()
        defer { if data == nil { try? FileManager.default.removeItem(atPath: directory) } }
        let crowd = EventsCrowd()
        try await prepare(directory)
        var tally = EventsTally()
        var generator = SplitMix(seed: seed)
        let deadline = ContinuousClock.now + .seconds(secondsMax)
        for number in 0..<kills where ContinuousClock.now < deadline {
            let place = number % 2 == 0 ? Self.places[(number / 2) % Self.places.count] : nil
            try await round(directory, place: place, crowd, &tally, &generator)
            if generator.next() % 8 == 0 { try garbleLog(directory + "/events.sqlite-wal", &generator, &tally) }
        }
        if diskFull { try await fillDisk(&tally) }
        let last = try await TrialNode(
            programs: Programs.directory,
            dataDirectory: directory,
            arguments: Self.arguments
        )
        // One that was throttled often waits for up to five minutes, and may be throttled again then.
        let isEmpty = try await last.until(seconds: 1200) { node in
            let listing = try await node.request("GET", "/events").text
            return EventsCrash.isDrained(listing)
        }
        await last.stop()
        let audit = try await EventsAudit(directory: directory, accepted: crowd.accepted())
        try tally.show(audit, isEmpty: isEmpty, json: json)
        guard isEmpty, audit.faults.isEmpty else { throw BenchError.refuted("events were lost, or ended twice") }
    }

    private static let arguments = ["--event-retry-seconds", "0"]

    static func isDrained(_ listing: String) -> Bool {
        struct Listing: Decodable {
            var queues: [Queue]
            struct Queue: Decodable {
                var kind: String
                var depth: Int
            }
        }
        guard let listing = try? JSONDecoder().decode(Listing.self, from: Data(listing.utf8)) else { return false }
        return listing.queues.allSatisfy { !["function", "delivery"].contains($0.kind) || $0.depth == 0 }
    }

    /// Three functions: what they lead to goes to a function that is not there, to a queue, and to a file.
    private func prepare(_ directory: String) async throws {
        let node = try await TrialNode(programs: Programs.directory, dataDirectory: directory)
        for (name, place) in EventsCrowd.destinations {
            let folder = try TrialNode.freshDirectory()
            defer { try? FileManager.default.removeItem(atPath: folder) }
            try Data("name: \(name)\n".utf8).write(to: URL(fileURLWithPath: folder + "/function.yaml"))
            try await node.deploy(bundle: folder, as: name)
            let config =
                #"{"MaximumRetryAttempts": 2, "DestinationConfig": {"OnSuccess": {"Destination": "\#(place)"}}}"#
            let path = "/2019-09-25/functions/\(name)/event-invoke-config"
            let answer = try await node.request("PUT", path, body: Data(config.utf8))
            guard answer.status == 200 else { throw BenchError.refuted("\(path): \(answer.text)") }
        }
        // It is called rarely, and takes one at a time: what comes meanwhile is throttled, and comes again.
        let limit = Data(#"{"ReservedConcurrentExecutions": 1}"#.utf8)
        let answer = try await node.request("PUT", "/2017-10-31/functions/busy/concurrency", body: limit)
        guard answer.status == 200 else { throw BenchError.refuted("concurrency: \(answer.text)") }
        await node.stop()
    }

    /// One node, from its start to its death.
    private func round(
        _ directory: String,
        place: String?,
        _ crowd: EventsCrowd,
        _ tally: inout EventsTally,
        _ generator: inout SplitMix
    ) async throws {
        let nth = place.map { Self.rare.contains($0) ? 1 : Int(generator.next() % 12) + 1 }
        let environment = place.map { ["THAW_KILL_AT": "\($0):\(nth ?? 1)"] } ?? [:]
        let node: TrialNode
        do {
            node = try await TrialNode(
                programs: Programs.directory,
                dataDirectory: directory,
                arguments: Self.arguments,
                environment: environment
            )
        } catch TrialError.notReady(let status) where place != nil && status & 0x7f == 9 {
            // It died at the place before it answered anybody.
            return tally.died(at: place)
        }
        let milliseconds = Int(generator.next() % 150) + 20
        let died = await crowd.enqueue(on: node, milliseconds: place == nil ? milliseconds : 600)
        await node.crash()
        tally.died(at: died ? place : nil)
    }

    /// What a write leaves that the power cut: half a frame behind the last one.
    private func garbleLog(_ path: String, _ generator: inout SplitMix, _ tally: inout EventsTally) throws {
        guard let handle = FileHandle(forWritingAtPath: path) else { return }
        try handle.seekToEnd()
        let count = Int(generator.next() % 6000) + 1
        try handle.write(contentsOf: Data((0..<count).map { _ in UInt8(truncatingIfNeeded: generator.next()) }))
        try handle.close()
        tally.tornLogs += 1
    }

    /// A node whose disk fills: it refuses, and what it has accepted ends when there is room again.
    private func fillDisk(_ tally: inout EventsTally) async throws {
        let folder = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let mounted = try await CommandOutcome.run(
            "/usr/bin/env",
            ["mount", "-t", "tmpfs", "-o", "size=24m", "thaw", folder]
        )
        guard mounted.status == 0 else { throw BenchError.refuted("a small disk cannot be mounted: \(mounted.errors)") }
        let crowd = EventsCrowd()
        try await prepare(folder)
        let node = try await TrialNode(programs: Programs.directory, dataDirectory: folder, arguments: Self.arguments)
        let ballast = folder + "/ballast"
        try Data().write(to: URL(fileURLWithPath: ballast))
        let handle = try FileHandle(forWritingTo: URL(fileURLWithPath: ballast))
        let piece = Data(repeating: 1, count: 1 << 14)
        while (try? handle.write(contentsOf: piece)) != nil {}
        _ = await crowd.enqueue(on: node, milliseconds: 1500)
        try? handle.close()
        try FileManager.default.removeItem(atPath: ballast)
        tally.refusedByFullDisk = crowd.refusedCount()
        _ = await crowd.enqueue(on: node, milliseconds: 300)
        let isEmpty = try await node.until(seconds: 60) {
            EventsCrash.isDrained(try await $0.request("GET", "/events").text)
        }
        await node.stop()
        let audit = try await EventsAudit(directory: folder, accepted: crowd.accepted())
        tally.fullDiskFaults = audit.faults + (isEmpty ? [] : ["events still wait after the disk had room again"])
        tally.acceptedOnFullDisk = audit.acceptedCount
        _ = try await CommandOutcome.run("/usr/bin/env", ["umount", folder])
    }
}

/// Small numbers with a seed, so that a night can be had again.
struct SplitMix {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}
