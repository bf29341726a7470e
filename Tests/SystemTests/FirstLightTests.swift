import Foundation
import Testing
import Trials

/// The tour of the README, on a real node.
@Suite(.serialized)
struct FirstLightTests {
    private func withNode(arguments: [String] = [], _ body: (TrialNode) async throws -> Void) async throws {
        let node = try await TrialNode(programs: Tree.programs, arguments: arguments)
        defer { node.removeData() }
        try await body(node)
        #expect(await node.stop() == 0)
    }

    private func example(_ name: String) -> String {
        Tree.functions.appendingPathComponent(name).path
    }

    @Test func `a call is cold, then hot, and after scale to zero cold again with no process at rest`() async throws {
        try await withNode { node in
            let bundle = try TrialBundle.echo("quick", "scaling:\n  idle: 3s\n")
            defer { bundle.remove() }
            #expect(try await node.thaw("deploy", bundle.path).status == 0)
            #expect(ProcessTable.children(of: node.pid).isEmpty)
            let cold = try await node.invoke("quick", "one")
            #expect(cold.text == "one")
            #expect(cold.headers["thaw-start"] == "cold")
            #expect(cold.headers["server-timing"]?.contains("bind;dur=") == true)
            #expect(try await node.invoke("quick", "two").headers["thaw-start"] == "hot")
            #expect(try await node.until(seconds: 10) { ProcessTable.children(of: $0.pid).isEmpty })
            let pools = try await node.thaw("pools", "--json")
            #expect(pools.output.contains(#""workers":0"#) || pools.output.contains(#""workers" : 0"#))
            #expect(try await node.invoke("quick", "three").headers["thaw-start"] == "cold")
        }
    }

