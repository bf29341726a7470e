import Foundation
import Scheduling
import Testing

/// Nights of a node, at random and at virtual time: a seed that fails replays its night exactly.
@Suite struct SimulationTests {
    /// `THAW_SIMULATION_SEEDS=1000-2000` plays other nights, `=17` one again.
    private static let seeds: [UInt64] = {
        let named = ProcessInfo.processInfo.environment["THAW_SIMULATION_SEEDS"] ?? ""
        let ends = named.split(separator: "-").compactMap { UInt64($0) }
        guard let first = ends.first, let last = ends.last, first <= last else { return Array(1...24) }
        return Array(first...last)
    }()

    @Test(arguments: seeds) func `a night at random breaks no rule and leaves nothing`(seed: UInt64) {
        var simulation = Simulation(seed: seed)
        simulation.run()
        let referee = simulation.match.referee
        #expect(referee.openCalls.isEmpty, "every call is answered")
        #expect(simulation.match.pool.callsInFlight == 0)
        for key in simulation.keys {
            let left = referee.present(key).count { !$0.isReserve }
            #expect(left <= referee.limits[key]?.workersMin ?? 0, "\(key) has \(left) workers left")
        }
        let resting = referee.templates.values.filter { template in
            template.state == .resident && referee.limits[template.key]?.workersMin == 0
        }
        #expect(resting.isEmpty && referee.packed.isEmpty, "an hour after the last call everything is on the disk")
        #expect(simulation.match.pool.restingBytes == 0)
        simulation.laws.checkForecasts(in: simulation.match)
        #expect(referee.calls.count > 100 && simulation.stepCount > 500)
    }

    @Test func `the same night gives the same orders`() {
        var first = Simulation(seed: 99)
        var second = Simulation(seed: 99)
        first.run()
        second.run()
        #expect(first.match.transcript == second.match.transcript)
    }

    @Test func `the nights together see every kind of order`() {
        var kinds: Set<String> = []
        for seed in 1...8 as ClosedRange<UInt64> {
            var simulation = Simulation(seed: seed)
            simulation.run()
            kinds.formUnion(simulation.match.transcript.map { String("\($0)".prefix { $0 != "(" }) })
        }
        let all: Set = [
            "bootTemplate", "forkWorker", "assign", "assignBatch", "refuse", "fail", "timeOut", "endWorker",
            "endTemplate", "wake",
            "reserveWorker", "holdPacked", "releasePacked", "forgotten",
        ]
        #expect(kinds == all)
    }
}
