import Foundation
import Testing
import Trials

/// The Python runtime in `runtime/python/`, driven over its sockets by a template and keepers written in Python.
@Suite struct PythonRuntimeTests {
    /// The interpreter that code functions are given.
    private static let interpreter = "/usr/bin/python3"
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Python")

    @Test(
        .enabled(if: FileManager.default.isExecutableFile(atPath: interpreter), "the package python3 brings it"),
        arguments: [("test_calls", 18), ("test_zygote", 26)]
    )
    func `the Python runtime keeps its rules`(module: String, count: Int) async throws {
        let outcome = try await CommandOutcome.run(
            Self.interpreter,
            ["-B", "-m", "unittest", module],
            directory: Self.folder.path
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        // As many as there were when this was written, or more: a module that lost its tests passes without doing anything.
        let ran = outcome.errors.firstMatch(of: /Ran (\d+) tests/).flatMap { Int($0.1) }
        #expect(try #require(ran, "\(outcome.errors)") >= count)
    }
}
