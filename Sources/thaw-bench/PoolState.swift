import Foundation
import Trials

/// What one function holds, from `GET /pools`.
struct PoolState: Decodable {
    var name: String
    /// Workers that have served.
    var workers: Int
    /// Workers that are forked and never have.
    var parked: Int
    /// How near its snapshot is: `disk`, `packed`, `booting`, `resident`, `bound`.
    var tier: String
    /// Memory that the snapshot takes.
    var bytes: Int

    /// Nothing is left but the file.
    var isOnDisk: Bool { workers == 0 && parked == 0 && tier == "disk" }
}

extension TrialNode {
    func pools() async throws -> [PoolState] {
        struct Pools: Decodable { var functions: [PoolState] }
        let answer = try await request("GET", "/pools")
        guard answer.status == 200 else { throw BenchError.answered(answer.status, body: answer.text) }
        return try JSONDecoder().decode(Pools.self, from: answer.body).functions
    }

    func pool(_ name: String) async throws -> PoolState {
        guard let pool = try await pools().first(where: { $0.name == name }) else {
            throw BenchError.noSuchPool(name)
        }
        return pool
    }

    /// Waits until a function holds what is wanted, and says what it held instead where it never did.
    func wait(
        for name: String,
        toBe state: String,
        seconds: Double = 20,
        _ wanted: (PoolState) async throws -> Bool
    ) async throws {
        var last: PoolState?
        let reached = try await until(seconds: seconds, everyMilliseconds: 5) { node in
            let pool = try await node.pool(name)
            last = pool
            return try await wanted(pool)
        }
        guard reached else {
            let held = last.map { "\($0.workers) workers, \($0.parked) parked, tier \($0.tier)" } ?? "nothing"
            throw BenchError.neverBecame(name, wanted: state, held: held)
        }
    }

    /// A call whose reply must be good.
    ///
    /// - Returns: microseconds from the request to the end of its reply, and how the call started.
    func timedCall(_ name: String, _ body: String) async throws -> (microseconds: Double, start: String) {
        let begin = ContinuousClock.now
        let answer = try await invoke(name, body)
        let microseconds = (ContinuousClock.now - begin).microseconds
        guard answer.status == 200 else { throw BenchError.answered(answer.status, body: answer.text) }
        return (microseconds, answer.headers["thaw-start"] ?? "")
    }
}

extension Duration {
    var microseconds: Double {
        Double(components.seconds) * 1e6 + Double(components.attoseconds) / 1e12
    }

    var seconds: Double { microseconds / 1e6 }
}
