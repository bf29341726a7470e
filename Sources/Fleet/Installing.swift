import Linux

/// What became of the packages that a bundle asks for.
package enum InstallOutcome: Sendable, Equatable {
    case installed
    /// - Parameter lines: the last of what the installer said.
    case failed(reason: String, lines: [String])
}

/// Packages to be installed for one bundle.
struct InstallOrder: Sendable {
    let bundlePath: String
    let resultPath: String
    let arguments: [String]
    let settings: InstallSettings
    let continuation: CheckedContinuation<InstallOutcome, Never>
}

/// How packages are installed on this node.
package struct InstallSettings: Sendable {
    /// `NAME=value` of pip's own configuration: which index, by which proxy.
    package var environment: [String]
    package var secondsMax: Int

    package init(environment: [String] = [], secondsMax: Int = 300) {
        self.environment = environment
        self.secondsMax = secondsMax
    }

    /// Of a node's own environment, what says where packages come from, and not where they go.
    package static func environment(of variables: [String: String]) -> [String] {
        let others = ["HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE"]
        let ours = ["PIP_TARGET", "PIP_PREFIX", "PIP_ROOT", "PIP_USER", "PIP_CACHE_DIR", "PIP_LOG", "PIP_CONFIG_FILE"]
        return variables.filter { name, _ in
            name.hasPrefix("PIP_") && !ours.contains(name) || others.contains(name.uppercased())
        }
        .map { "\($0.key)=\($0.value)" }.sorted()
    }
}

extension Packing {
    /// Private memory of an installer, its files included: what it downloads, builds and leaves.
    static let installMemoryBytesMax: UInt64 = 6 << 30
    /// Of what an installer says, its author sees the end.
    static let installLinesMax = 12

    /// Installs what a bundle's `requirements.txt` names.
    ///
    /// - Parameters:
    ///   - zip: the zip file in the bundle that holds the code; empty for none.
    ///   - folder: where in that, or in the bundle, the code is; empty for its top.
    ///   - result: path of a file that does not exist; on failure the caller removes what is there.
    package func install(
        bundle: String,
        zip: String,
        folder: String,
        into result: String,
        _ settings: InstallSettings
    ) async -> InstallOutcome {
        await withCheckedContinuation { continuation in
            order(
                InstallOrder(
                    bundlePath: bundle,
                    resultPath: result,
                    arguments: ["packages", zip, folder],
                    settings: settings,
                    continuation: continuation
                )
            )
        }
    }
}

/// What the warden knows of an installer at work.
///
/// Only its thread touches it.
final class InstallWatch {
    let order: InstallOrder
    let handle: ProcessHandle
    let wayOut: WayOutWatch?
    let memory: MemoryAllowance?
    let log: LineReader
    let deadlineNanoseconds: UInt64
    var lines: [String] = []
    var verdict: String?

    init(
        order: InstallOrder,
        handle: consuming ProcessHandle,
        wayOut: WayOutWatch?,
        memory: MemoryAllowance?,
        log: LineReader,
        deadlineNanoseconds: UInt64
    ) {
        self.order = order
        self.handle = handle
        self.wayOut = wayOut
        self.memory = memory
        self.log = log
        self.deadlineNanoseconds = deadlineNanoseconds
    }

    func kill(because reason: String) {
        verdict = verdict ?? reason
        try? handle.kill()
    }
}
