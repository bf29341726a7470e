import Foundation
import Trials

/// First calls of one function that rests in one tier, turn by turn with a hot call after an equal pause and the floor.
struct ColdTiers {
    let function: ColdFunction
    let tier: ColdTier
    let rounds: Int
    let json: Bool

    /// Short, so that a round is.
    private static let idle = "100ms"
    /// Outlives every pause of a run.
    private static let hotIdle = "10m"

    /// What the turns brought, in microseconds.
    private struct Turns {
        var first: [Double] = []
        var hot: [Double] = []
        var floor: [Double] = []
    }

    func run() async throws {
        let (turns, floor) = try await turns()
        try show(turns, against: floor)
    }

    /// Microseconds of a first call above a hot one, the median.
    func aboveHot() async throws -> Double {
        let turns = try await turns().turns
        return Sample(turns.first).median - Sample(turns.hot).median
    }

    private func turns() async throws -> (turns: Turns, floor: String) {
        // Its own node: a worker that waits must not keep the snapshot of the other in memory.
        let hot = try await TrialNode(programs: Programs.directory)
        defer { hot.removeData() }
        try await function.deploy(on: hot, idle: Self.hotIdle)
        let snapshot = try await DeployedSnapshot.of(function, on: hot)
        let arguments = tier.arguments(fileBytes: snapshot.byteCount, arenaBytes: snapshot.arenaByteCount)
        let cold = try await TrialNode(programs: Programs.directory, arguments: arguments)
        defer { cold.removeData() }
        try await function.deploy(on: cold, idle: Self.idle)
        let floor = try Floor(tier, function: function, snapshot: snapshot, node: cold)
        defer { floor.stop() }
        let turns = try await measure(cold, hot, floor)
        await cold.stop()
        await hot.stop()
        return (turns, floor.name)
    }

    private func measure(_ cold: TrialNode, _ hot: TrialNode, _ floor: Floor) async throws -> Turns {
        var turns = Turns()
        _ = try await hot.timedCall(function.rawValue, function.body)
        _ = try await cold.timedCall(function.rawValue, function.body)
        // The first turns verify digests, warm both schedulers up and are not counted.
        for round in -2..<rounds {
            try await cold.wait(for: function.rawValue, toBe: "\(tier.rawValue) without workers") { pool in
                // Both schedulers are asked as often.
                _ = try await hot.pool(function.rawValue)
                return tier.isReached(pool)
            }
            let floorTurn = try await floor.turn()
            // They take turns in being first: whoever is second finds a machine that has just woken.
            let hotFirst = round % 2 == 0 ? try await hot.timedCall(function.rawValue, function.body) : nil
            let first = try await cold.timedCall(function.rawValue, function.body)
            let reply = if let hotFirst { hotFirst } else { try await hot.timedCall(function.rawValue, function.body) }
            guard round >= 0 else { continue }
            guard first.start == tier.start else {
                throw BenchError.wrongStart(expected: tier.start, got: first.start)
            }
            guard reply.start == "hot" else { throw BenchError.wrongStart(expected: "hot", got: reply.start) }
            turns.first.append(first.microseconds)
            turns.hot.append(reply.microseconds)
            turns.floor.append(floorTurn)
        }
        return turns
    }

    private func show(_ turns: Turns, against floor: String) throws {
        let (first, hot, bare) = (Sample(turns.first), Sample(turns.hot), Sample(turns.floor))
        try Figure(
            name: "\(function.rawValue) \(tier.rawValue) p50",
            value: first.median - hot.median,
            unit: "us",
            against: floor,
            againstValue: bare.median
        ).show(json: json)
        guard function == .minilm, tier == .resident || tier == .forked else { return }
        // Above the median of hot: a slow hot call is no excuse for a slow first one.
        try Figure(
            name: "minilm \(tier.rawValue) p99",
            value: first.percentile(0.99) - hot.median,
            unit: "us",
            against: floor + ", p99",
            againstValue: bare.percentile(0.99)
        ).show(json: json)
    }
}

/// What the first calls from a tier stand beside.
private struct Floor {
    let name: String
    /// Microseconds of one turn of it.
    let turn: () async throws -> Double
    let stop: () -> Void

    init(_ tier: ColdTier, function: ColdFunction, snapshot: DeployedSnapshot, node: TrialNode) throws {
        let model = (Programs.model ?? "") + "/model.safetensors"
        switch tier {
        case .resident, .parked, .forked:
            let fork = try ForkFloor(byteCount: snapshot.arenaByteCount)
            name = "bare sandboxed fork of \(snapshot.arenaByteCount >> 20) MiB in huge pages"
            turn = { try await fork.turn().microseconds }
            stop = { fork.stop() }
        case .packed:
            let needed = Int(Double(snapshot.arenaByteCount) * (try DiskFloor.neededShare(ofModel: model)))
            name = "reading \(needed >> 20) raw MiB from the page cache into fresh huge pages"
            turn = { try CopyFloor.microseconds(file: model, byteCount: needed) }
            stop = {}
        case .disk:
            let needed = Int(Double(snapshot.byteCount) * (try DiskFloor.neededShare(ofModel: model)))
            let disk = DiskFloor(
                path: "\(node.dataDirectory)/snapshots/\(snapshot.digest).thaw",
                byteCount: needed
            )
            name = "reading \(needed >> 20) MiB of the snapshot file, page cache dropped"
            turn = {
                let microseconds = try disk.read()
                // And again for the first call.
                try disk.drop()
                return microseconds
            }
            stop = {}
        }
    }
}
