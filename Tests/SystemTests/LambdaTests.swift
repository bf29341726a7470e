import Foundation
import Testing
import Trials

/// The Lambda API as stock clients use it, on a real node.
struct LambdaTests {
    private static let keyID = "AKIDEXAMPLE"
    private static let secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

    /// Whether this machine's Python has boto3; `deploy/test` brings it.
    static let hasClient =
        (try? Process.run(python, arguments: interpreter + ["-c", "import boto3"])).map { process in
            process.waitUntilExit()
            return process.terminationStatus == 0
        } ?? false

    /// The one of `deploy/test`, or the machine's.
    private static let python = URL(
        fileURLWithPath: ProcessInfo.processInfo.environment["THAW_CLIENTS_PYTHON"] ?? "/usr/bin/env"
    )
    private static let interpreter =
        ProcessInfo.processInfo.environment["THAW_CLIENTS_PYTHON"] == nil ? ["python3"] : []

    @Test(.enabled(if: hasClient, "boto3 is not installed for python3; deploy/test installs it"))
    func `stock boto3 drives every operation, signed, with waiters and paginators`() async throws {
        let keys = try TrialNode.freshDirectory() + "/keys"
        try "[default]\naws_access_key_id = \(Self.keyID)\naws_secret_access_key = \(Self.secret)\n"
            .write(toFile: keys, atomically: true, encoding: .utf8)
        let node = try await TrialNode(programs: Tree.programs, arguments: ["--access-keys", keys])
        defer { node.removeData() }
        let script = Tree.root.appendingPathComponent("Tests/SystemTests/Clients/lambda_api.py").path
        let outcome = try await CommandOutcome.run(
            Self.python.path,
            Self.interpreter + [script, node.url, Self.keyID, Self.secret],
            environment: [:],
            input: ""
        )
        #expect(outcome.status == 0, "\(outcome.output)\(outcome.errors)")
        #expect(outcome.output.contains("ends: passed"))
        #expect(await node.stop() == 0)
    }
}
