import Foundation
import Testing
import Trials

/// What the issue calls faults: each provoked on a real node, with a worker that does as it is told.
@Suite(.serialized)
struct FaultTests {
    private func withFaultyNode(
        _ settings: String = "",
        arguments: [String] = [],
        _ body: (TrialNode) async throws -> Void
    ) async throws {
        let node = try await TrialNode(programs: try Tree.faultyPrograms(), arguments: arguments)
        let bundle = try TrialBundle.echo("faulty", settings)
        defer {
            bundle.remove()
            node.removeData()
        }
        let deployed = try await node.thaw("deploy", bundle.path)
        try #require(deployed.status == 0, "\(deployed.errors)")
        try await body(node)
        #expect(await node.stop() == 0)
    }

    /// The receipt that a reply's header names.
    private func receipt(of answer: TrialNode.Answer, on node: TrialNode) async throws -> [String: Any] {
        let id = try #require(answer.headers["thaw-invocation-id"])
        let reply = try await node.request("GET", "/receipts/\(id)")
        #expect(reply.status == 200)
        return try #require(try JSONSerialization.jsonObject(with: reply.body) as? [String: Any])
    }

    @Test func `a handler over its timeout is answered 504, and the next call works`() async throws {
        try await withFaultyNode("limits:\n  timeout: 400ms\n") { node in
            let late = try await node.invoke("faulty", "hang")
            #expect(late.status == 504)
            #expect(late.text.contains("400"))
            let receipt = try await receipt(of: late, on: node)
            #expect(receipt["outcome"] as? String == "timedOut")
            let next = try await node.invoke("faulty", "echo still here")
            #expect(next.status == 200)
        }
    }

    @Test func `a worker that spins is killed at its timeout, and its receipt shows the processor time`() async throws {
        try await withFaultyNode("limits:\n  timeout: 500ms\n") { node in
            let late = try await node.invoke("faulty", "spin")
            #expect(late.status == 504)
            let receipt = try await receipt(of: late, on: node)
            let cpu = try #require(receipt["cpuNanoseconds"] as? Int)
            #expect(cpu > 50_000_000)
        }
    }

    @Test func `a worker killed from outside is answered 502 with the signal by name`() async throws {
        try await withFaultyNode { node in
            async let answer = node.invoke("faulty", "hang")
            let found = try await node.until(seconds: 10) { !Self.workers(of: $0).isEmpty }
            #expect(found)
            // Until the call has reached it, the worker is idle in its read; either way it dies leased.
            for worker in Self.workers(of: node) { kill(worker, SIGKILL) }
            let dead = try await answer
            #expect(dead.status == 502)
            #expect(dead.text.contains("SIGKILL"))
            #expect(try await receipt(of: dead, on: node)["outcome"] as? String == "died")
            #expect(try await node.invoke("faulty", "echo again").status == 200)
        }
    }

    @Test func `a worker over its memory limit is answered 502 with the limit as a number`() async throws {
        try await withFaultyNode("limits:\n  memory: 64MiB\n") { node in
            let dead = try await node.invoke("faulty", "eat 256")
            #expect(dead.status == 502)
            #expect(dead.text.contains("67108864"))
            #expect(try await node.invoke("faulty", "echo again").status == 200)
        }
    }

    @Test(arguments: ["openat", "socket", "execve", "mount", "ptrace", "clone3", "kill"])
    func `a forbidden system call ends the worker and is named`(call: String) async throws {
        try await withFaultyNode { node in
            let dead = try await node.invoke("faulty", "call \(call)")
            #expect(dead.status == 502)
            #expect(dead.text.contains("seccomp") && dead.text.contains(call), "\(dead.text)")
            #expect(try await node.invoke("faulty", "echo again").status == 200)
        }
    }

    @Test func `a worker that crashes or exits in a call is answered 502 with how`() async throws {
        try await withFaultyNode { node in
            let exited = try await node.invoke("faulty", "exit 7")
            #expect(exited.status == 502)
            #expect(exited.text.contains("status 7"))
            let crashed = try await node.invoke("faulty", "crash")
            #expect(crashed.status == 502)
            #expect(crashed.text.contains("SIG"))
        }
    }

    @Test(arguments: ["garbage", "sent 17", "sent 18446744073709551600", "sent 1000000", "doorbells"])
    func `a worker that breaks the contract is answered 502 and ended`(fault: String) async throws {
        try await withFaultyNode { node in
            let broken = try await node.invoke("faulty", fault)
            #expect(broken.status == 502)
            #expect(broken.text.contains("contract"))
            #expect(try await node.invoke("faulty", "echo again").status == 200)
        }
    }

