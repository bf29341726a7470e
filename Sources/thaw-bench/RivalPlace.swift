import Foundation
import Trials

/// A rival of `deploy/rivals` that was prepared in a folder of its own: ONNX Runtime there, and the models that it is given.
struct RivalPlace {
    private let path: String
    private let script: String

    /// Runs `prepare-NAME` of the scripts, which brings what is not there yet.
    ///
    /// - Parameters:
    ///   - name: of the script that prepares.
    ///   - folder: below the caches.
    ///   - script: the program that answers, run by the folder's own Python.
    static func prepared(by name: String, in folder: String, for script: String) async throws -> RivalPlace {
        guard let scripts = Programs.rivals else { throw BenchError.noExamples }
        let caches = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache"
        let place = "\(caches)/thaw-bench/\(folder)"
        let outcome = try await CommandOutcome.run(scripts.appendingPathComponent(name).path, [place])
        guard outcome.status == 0 else {
            throw BenchError.rival("deploy/rivals/\(name)", outcome.errors + outcome.output)
        }
        return RivalPlace(path: place, script: scripts.appendingPathComponent(script).path)
    }

    /// The program, which answers from now on.
    func start() throws -> RivalProcess {
        try RivalProcess(path + "/venv/bin/python", [script, path])
    }

    func file(_ name: String) -> URL { URL(fileURLWithPath: "\(path)/\(name)") }
}
