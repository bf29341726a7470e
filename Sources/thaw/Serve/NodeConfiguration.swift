import Doors
import Foundation
import Linux

/// What a node is told when it starts; nothing of it changes afterwards.
struct NodeConfiguration: Sendable {
    var directory: String
    var listen: ListenAddress
    var token: BearerToken?
    /// With which requests of the Lambda API are signed; nil where they need not be.
    var keys: AccessKeys?
    /// The region that the Lambda API names its resources in.
    var region: String
    /// Before an event that failed is tried again; twice as long before the third time.
    var eventRetrySeconds: Int
    /// Events that may wait for one function.
    var eventsMax: Int
    /// How long it is kept what became of an event.
    var outcomeHours: Int
    /// Folders below which mappings may watch folders.
    var watchable: [String]
    /// The longest that the packages of one bundle may take to install.
    var installSecondsMax: Int
    /// Bytes of all that may stay without calls.
    var restingBytesMax: UInt64
    /// Workers forked ahead of calls for each resident snapshot, within those bytes.
    var reserve: Int
    /// nil: 32 for each core.
    ///
    /// An idle worker costs some hundred kilobytes, and more than that many that run at once only take turns.
    var workersMax: Int?
    /// How long calls in progress may take after the order to end.
    var drain: Duration
}

/// Why a node did not start.
enum NodeError: Error, CustomStringConvertible {
    case directoryInUse(path: String, pid: String)
    case programMissing(path: String)
    case policiesMissing(searched: [String])
    case cannotStart(String)

    var description: String {
        switch self {
        case .directoryInUse(let path, let pid):
            "\(path) is in use by another `thaw serve` (pid \(pid)); stop that one, or choose another --data"
        case .programMissing(let path):
            "\(path) is missing: the programs thaw-* must lie beside thaw; build them with `swift build`"
        case .policiesMissing(let searched):
            "the sandbox policies were not found; searched \(searched.joined(separator: ", "))"
        case .cannotStart(let reason):
            reason
        }
    }
}

/// Where the parts of an installation lie, found from this program's own path.
struct Installation: Sendable {
    let workerPath: String
    let packerPath: String
    let jailPath: String
    let sourcePath: String
    /// Directory of the seccomp policies.
    let policiesPath: String
    /// Directory above it, with the language runtimes of code functions.
    let runtimePath: String

    init() throws(NodeError) {
        let own: String
        do throws(SystemError) {
            own = try CurrentProcess.executablePath()
        } catch {
            throw .cannotStart("this program cannot find itself: \(error)")
        }
        let folder = URL(fileURLWithPath: own).deletingLastPathComponent()
        workerPath = folder.appendingPathComponent("thaw-worker").path
        packerPath = folder.appendingPathComponent("thaw-pack").path
        jailPath = folder.appendingPathComponent("thaw-jail").path
        sourcePath = folder.appendingPathComponent("thaw-source").path
        for path in [workerPath, packerPath, jailPath, sourcePath]
        where !FileManager.default.isExecutableFile(atPath: path) {
            throw .programMissing(path: path)
        }
        // Installed: PREFIX/bin/thaw and PREFIX/share/thaw. Built: TREE/.build/TRIPLE/CONFIGURATION/thaw and TREE/runtime.
        var candidates = [folder.appendingPathComponent("../share/thaw/policies").standardized.path]
        var ancestor = folder
        for _ in 0..<4 {
            ancestor.deleteLastPathComponent()
            candidates.append(ancestor.appendingPathComponent("runtime/policies").path)
        }
        guard let found = candidates.first(where: { FileManager.default.fileExists(atPath: $0 + "/worker.policy") })
        else { throw .policiesMissing(searched: candidates) }
        policiesPath = found
        runtimePath = URL(fileURLWithPath: found).deletingLastPathComponent().path
    }
}
