import Foundation
import Trials

/// Other runtimes with the same model, in one process of `deploy/rivals/kernels.py` that answers line by line.
final class KernelRivals {
    private let process: RivalProcess

    struct Answer: Decodable {
        /// Of each call.
        var nanoseconds: [Double]
        var embedding: [Double]
        /// Which of the ways to set it up was the fastest.
        var variant: String
    }

    private struct Order: Encodable {
        var rival: String
        var ids: [[Int32]]
        var calls: Int
    }

    /// Brings them, and the model in their format, where they are not there yet.
    static func prepared() async throws -> KernelRivals {
        guard let scripts = Programs.rivals, let model = Programs.model else { throw BenchError.noExamples }
        let caches = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache"
        let place = caches + "/thaw-bench/kernel-rivals"
        let prepare = scripts.appendingPathComponent("prepare-kernels").path
        let outcome = try await CommandOutcome.run(prepare, [place, model])
        guard outcome.status == 0 else {
            throw BenchError.rival("deploy/rivals/prepare-kernels", outcome.errors + outcome.output)
        }
        return try KernelRivals(place: place, script: scripts.appendingPathComponent("kernels.py").path)
    }

    private init(place: String, script: String) throws {
        process = try RivalProcess(place + "/venv/bin/python", [script, place])
    }

    func measure(_ rival: String, ids: [[Int32]], calls: Int) throws -> Answer {
        try process.ask(Order(rival: rival, ids: ids, calls: calls), of: rival)
    }
}
