import Foundation
import Testing
import Trials

/// Calls that nobody waits for, from the command line and through what they lead to.
struct EventTests {
    private struct Event: Decodable {
        var state: String
        var condition: String?
        var attempts: Int
        var note: String?
    }

    private func withNode(_ body: (TrialNode) async throws -> Void) async throws {
        let node = try await TrialNode(programs: Tree.programs, arguments: ["--event-retry-seconds", "0"])
        let bundle = try TrialBundle.echo("hello")
        defer {
            bundle.remove()
            node.removeData()
        }
        let deployed = try await node.thaw("deploy", bundle.path)
        try #require(deployed.status == 0, "\(deployed.errors)")
        try await body(node)
        #expect(await node.stop() == 0)
    }

    private func event(_ id: String, on node: TrialNode) async throws -> Event {
        let shown = try await node.thaw("events", id)
        return try JSONDecoder().decode(Event.self, from: Data(shown.output.utf8))
    }

    private func direct(_ side: String, to place: String, of function: String, on node: TrialNode) async throws {
        let answer = try await node.request(
            "PUT",
            "/2019-09-25/functions/\(function)/event-invoke-config",
            body: Data(
                #"{"MaximumRetryAttempts": 0, "DestinationConfig": {"\#(side)": {"Destination": "\#(place)"}}}"#.utf8
            )
        )
        #expect(answer.status == 200, "\(answer.text)")
    }

    @Test func `a call in the background is answered with its id, and its result can be asked for`() async throws {
        try await withNode { node in
            let accepted = try await node.thaw("invoke", "hello", "--async", "-d", #"{"n": 1}"#)
            let id = accepted.output.trimmingCharacters(in: .whitespacesAndNewlines)
            #expect(accepted.status == 0 && id.count == 36, "\(accepted.errors)")
            #expect(try await node.until(seconds: 10) { try await event(id, on: $0).state == "done" })
            let shown = try await node.thaw("events", id)
            #expect(shown.output.contains(#""condition":"Success""#))
            #expect(shown.output.contains(#""result":{"n":1}"#))
            let listed = try await node.thaw("events")
            #expect(listed.output.contains("hello") && listed.output.contains("Success: 1"))
            #expect(try await node.thaw("invoke", "nobody", "--async").status != 0)
            let first = try await node.request("POST", "/events?function=hello&key=once", body: Data("{}".utf8))
            let second = try await node.request("POST", "/events?function=hello&key=once", body: Data("{}".utf8))
            #expect(first.status == 202 && first.text == second.text)
        }
    }

    @Test func `a circle of destinations ends, and says so`() async throws {
        try await withNode { node in
            let bundle = try TrialBundle.echo("other")
            defer { bundle.remove() }
            #expect(try await node.thaw("deploy", bundle.path).status == 0)
            let arn = "arn:aws:lambda:us-east-1:000000000000:function:"
            try await direct("OnSuccess", to: arn + "other", of: "hello", on: node)
            try await direct("OnSuccess", to: arn + "hello", of: "other", on: node)
            #expect(try await node.thaw("invoke", "hello", "--async", "-d", "{}").status == 0)
            // Each record holds the one before it twice, so that the long ones come without.
            #expect(try await node.until(seconds: 60) { try await $0.thaw("events").output.contains("Success: 17") })
        }
    }

    @Test func `what came to nothing is kept, and sent again`() async throws {
        try await withNode { node in
            let arn = "arn:aws:lambda:us-east-1:000000000000:function:ghost"
            try await direct("OnSuccess", to: arn, of: "hello", on: node)
            #expect(try await node.thaw("invoke", "hello", "--async", "-d", "{}").status == 0)
            #expect(
                try await node.until(seconds: 10) { try await $0.thaw("events").output.contains("RetriesExhausted: 1") }
            )
            let redriven = try await node.thaw("events", "--redrive", "ghost")
            #expect(redriven.output.contains("1 calls of ghost are sent again"))
            #expect(
                try await node.until(seconds: 10) { try await $0.thaw("events").output.contains("RetriesExhausted: 2") }
            )
        }
    }

    @Test func `a result is a line of a file, once for each event`() async throws {
        try await withNode { node in
            try await direct("OnSuccess", to: "file:results", of: "hello", on: node)
            let path = node.dataDirectory + "/destinations/results.jsonl"
            // As a node leaves it that dies while it writes: the next line is one of its own.
            try Data(#"{"half": "#.utf8).write(to: URL(fileURLWithPath: path))
            for number in 0..<5 {
                #expect(try await node.thaw("invoke", "hello", "--async", "-d", "\(number)").status == 0)
            }
            #expect(
                try await node.until(seconds: 10) { _ in
                    let text = (try? String(contentsOfFile: path, encoding: .utf8)) ?? ""
                    let whole = text.split(separator: "\n").filter {
                        $0.hasPrefix("{\"requestContext\"") && $0.hasSuffix("}")
                    }
                    return whole.count == 5 && whole.allSatisfy { $0.contains(#""condition":"Success""#) }
                }
            )
        }
    }
}
