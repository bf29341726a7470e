import Foundation
import Testing
import Trials

/// Programs on the Runtime API that call other functions in the middle of a call of their own.
@Suite(.serialized, .enabled(if: Tree.isRoot, "the programs are in namespaces of their own"))
struct NestedCallTests {
    private func withNode(_ bundle: TrialBundle, _ body: (TrialNode) async throws -> Void) async throws {
        defer { bundle.remove() }
        let node = try await TrialNode(programs: Tree.programs)
        defer { node.removeData() }
        for path in [bundle.path, Tree.functions.appendingPathComponent("echo").path] {
            let deployed = try await node.thaw("deploy", path)
            try #require(deployed.status == 0, "\(deployed.errors)")
        }
        try await body(node)
        #expect(await node.stop() == 0)
    }

    /// The function that is named by the call's body is called with `hi`; status and body of what came are the reply.
    private static let shell = #"""
        #!/bin/bash
        set -euo pipefail
        api="http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation"
        while true; do
            function=$(curl --silent --fail --dump-header /tmp/headers "$api/next")
            id=$(sed -n 's/^lambda-runtime-aws-request-id: *//Ip' /tmp/headers | tr -d '\r')
            said=$(curl --silent --write-out ' %{http_code} %{content_type}' --header 'Content-Type: text/plain' \
                --data-binary hi "$api/$id/calls/$function")
            curl --silent --output /dev/null --data-binary "$said" "$api/$id/response"
        done

        """#

    private func shellBundle() throws -> TrialBundle {
        try TrialBundle(
            "name: asker\nruntime: provided\ncalls: [echo]\n",
            files: ["bootstrap": Data(Self.shell.utf8)]
        )
    }

    @Test func `a script calls a function that its manifest names, no other, and the receipt says who called`()
        async throws
    {
        try await withNode(try shellBundle()) { node in
            let answer = try await node.invoke("asker", "echo")
            #expect(answer.status == 200 && answer.text == "hi 200 text/plain", "\(answer.text)")
            let id = try #require(answer.headers["thaw-invocation-id"])
            let receipts = try await node.thaw("receipts", "--last", "2", "--json")
            #expect(receipts.output.contains("\"parent\":\"\(id)\""), "\(receipts.output)")
            let refused = try await node.invoke("asker", "asker")
            #expect(
                refused.text.contains("asker may call echo, not asker") && refused.text.contains(" 503 "),
                "\(refused.text)"
            )
            let unheard = try await node.invoke("asker", "a/b")
            #expect(unheard.text.contains(" 404 "), "\(unheard.text)")
        }
    }

    @Test func `reserved concurrency holds for calls that functions make`() async throws {
        try await withNode(try shellBundle()) { node in
            let path = "/2017-10-31/functions/echo/concurrency"
            let none = Data(#"{"ReservedConcurrentExecutions": 0}"#.utf8)
            #expect(try await node.request("PUT", path, body: none).status == 200)
            let refused = try await node.invoke("asker", "echo")
            #expect(refused.status == 200 && refused.text.contains(" 503 "), "\(refused.text)")
            #expect(try await node.invoke("echo", "hi").status == 429)
            let one = Data(#"{"ReservedConcurrentExecutions": 1}"#.utf8)
            #expect(try await node.request("PUT", path, body: one).status == 200)
            // Each call gives its place back.
            for _ in 0..<3 { #expect(try await node.invoke("asker", "echo").text == "hi 200 text/plain") }
        }
    }

    @Test func `a function in Swift calls another, typed and as bytes`() async throws {
        let programs = URL(fileURLWithPath: Tree.programs)
        var files = ["bootstrap": try Data(contentsOf: programs.appendingPathComponent("swift-function"))]
        // It is built for tests, and so without the libraries of Swift: those that it names come along.
        let linked = try await CommandOutcome.run("/usr/bin/ldd", [Tree.programs + "/swift-function"])
        for match in linked.output.matches(of: /=> (\/\S+\/lib\/swift\/linux\/(\S+))/) {
            files["lib/\(match.2)"] = try Data(contentsOf: URL(fileURLWithPath: String(match.1)))
        }
        let manifest = "name: asker\nruntime: provided\ncalls: [echo]\nenvironment:\n  _HANDLER: ask\n"
        try await withNode(try TrialBundle(manifest, files: files)) { node in
            let answer = try await node.invoke("asker", #"{"function": "echo", "terms": [3, 4]}"#)
            let log = try await node.thaw("logs", "asker").output
            // JSON in no order of its keys.
            let isRight = answer.text.contains(#""terms":[3,4]"#) && answer.text.contains(#""bytes":6"#)
            #expect(isRight, "\(answer.text) \(log)")
            let refused = try await node.invoke("asker", #"{"function": "other", "terms": []}"#)
            #expect(refused.text.contains("asker may call echo, not other"), "\(refused.text)")
        }
    }
}
