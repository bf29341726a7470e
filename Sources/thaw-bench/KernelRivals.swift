import Foundation
import Trials

/// Other runtimes with the same model, in one process of `deploy/rivals/kernels.py` that answers line by line.
final class KernelRivals {
    private let process = Process()
    private let (orders, answers) = (Pipe(), Pipe())
    private var rest = Data()

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
        process.executableURL = URL(fileURLWithPath: place + "/venv/bin/python")
        process.arguments = [script, place]
        process.standardInput = orders
        process.standardOutput = answers
        process.standardError = FileHandle.nullDevice
        try process.run()
    }

    deinit {
        // It ends with its input.
        try? orders.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func measure(_ rival: String, ids: [[Int32]], calls: Int) throws -> Answer {
        let order = try JSONEncoder().encode(Order(rival: rival, ids: ids, calls: calls))
        try orders.fileHandleForWriting.write(contentsOf: order + Data("\n".utf8))
        while true {
            if let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                let line = rest[..<end]
                rest = Data(rest[rest.index(after: end)...])
                return try JSONDecoder().decode(Answer.self, from: line)
            }
            // What is there, at least a byte, or nothing at the end.
            let more = answers.fileHandleForReading.availableData
            guard !more.isEmpty else {
                throw BenchError.rival(rival, "deploy/rivals/kernels.py ended; run it by hand to see why")
            }
            rest.append(more)
        }
    }
}
