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
    static var examples: URL? { tree?.appendingPathComponent("functions") }

    /// Directory of the seccomp policies.
    static var policies: String? { tree?.appendingPathComponent("runtime/policies").path }

    /// Scripts that bring the rivals and start them.
    static var rivals: URL? { tree?.appendingPathComponent("deploy/rivals") }

    /// The embed example's model.
    static var model: String? { examples?.appendingPathComponent("embed/model").path }

    /// The tree that this program was built in.
    private static var tree: URL? {
        var folder = URL(fileURLWithPath: directory)
        for _ in 0..<4 {
            folder.deleteLastPathComponent()
            let example = folder.appendingPathComponent("functions/echo/function.yaml")
            if FileManager.default.fileExists(atPath: example.path) { return folder }
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
    case noSuchPool(String)
    case neverBecame(String, wanted: String, held: String)
    case wrongStart(expected: String, got: String)
    case floorSilent(String)
    case stillCached(path: String, bytes: Int)
    /// What the measurement itself found wanting.
    case refuted(String)
    case rival(String, String)

    var description: String {
        switch self {
        case .noExamples: "functions/ was not found: run thaw-bench from the tree that it was built in"
        case .noModel(let path): "\(path) holds no weights: functions/embed/fetch brings it"
        case .notDeployed(let name, let errors): "\(name) was not deployed: \(errors)"
        case .answered(let status, let body): "a call was answered with \(status): \(body)"
        case .noSuchPool(let name): "GET /pools does not name \(name)"
        case .neverBecame(let name, let wanted, let held): "\(name) never became \(wanted); it held \(held)"
        case .floorSilent(let name): "the floor \(name) gave no figure"
        case .stillCached(let path, let bytes):
            "\(bytes) bytes of \(path) stay in the page cache: it is mapped, or its file system lives in memory"
        case .refuted(let what): what
        case .rival(let name, let what): "\(name): \(what)"
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
