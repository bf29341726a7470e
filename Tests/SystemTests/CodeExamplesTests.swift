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

    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: swiftProgram), "functions/hello-swift/build makes it")
    )
    func `hello-swift replies as expected`() async throws {
        let reply = try await reply(of: "hello-swift", "json")
        #expect(reply.got == reply.expected)
    }
}
