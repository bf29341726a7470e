import Foundation
import Testing
import Trials

/// A scheduler that is killed: what is left, and what the next one finds.
@Suite(.serialized)
struct CrashTests {
    @Test func `a killed scheduler takes its processes along, and the next one serves and has every receipt`()
        async throws
    {
        let programs = try Tree.faultyPrograms()
        let node = try await TrialNode(programs: programs)
        let bundle = try TrialBundle.echo("faulty")
        defer {
            bundle.remove()
            node.removeData()
        }
        #expect(try await node.thaw("deploy", bundle.path).status == 0)
        for number in 1...20 {
            #expect(try await node.invoke("faulty", "echo \(number)").status == 200)
        }
        let hanging = Task { try? await node.invoke("faulty", "hang") }
        let templates = ProcessTable.children(of: node.pid)
        #expect(templates.count == 1)
        #expect(
            try await node.until(seconds: 10) { node in
                try await node.request("GET", "/pools").text.contains(#""running":1"#)
            }
        )
        let workers = templates.flatMap(ProcessTable.children(of:))
        await node.crash()
        _ = await hanging.value
        let areGone = try await node.until(seconds: 5) { _ in
            (templates + workers).allSatisfy { !ProcessTable.exists($0) }
        }
        #expect(areGone)

        let next = try await TrialNode(programs: programs, dataDirectory: node.dataDirectory)
        #expect(try await next.invoke("faulty", "echo back").status == 200)
        let listed = try await next.thaw("receipts", "faulty", "--last", "100", "--json")
        let receipts = try #require(
            try JSONSerialization.jsonObject(with: Data(listed.output.utf8)) as? [[String: Any]]
        )
        let outcomes = receipts.compactMap { $0["outcome"] as? String }
        #expect(outcomes.count { $0 == "succeeded" } == 21)
        #expect(outcomes.count { $0 == "interrupted" } == 1)
        #expect(Set(receipts.compactMap { $0["id"] as? String }).count == 22)
        await next.stop()
    }

    @Test func `a node ends with whoever started it, and its processes with the node`() async throws {
        let node = try await TrialNode(programs: Tree.programs)
        let bundle = try TrialBundle.echo("faulty")
        defer {
            bundle.remove()
            node.removeData()
        }
        #expect(try await node.thaw("deploy", bundle.path).status == 0)
        #expect(try await node.invoke("faulty", "once").status == 200)
        let templates = ProcessTable.children(of: node.pid)
        #expect(await node.abandon() == 0)
        #expect(templates.allSatisfy { !ProcessTable.exists($0) })
    }

    @Test func `a second scheduler on the same directory refuses and names the first`() async throws {
        let node = try await TrialNode(programs: Tree.programs)
        defer { node.removeData() }
        let second = try await CommandOutcome.run(
            Tree.programs + "/thaw",
            ["serve", "--data", node.dataDirectory, "--listen", "127.0.0.1:0"]
        )
        #expect(second.status == 1)
        #expect(second.errors.contains("\(node.pid)"))
        await node.stop()
    }

    @Test func `a snapshot altered on the disk is refused by name and never served`() async throws {
        let node = try await TrialNode(programs: Tree.programs)
        let bundle = try TrialBundle("name: quick\nruntime: model\nscaling:\n  idle: 100ms\n")
        defer {
            bundle.remove()
            node.removeData()
        }
        #expect(try await node.thaw("deploy", bundle.path).status == 0)
        #expect(try await node.invoke("quick", "x").status == 200)
        #expect(try await node.until(seconds: 10) { ProcessTable.children(of: $0.pid).isEmpty })
        let folder = node.dataDirectory + "/snapshots"
        let name = try #require(
            try FileManager.default.contentsOfDirectory(atPath: folder).first { $0.hasSuffix(".thaw") }
        )
        let url = URL(fileURLWithPath: "\(folder)/\(name)")
        var bytes = try Data(contentsOf: url)
        bytes[bytes.count / 2] ^= 0x10
        try bytes.write(to: url)
        let refused = try await node.invoke("quick", "x")
        #expect(refused.status == 502)
        #expect(refused.text.contains("snapshot"))
        await node.stop()
    }
}
