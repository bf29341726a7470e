import Foundation
import Testing
import Trials

/// The Lambda API as stock clients use it, on a real node.
struct LambdaTests {
    private static let keyID = "AKIDEXAMPLE"
    private static let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

    /// A Python with boto3 and the AWS CLI beside it: that of `deploy/test`, or the machine's.
    private static let python = ProcessInfo.processInfo.environment["THAW_CLIENTS_PYTHON"] ?? "python3"

    /// Whether that Python has boto3; `deploy/test` brings it where there is a network.
    static let hasClient = isThere([python, "-c", "import boto3"])

    static let hasCommandLine = isThere(["aws", "--version"])

    private static func isThere(_ command: [String]) -> Bool {
        let process = Process()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = command
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    private func script(_ name: String) -> String {
        Tree.root.appendingPathComponent("Tests/SystemTests/Clients/\(name)").path
    }

    /// A node that asks for signatures.
    private func withSignedNode(_ body: (TrialNode) async throws -> Void) async throws {
        let folder = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: folder) }
        try "[default]\naws_access_key_id = \(Self.keyID)\naws_secret_access_key = \(Self.secret)\n"
            .write(toFile: folder + "/keys", atomically: true, encoding: .utf8)
        let node = try await TrialNode(programs: Tree.programs, arguments: ["--access-keys", folder + "/keys"])
        defer { node.removeData() }
        try await body(node)
        #expect(await node.stop() == 0)
    }

    @Test(.enabled(if: hasClient, "boto3 is not installed for python3; deploy/test installs it"))
    func `stock boto3 drives every operation, signed, with waiters and paginators`() async throws {
        try await withSignedNode { node in
            let outcome = try await CommandOutcome.run(
                "/usr/bin/env",
                [Self.python, script("lambda_api.py"), node.url, Self.keyID, Self.secret]
            )
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
            #expect(outcome.output.contains("ends: passed"))
        }
    }

    @Test(.enabled(if: hasClient, "boto3 is not installed for python3; deploy/test installs it"))
    func `stock boto3 uploads archives as a whole, in parts and in signed chunks, and makes functions of them`()
        async throws
    {
        try await withSignedNode { node in
            let outcome = try await CommandOutcome.run(
                "/usr/bin/env",
                [Self.python, script("lambda_uploads.py"), node.url, Self.keyID, Self.secret]
            )
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
            #expect(outcome.output.contains("chunks: passed"))
        }
    }

    @Test(.enabled(if: hasClient, "boto3 is not installed for python3; deploy/test installs it"))
    func `stock boto3 makes queues, and what it sends arrives, in order, again, as a dead letter, and at a function`()
        async throws
    {
        try await withSignedNode { node in
            let outcome = try await CommandOutcome.run(
                "/usr/bin/env",
                [Self.python, script("queue_api.py"), node.url, Self.keyID, Self.secret]
            )
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
            #expect(outcome.output.contains("ends: passed"))
        }
    }

    @Test(
        .enabled(
            if: hasClient && Tree.isRoot && Tree.hasPython,
            "boto3 and Python are needed, and namespaces of their own"
        )
    )
    func `a Python function comes by boto3 and answers, fails and is published as on Lambda`() async throws {
        try await withSignedNode { node in
            let outcome = try await CommandOutcome.run(
                "/usr/bin/env",
                [Self.python, script("lambda_python.py"), node.url, Self.keyID, Self.secret]
            )
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
            #expect(outcome.output.contains("ends: passed"))
        }
    }

    @Test(
        .enabled(
            if: hasClient && Tree.isRoot && Tree.hasPython,
            "boto3 and Python are needed, and namespaces of their own"
        )
    )
    func `layers come by boto3, lie in the function's root and are replaced and deleted`() async throws {
        try await withSignedNode { node in
            let outcome = try await CommandOutcome.run(
                "/usr/bin/env",
                [Self.python, script("lambda_layers.py"), node.url, Self.keyID, Self.secret]
            )
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
            #expect(outcome.output.contains("ends: passed"))
        }
    }

    @Test(.enabled(if: hasCommandLine, "the AWS CLI is not installed; deploy/test installs it"))
    func `the stock AWS CLI does what a person types`() async throws {
        try await withSignedNode { node in
            let outcome = try await CommandOutcome.run(
                "/usr/bin/env",
                ["bash", script("lambda_cli.sh"), node.url],
                environment: ["AWS_ACCESS_KEY_ID": Self.keyID, "AWS_SECRET_ACCESS_KEY": Self.secret]
            )
            #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
            #expect(outcome.output.contains("delete-function: passed"))
        }
    }

    @Test func `an accepted event survives the node, and each attempt has its receipt`() async throws {
        let arguments = ["--event-retry-seconds", "1"]
        let node = try await TrialNode(programs: try Tree.faultyPrograms(), arguments: arguments)
        let bundle = try TrialBundle.echo("faulty")
        defer {
            bundle.remove()
            node.removeData()
        }
        let deployed = try await node.thaw("deploy", bundle.path)
        try #require(deployed.status == 0, "\(deployed.errors)")
        let config = try await node.request(
            "PUT",
            "/2019-09-25/functions/faulty/event-invoke-config",
            body: Data(#"{"MaximumRetryAttempts": 1}"#.utf8)
        )
        #expect(config.status == 200)
        let accepted = try await node.request(
            "POST",
            "/2015-03-31/functions/faulty/invocations",
            body: Data("exit 3".utf8),
            headers: ["X-Amz-Invocation-Type": "Event"]
        )
        #expect(accepted.status == 202)
        let id = try #require(accepted.headers["x-amzn-requestid"])
        #expect(try await node.until(seconds: 10) { try await Self.attempts(of: id, on: $0) == [1] })
        await node.crash()
        let again = try await TrialNode(
            programs: try Tree.faultyPrograms(),
            dataDirectory: node.dataDirectory,
            arguments: arguments
        )
        #expect(try await again.until(seconds: 20) { try await Self.attempts(of: id, on: $0) == [1, 2] })
        #expect(await again.stop() == 0)
    }

    private static func attempts(of id: String, on node: TrialNode) async throws -> [Int] {
        struct Receipts: Decodable {
            struct Attempt: Decodable { var attempt: Int }
            var attempts: [Attempt]
        }
        let reply = try await node.request("GET", "/receipts/\(id)")
        guard reply.status == 200 else { return [] }
        return try JSONDecoder().decode(Receipts.self, from: reply.body).attempts.map(\.attempt).sorted()
    }
}