    @Test func `a worker that floods its log holds up nobody else`() async throws {
        try await withFaultyNode("limits:\n  timeout: 1s\nscaling:\n  max: 2\n") { node in
            async let flood = node.invoke("faulty", "log")
            for number in 0..<20 {
                let answer = try await node.invoke("faulty", "echo \(number)")
                #expect(answer.status == 200 && answer.text == "\(number)")
            }
            #expect(try await flood.status == 504)
        }
    }

    @Test func `a full queue is answered 429 with a time to come back`() async throws {
        let settings = "limits:\n  timeout: 3s\nscaling:\n  max: 1\n"
        try await withFaultyNode(settings, arguments: ["--drain-seconds", "0"]) { node in
            // One runs, 64 wait, the others are refused at once.
            let answers = try await withThrowingTaskGroup(of: TrialNode.Answer.self) { group in
                for _ in 0..<70 {
                    group.addTask { try await node.invoke("faulty", "hang") }
                }
                while let answer = try await group.next() {
                    guard answer.status == 429 else { continue }
                    group.cancelAll()
                    return Optional(answer)
                }
                return nil
            }
            let refused = try #require(answers)
            #expect(refused.headers["retry-after"].flatMap { Int($0) } ?? 0 >= 1)
        }
    }

    @Test func `a function deleted while a call waits still answers it, and then holds nothing`() async throws {
        try await withFaultyNode("limits:\n  timeout: 1s\nscaling:\n  max: 1\n") { node in
            async let running = node.invoke("faulty", "hang")
            #expect(try await node.until(seconds: 10) { !Self.workers(of: $0).isEmpty })
            async let waiting = node.invoke("faulty", "echo at last")
            let isWaiting = try await node.until(seconds: 10) { node in
                try await node.request("GET", "/pools").text.contains(#""waiting":1"#)
            }
            #expect(isWaiting)
            #expect(try await node.thaw("delete", "faulty").status == 0)
            #expect(try await running.status == 504)
            // It needs a fork of a function that is no longer known.
            #expect(try await waiting.status == 200)
            #expect(try await node.until(seconds: 10) { ProcessTable.children(of: $0.pid).isEmpty })
        }
    }

    @Test func `a content type beyond all reason is refused and kills nobody`() async throws {
        try await withFaultyNode { node in
            let headers = ["content-type": "text/" + String(repeating: "x", count: 1000)]
            let path = "/functions/faulty/invocations"
            let refused = try await node.request("POST", path, body: Data("echo".utf8), headers: headers)
            #expect(refused.status == 400)
            #expect(try await node.invoke("faulty", "echo again").status == 200)
        }
    }

    @Test func `what a worker writes to its standard error is in the logs of its function`() async throws {
        try await withFaultyNode { node in
            #expect(try await node.invoke("faulty", "stderr a word from inside").status == 200)
            let isThere = try await node.until(seconds: 5) { node in
                try await node.thaw("logs", "faulty").output.contains("a word from inside")
            }
            #expect(isThere)
        }
    }

    @Test func `a drain answers new calls 503 and lets running ones end`() async throws {
        let node = try await TrialNode(programs: try Tree.faultyPrograms(), arguments: ["--drain-seconds", "6"])
        let bundle = try TrialBundle.echo("faulty", "limits:\n  timeout: 20s\n")
        defer {
            bundle.remove()
            node.removeData()
        }
        #expect(try await node.thaw("deploy", bundle.path).status == 0)
        async let running = node.invoke("faulty", "hang")
        #expect(try await node.until(seconds: 10) { !Self.workers(of: $0).isEmpty })
        async let end = node.stop()
        let isDraining = try await node.until(seconds: 5) { try await $0.request("GET", "/readyz").status == 503 }
        #expect(isDraining)
        let refused = try await node.invoke("faulty", "echo too late")
        #expect(refused.status == 503)
        #expect(refused.headers["retry-after"] != nil)
        // The hanging one outlives the drain's seconds and is told that the node went.
        #expect(try await running.status == 503)
        #expect(await end == 0)
    }

    /// Forks of the node's templates.
    private static func workers(of node: TrialNode) -> [Int32] {
        ProcessTable.children(of: node.pid).flatMap { ProcessTable.children(of: $0) }
    }
}
