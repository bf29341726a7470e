import Foundation
import Linux
import Trials

/// Where this build's programs and the example functions lie.
enum Programs {
    /// The directory of this program, and of `thaw` beside it.
    static let directory: String = {
        let own = (try? CurrentProcess.executablePath()) ?? CommandLine.arguments[0]
        return URL(fileURLWithPath: own).deletingLastPathComponent().path
    }()

    /// `functions/` of the tree that this program was built in.
    static var examples: URL? {
        var folder = URL(fileURLWithPath: directory)
        for _ in 0..<4 {
            folder.deleteLastPathComponent()
            let functions = folder.appendingPathComponent("functions")
            if FileManager.default.fileExists(atPath: functions.appendingPathComponent("echo/function.yaml").path) {
                return functions
            }
        }
        return nil
    }
}

/// Why a benchmark could not begin.
enum BenchError: Error, CustomStringConvertible {
    case noExamples
    case noModel(String)
    case notDeployed(String, errors: String)
    case answered(Int, body: String)
    case neverCameToRest(String)
    case wrongStart(expected: String, got: String)

    var description: String {
        switch self {
        case .noExamples: "functions/ was not found: run thaw-bench from the tree that it was built in"
        case .noModel(let path): "\(path) holds no weights: functions/embed/fetch brings it"
        case .notDeployed(let name, let errors): "\(name) was not deployed: \(errors)"
        case .answered(let status, let body): "a call was answered with \(status): \(body)"
        case .neverCameToRest(let name): "\(name) still had workers long after its idle time"
        case .wrongStart(let expected, let got): "a call that had to be \(expected) was \(got)"
        }
    }
}

extension TrialNode {
    /// Deploys one of the example functions.
    func deploy(example: String) async throws {
        guard let functions = Programs.examples else { throw BenchError.noExamples }
        try await deploy(bundle: functions.appendingPathComponent(example).path, as: example)
    }

    func deploy(bundle path: String, as name: String) async throws {
        let outcome = try await thaw("deploy", path, "--name", name)
        guard outcome.status == 0 else { throw BenchError.notDeployed(name, errors: outcome.errors) }
    }
}
