import Foundation
import Testing
import Trials

/// The examples of `functions/` that are code, as their pages tell to deploy and call them.
@Suite(.serialized)
struct CodeExamplesTests {
    private static let swiftProgram = Tree.functions.appendingPathComponent("hello-swift/bundle/bootstrap").path
    private static let hasPython = FileManager.default.isExecutableFile(atPath: "/usr/bin/python3")

    private func reply(of example: String, _ suffix: String) async throws -> (got: String, expected: String) {
        let folder = Tree.functions.appendingPathComponent(example)
        func text(_ name: String) throws -> String {
            try String(contentsOf: folder.appendingPathComponent("\(name).\(suffix)"), encoding: .utf8)
                .trimmingCharacters(in: .newlines)
        }
        let node = try await TrialNode(programs: Tree.programs)
        defer { node.removeData() }
        let deployed = try await node.thaw("deploy", folder.path)
        try #require(deployed.status == 0, "\(deployed.errors)")
        var got: [String] = []
        // Its first call, and one to the worker that is there then.
        for start in ["cold", "hot"] {
            let answer = try await node.invoke(example, try text("request"))
            #expect(answer.status == 200, "\(answer.text)")
            #expect(answer.headers["thaw-start"] == start)
            got.append(answer.text)
        }
        #expect(got[0] == got[1])
        #expect(await node.stop() == 0)
        return (got[0], try text("expected"))
    }

    @Test func `hello-provided, a shell script, replies as expected`() async throws {
        let reply = try await reply(of: "hello-provided", "txt")
        #expect(reply.got == reply.expected)
    }

    @Test(.enabled(if: hasPython, "the package python3 brings it"))
    func `hello-python replies as expected`() async throws {
        let reply = try await reply(of: "hello-python", "json")
        #expect(reply.got == reply.expected)
    }

    @Test(.enabled(if: hasPython && Tree.hasModel, "python3 and functions/embed/fetch bring what it needs"))
    func `hello-embed asks embed, and the receipt of that call names it as its parent`() async throws {
        let folder = Tree.functions.appendingPathComponent("hello-embed")
        let node = try await TrialNode(programs: Tree.programs)
        defer { node.removeData() }
        for name in ["embed", "hello-embed"] {
            let deployed = try await node.thaw("deploy", Tree.functions.appendingPathComponent(name).path)
            try #require(deployed.status == 0, "\(deployed.errors)")
        }
        let request = try String(contentsOf: folder.appendingPathComponent("request.json"), encoding: .utf8)
        let expected = try String(contentsOf: folder.appendingPathComponent("expected.json"), encoding: .utf8)
        let answer = try await node.invoke("hello-embed", request)
        #expect(answer.status == 200 && answer.text + "\n" == expected, "\(answer.text)")
        let id = try #require(answer.headers["thaw-invocation-id"])
        let receipts = try await node.thaw("receipts", "--last", "2", "--json")
        #expect(receipts.output.contains("\"parent\":\"\(id)\""))
        #expect(await node.stop() == 0)
    }

    @Test(.enabled(if: hasPython, "the package python3 brings it"))
    func `code calls nobody whom its manifest does not name, and goes on`() async throws {
        let bundle = try TrialBundle(
            "name: asker\nruntime: python3\nhandler: app.handler\ncalls: [echo]\n",
            files: [
                "app.py": Data(
                    """
                    import thaw

                    def handler(event, context):
                        try:
                            return thaw.invoke(event["function"], event["payload"])
                        except thaw.FunctionError as error:
                            return {"type": error.error_type, "said": str(error)}
                        except thaw.InvokeError as error:
                            return {"refused": str(error)}

                    """.utf8
                )
            ]
        )
        defer { bundle.remove() }
        let node = try await TrialNode(programs: Tree.programs)
        defer { node.removeData() }
        for path in [bundle.path, Tree.functions.appendingPathComponent("echo").path] {
            let deployed = try await node.thaw("deploy", path)
            try #require(deployed.status == 0, "\(deployed.errors)")
        }
        let echoed = try await node.invoke("asker", #"{"function": "echo", "payload": {"a": [1, 2]}}"#)
        #expect(echoed.text == #"{"a": [1, 2]}"#)
        let refused = try await node.invoke("asker", #"{"function": "asker", "payload": 1}"#)
        #expect(refused.text == #"{"refused": "asker may call echo, not asker (calls in function.yaml)"}"#)
        let long = String(repeating: "x", count: 300_000)
        let large = try await node.invoke("asker", #"{"function": "echo", "payload": "\#(long)"}"#)
        #expect(large.text == "\"\(long)\"")
        #expect(await node.stop() == 0)
    }

    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: swiftProgram), "functions/hello-swift/build makes it")
    )
    func `hello-swift replies as expected`() async throws {
        let reply = try await reply(of: "hello-swift", "json")
        #expect(reply.got == reply.expected)
    }
}
