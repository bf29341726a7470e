import Foundation
import Testing
import Trials

/// The runtimes of code, driven from outside by a template, keepers and a Runtime API written in Python.
@Suite struct RuntimeTests {
    /// The interpreter that code functions are given.
    private static let interpreter = "/usr/bin/python3"
    private static let hasInterpreter = FileManager.default.isExecutableFile(atPath: interpreter)
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Python")
    /// The directory of this test's executable, and of the programs that were built with it.
    private static let programs: String = {
        let own = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
        return URL(fileURLWithPath: own ?? CommandLine.arguments[0]).deletingLastPathComponent().path
    }()

    @Test(
        .enabled(if: hasInterpreter, "the package python3 brings it"),
        arguments: [("test_calls", 18), ("test_zygote", 26), ("test_swift", 9)]
    )
    func `a runtime keeps its rules`(module: String, count: Int) async throws {
        let outcome = try await CommandOutcome.run(
            Self.interpreter,
            ["-B", "-m", "unittest", module],
            environment: ["THAW_TEST_PROGRAM": Self.programs + "/swift-function"],
            directory: Self.folder.path
        )
        #expect(outcome.status == 0, "\(outcome.errors)")
        // As many as there were when this was written, or more: a module that lost its tests passes without doing anything.
        let ran = outcome.errors.firstMatch(of: /Ran (\d+) tests/).flatMap { Int($0.1) }
        #expect(try #require(ran, "\(outcome.errors)") >= count)
    }
}
