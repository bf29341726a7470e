import Foundation
import Invoking
import Testing
import Trials

/// Tiers of residency on a real node: what rests, what the kernel says of it, and what a call then finds.
@Suite(.serialized)
struct TierTests {
    private func withNode(_ arguments: String..., body: (TrialNode) async throws -> Void) async throws {
        let node = try await TrialNode(programs: Tree.programs, arguments: arguments)
        defer { node.removeData() }
        try await body(node)
        #expect(await node.stop() == 0)
    }

    private func deploy(
        _ name: String,
        _ settings: String = "scaling:\n  idle: 100ms\n",
        on node: TrialNode
    ) async throws {
        let bundle = try TrialBundle.echo(name, settings)
        defer { bundle.remove() }
        #expect(try await node.thaw("deploy", bundle.path).status == 0)
    }

    private func report(_ node: TrialNode) async throws -> PoolsReport {
        try JSONDecoder().decode(PoolsReport.self, from: try await node.request("GET", "/pools").body)
    }

    private func rests(_ node: TrialNode, in tier: PoolsReport.Tier, parked: Int = 0) async throws -> Bool {
        try await node.until(seconds: 10) { node in
            try await report(node).functions.allSatisfy { $0.workers == 0 && $0.parked == parked && $0.tier == tier }
        }
    }

    /// Kilobytes that the kernel has locked in memory for the scheduler.
    private func lockedKilobytes(_ node: TrialNode) throws -> Int {
        let status = try String(contentsOfFile: "/proc/\(node.pid)/status", encoding: .utf8)
        let line = try #require(status.split(separator: "\n").first { $0.hasPrefix("VmLck:") })
        return try #require(line.split(separator: " ").dropFirst().first.flatMap { Int($0) })
    }

    @Test func `a resident function rests with one worker in reserve, which its next call finds`() async throws {
        try await withNode("--resting-memory", "64MiB") { node in
            try await deploy("quick", "scaling:\n  idle: 3s\n", on: node)
            #expect(try await node.invoke("quick", "one").headers["thaw-start"] == "cold")
            #expect(try await rests(node, in: .resident, parked: 1))
            let template = try #require(ProcessTable.children(of: node.pid).first)
            // The worker that served is told to end, and takes some milliseconds.
            let isAlone = try await node.until(seconds: 5) { _ in ProcessTable.children(of: template).count == 1 }
            #expect(isAlone)
            let reserve = try #require(ProcessTable.children(of: template).first)
            #expect(try await node.invoke("quick", "two").headers["thaw-start"] == "warm")
            #expect(ProcessTable.children(of: template).contains(reserve), "it served the call and is idle")
            let counted = try await node.until(seconds: 5) { try await report($0).functions[0].bytes > 0 }
            #expect(counted)
            #expect(try await rests(node, in: .resident, parked: 1), "the reserve is filled again")
            #expect(try await report(node).resting.bytes <= 64 << 20)
        }
    }

    @Test func `without room for the template its file is kept, locked in memory`() async throws {
        // The snapshot of a function without a model has a few hundred bytes; its template has some hundred kilobytes.
        try await withNode("--resting-memory", "64KiB") { node in
            try await deploy("quick", on: node)
            #expect(try await node.invoke("quick", "one").headers["thaw-start"] == "cold")
            #expect(try await rests(node, in: .packed))
            // Told to end, it counts as gone; the kernel takes some milliseconds longer.
            let isAlone = try await node.until(seconds: 5) { ProcessTable.children(of: $0.pid).isEmpty }
            #expect(isAlone)
            let resting = try await report(node).resting
            #expect(resting.bytes > 0 && resting.bytes <= 64 << 10)
            if Tree.isRoot {
                #expect(resting.unlockedFiles == 0)
                #expect(try lockedKilobytes(node) > 0)
            }
            #expect(try await node.invoke("quick", "two").headers["thaw-start"] == "cold")
            #expect(try await rests(node, in: .packed))
            #expect(try await node.thaw("delete", "quick").status == 0)
            let isFree = try await node.until(seconds: 5) { node in
                let isGivenBack = try await report(node).resting.bytes == 0
                return try isGivenBack && lockedKilobytes(node) == 0
            }
            #expect(isFree, "a deleted function holds nothing")
        }
    }

    @Test func `without a budget nothing is left but the file on the disk`() async throws {
        try await withNode { node in
            try await deploy("quick", on: node)
            #expect(try await node.invoke("quick", "one").headers["thaw-start"] == "cold")
            // A machine that is busy with other tests may take longer to ask than the worker stays.
            #expect(try await [[.bound], [.disk]].contains(report(node).functions.map(\.tier)))
            #expect(try await rests(node, in: .disk))
            #expect(try await report(node).resting.bytes == 0)
            #expect(try lockedKilobytes(node) == 0)
        }
    }

    @Test(arguments: [8, 64]) func `first calls at once load once, and all are answered`(count: Int) async throws {
        try await withNode { node in
            try await deploy("quick", "scaling:\n  max: 4\n", on: node)
            let starts = try await withThrowingTaskGroup(of: String.self) { group in
                for number in 0..<count {
                    group.addTask {
                        let answer = try await node.invoke("quick", "\(number)")
                        #expect(answer.status == 200 && answer.text == "\(number)")
                        return answer.headers["thaw-start"] ?? ""
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(starts.count == count && starts.contains("cold"))
            #expect(ProcessTable.children(of: node.pid).count == 1, "one template")
        }
    }

    @Test func `a rollback moves the minimum of workers to the version that serves again`() async throws {
        try await withNode { node in
            try await deploy("quick", "scaling:\n  min: 1\n", on: node)
            try await deploy("quick", "scaling:\n  min: 2\n", on: node)
            #expect(try await node.until(seconds: 10) { try await report($0).functions[0].parked == 2 })
            // The version before lets go: its template ends.
            #expect(try await node.until(seconds: 10) { ProcessTable.children(of: $0.pid).count == 1 })
            #expect(try await node.thaw("rollback", "quick").status == 0)
            #expect(try await node.until(seconds: 10) { try await report($0).functions[0].parked == 1 })
            #expect(try await node.until(seconds: 10) { ProcessTable.children(of: $0.pid).count == 1 })
        }
    }

    @Test func `pools say which pages a template gets, and what the node keeps at rest`() async throws {
        try await withNode("--resting-memory", "64MiB", "--reserve", "0") { node in
            try await deploy("quick", on: node)
            let mode = try? String(contentsOfFile: "/sys/kernel/mm/transparent_hugepage/enabled", encoding: .utf8)
            let isOffered = mode.map { !$0.contains("[never]") } ?? false
            #expect(try await report(node).hugePages == (isOffered ? "thp" : "none"))
            #expect(try await node.invoke("quick", "one").status == 200)
            #expect(try await rests(node, in: .resident, parked: 0))
            let text = try await node.thaw("pools").output
            #expect(text.contains("huge pages: ") && text.contains("of 67.1 MB"), "\(text)")
        }
    }
}