    @Test func `with a resting budget the template stays, and the next call is warm`() async throws {
        try await withNode(arguments: ["--resting-memory", "64MiB", "--reserve", "0"]) { node in
            let bundle = try TrialBundle.echo("quick", "scaling:\n  idle: 300ms\n")
            defer { bundle.remove() }
            #expect(try await node.thaw("deploy", bundle.path).status == 0)
            #expect(try await node.invoke("quick", "one").headers["thaw-start"] == "cold")
            #expect(
                try await node.until(seconds: 10) { node in
                    let templates = ProcessTable.children(of: node.pid)
                    return templates.count == 1 && templates.flatMap(ProcessTable.children(of:)).isEmpty
                }
            )
            #expect(try await node.invoke("quick", "two").headers["thaw-start"] == "warm")
        }
    }

    @Test func `scaling.min keeps parked workers, and the first call on one is warm`() async throws {
        try await withNode { node in
            let bundle = try TrialBundle.echo("quick", "scaling:\n  min: 1\n")
            defer { bundle.remove() }
            #expect(try await node.thaw("deploy", bundle.path).status == 0)
            let isParked = try await node.until(seconds: 10) { node in
                try await node.request("GET", "/pools").text.contains(#""parked":1"#)
            }
            #expect(isParked)
            #expect(try await node.invoke("quick", "one").headers["thaw-start"] == "warm")
        }
    }

    @Test func `of a thousand calls at once each gets its own answer and one receipt`() async throws {
        try await withNode { node in
            let bundle = try TrialBundle.echo("quick")
            defer { bundle.remove() }
            #expect(try await node.thaw("deploy", bundle.path).status == 0)
            let ids = try await withThrowingTaskGroup(of: [String].self) { group in
                for caller in 0..<16 {
                    group.addTask {
                        var ids: [String] = []
                        for number in 0..<64 {
                            let answer = try await node.invoke("quick", "\(caller)-\(number)")
                            #expect(answer.status == 200 && answer.text == "\(caller)-\(number)")
                            ids.append(answer.headers["thaw-invocation-id"] ?? "")
                        }
                        return ids
                    }
                }
                return try await group.reduce(into: []) { $0 += $1 }
            }
            #expect(Set(ids).count == 16 * 64)
            for id in ids.shuffled().prefix(20) {
                #expect(try await node.request("GET", "/receipts/\(id)").text.contains(#""outcome":"succeeded""#))
            }
            let listed = try await node.request("GET", "/receipts?function=quick&last=1000")
            let document = try #require(try JSONSerialization.jsonObject(with: listed.body) as? [String: Any])
            let receipts = try #require(document["receipts"] as? [[String: Any]])
            #expect(receipts.count == 1000)
            #expect(Set(receipts.compactMap { $0["id"] as? String }).isSubset(of: ids))
        }
    }

    @Test func `at rest the scheduler sleeps`() async throws {
        try await withNode { node in
            let bundle = try TrialBundle.echo("quick", "scaling:\n  idle: 200ms\n")
            defer { bundle.remove() }
            #expect(try await node.thaw("deploy", bundle.path).status == 0)
            #expect(try await node.invoke("quick", "one").status == 200)
            #expect(try await node.until(seconds: 10) { ProcessTable.children(of: $0.pid).isEmpty })
            // Nothing to await: that nothing happens is the event. Whoever wakes up must also go to sleep again. The
            // first second lets connections of the client and the last commit end.
            var switches = Int.max
            for _ in 0..<10 where switches > 0 {
                switches = try await node.wakeUps(duringSeconds: 2)
            }
            #expect(switches == 0, "\(switches) wake-ups in two seconds")
        }
    }

    @Test func `every version stays callable, aliases and rollback move what serves`() async throws {
        try await withNode { node in
            let bundle = try TrialBundle.echo("quick")
            defer { bundle.remove() }
            for _ in 1...3 {
                #expect(try await node.thaw("deploy", bundle.path).status == 0)
            }
            #expect(try await node.thaw("alias", "quick", "stable", "1").status == 0)
            for qualifier in ["1", "2", "3", "stable"] {
                let path = "/functions/quick/invocations?qualifier=\(qualifier)"
                #expect(try await node.request("POST", path, body: Data("x".utf8)).status == 200)
            }
            #expect(try await node.thaw("rollback", "quick").status == 0)
            let answer = try await node.invoke("quick", "x")
            let receipt = try await node.request("GET", "/receipts/\(answer.headers["thaw-invocation-id"] ?? "")")
            #expect(receipt.text.contains(#""version":2"#), "\(receipt.text)")
            #expect(try await node.thaw("delete", "quick").status == 0)
            #expect(try await node.invoke("quick", "x").status == 404)
        }
    }

    @Test func `digits gets every committed label right, by name and by route`() async throws {
        struct HeldOut: Decodable {
            var image: [Double]
            var label: Int
        }
        try await withNode { node in
            #expect(try await node.thaw("deploy", example("digits")).status == 0)
            let url = Tree.functions.appendingPathComponent("digits/heldout.json")
            let heldOut = try JSONDecoder().decode([HeldOut].self, from: Data(contentsOf: url))
            #expect(heldOut.count == 50)
            for example in heldOut {
                let body = String(decoding: try JSONEncoder().encode(["image": example.image]), as: UTF8.self)
                let answer = try await node.invoke("digits", body)
                let reply = try JSONSerialization.jsonObject(with: answer.body) as? [String: Any]
                #expect(reply?["label"] as? Int == example.label, "\(answer.text)")
                let routed = try await node.request("POST", "/digits", body: Data(body.utf8))
                #expect(routed.body == answer.body)
            }
        }
    }

    @Test(.enabled(if: Tree.hasModel, "functions/embed/fetch brings the model"))
    func `embeddings of 300 texts match sentence-transformers`() async throws {
        let golden = Tree.functions.appendingPathComponent("embed/golden")
        let texts = try JSONDecoder().decode(
            [String].self,
            from: Data(contentsOf: golden.appendingPathComponent("texts.json"))
        )
        let ids = try JSONDecoder().decode(
            [[Int]].self,
            from: Data(contentsOf: golden.appendingPathComponent("ids.json"))
        )
        let bytes = try Data(contentsOf: golden.appendingPathComponent("embeddings.f32"))
        let expected = bytes.withUnsafeBytes { Array($0.bindMemory(to: Float.self)) }
        try #require(texts.count == 300 && expected.count == 300 * 384)
        struct Reply: Decodable {
            var embeddings: [[Float]]
            var tokens: Int
        }
        try await withNode { node in
            let deployed = try await node.thaw("deploy", example("embed"))
            try #require(deployed.status == 0, "\(deployed.errors)")
            var worst: Float = 0
            // Some alone, some together: a text's vector does not depend on its neighbours.
            for slice in stride(from: 0, to: 300, by: 50) {
                let part = Array(texts[slice..<slice + 50])
                let body = String(decoding: try JSONEncoder().encode(["text": part]), as: UTF8.self)
                let answer = try await node.invoke("embed", body)
                try #require(answer.status == 200, "\(answer.text.prefix(300))")
                let reply = try JSONDecoder().decode(Reply.self, from: answer.body)
                #expect(reply.tokens == ids[slice..<slice + 50].reduce(0) { $0 + $1.count })
                for (offset, vector) in reply.embeddings.enumerated() {
                    let row = (slice + offset) * 384
                    for column in 0..<384 {
                        worst = max(worst, abs(vector[column] - expected[row + column]))
                    }
                }
            }
            #expect(worst <= 1e-5, "largest difference \(worst)")
            let single = try await node.invoke(
                "embed",
                String(decoding: try JSONEncoder().encode(["text": texts[0]]), as: UTF8.self)
            )
            let reply = try JSONDecoder().decode(Reply.self, from: single.body)
            #expect(reply.embeddings.count == 1 && reply.tokens == ids[0].count)
        }
    }

    @Test func `listening beyond loopback is refused until a token is configured, and then every door asks`()
        async throws
    {
        let refused = try await CommandOutcome.run(
            Tree.programs + "/thaw",
            ["serve", "--data", try TrialNode.freshDirectory(), "--listen", "0.0.0.0:0"]
        )
        #expect(refused.status == 1)
        #expect(refused.errors.contains("token"))
        let node = try await TrialNode(programs: Tree.programs, environment: ["THAW_TOKEN": "a-secret-of-some-length"])
        defer { node.removeData() }
        for path in ["/healthz", "/readyz", "/functions", "/pools", "/receipts"] {
            #expect(try await node.request("GET", path).status == 401)
            let headers = ["authorization": "Bearer a-secret-of-some-length"]
            #expect(try await node.request("GET", path, headers: headers).status == 200, "\(path)")
        }
        await node.stop()
    }
}
