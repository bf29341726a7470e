package import Fleet
import Linux
package import Logging
import Manifests
package import Registry
import Scheduling
import Synchronization
import Wire

/// Turns a version of the registry into what the fleet needs to run it; every default of a limit ends here.
package struct FunctionBindings: Sendable {
    private let registry: Registry
    private let store: SnapshotStore
    private let coreCount: Int
    private let logger: Logger
    private let secrets: @Sendable (_ function: String) throws -> [String]
    private let provisions = Provisions()

    /// - Parameters:
    ///   - coreCount: cores of the node, the default of `scaling.max`.
    ///   - secrets: `NAME=value` of each secret of a function.
    package init(
        registry: Registry,
        store: SnapshotStore,
        coreCount: Int,
        logger: Logger,
        secrets: @escaping @Sendable (_ function: String) throws -> [String] = { _ in [] }
    ) {
        self.registry = registry
        self.store = store
        self.coreCount = coreCount
        self.logger = logger
        self.secrets = secrets
    }

    package func binding(of version: FunctionVersion) -> FunctionBinding {
        let manifest = version.manifest
        let registry = registry
        let logger = logger
        let digest = version.snapshot.digest
        var binding = FunctionBinding(
            key: PoolKey(function: version.function, version: version.version),
            limits: limits(of: version),
            snapshotPath: store.path(ofSnapshot: digest),
            snapshotDigest: digest,
            snapshotBytes: UInt64(clamping: version.snapshot.byteCount),
            bases: version.snapshot.bases.map { base in
                BaseBinding(
                    path: store.path(ofSnapshot: base.digest),
                    digest: base.digest,
                    bytes: UInt64(clamping: base.byteCount)
                )
            },
            serves: (try? registry.resolve(version.function))?.version == version.version,
            memoryBytesMax: manifest.limits.memoryBytes ?? Self.memoryBytesDefault(version),
            payloadBytesMax: manifest.limits.payloadBytes,
            environment: manifest.environment.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" },
            code: Self.code(version),
            isVerified: { identities in
                registry.verifiedFiles(ofSnapshot: digest) == identities.map { SnapshotFileState($0) }
            },
            noteVerified: { identities in
                Task {
                    do throws(RegistryError) {
                        let states = identities.map { SnapshotFileState($0) }
                        try await registry.noteVerified(snapshot: digest, files: states)
                    } catch {
                        // The next cold start verifies once more: slower, not wrong.
                        logger.warning("verified snapshot not noted", metadata: ["error": "\(error)"])
                    }
                }
            }
        )
        let secrets = secrets
        binding.secrets = { try secrets(version.function) }
        return binding
    }

    private static func code(_ version: FunctionVersion) -> CodeBoot? {
        let limits = version.manifest.limits
        guard version.manifest.runtime != .model else { return nil }
        var code = CodeBoot(
            version: UInt32(clamping: version.version),
            tmpBytesMax: limits.tmpBytes,
            initMilliseconds: UInt32(clamping: limits.initMilliseconds),
            timeoutMilliseconds: UInt32(clamping: limits.timeoutMilliseconds)
        )
        if version.manifest.network == .egress { code.egress = CodeBoot.Egress() }
        code.hasZygote = version.manifest.runtime == .python3
        return code
    }

    private func limits(of version: FunctionVersion) -> PoolLimits {
        let manifest = version.manifest
        let provisioned = provisions.workers(of: PoolKey(function: version.function, version: version.version))
        var limits = PoolLimits(
            workersMin: manifest.scaling.min,
            workersMax: max(manifest.scaling.max ?? coreCount, manifest.scaling.min, provisioned, 1),
            concurrency: manifest.concurrency,
            idleNanoseconds: UInt64(manifest.scaling.idleMilliseconds) * 1_000_000,
            timeoutNanoseconds: UInt64(manifest.limits.timeoutMilliseconds) * 1_000_000,
            waitNanosecondsMax: max(UInt64(manifest.limits.timeoutMilliseconds) * 1_000_000, Self.waitNanosecondsMin),
            batch: Self.batch(manifest)
        )
        limits.workersProvisioned = provisioned
        return limits
    }

    /// Keeps so many workers of a function's versions from now on, and none of the others.
    ///
    /// - Returns: the versions for which that is another number than before; their bindings are to be announced.
    func provision(_ function: String, _ workers: [Int: Int]) -> [Int] {
        provisions.set(function, workers)
    }

    /// The calls of a batch bring no more than one call may: that is what a worker's memory is reckoned for.
    private static func batch(_ manifest: Manifest) -> BatchLimits {
        guard let batching = manifest.batching else { return BatchLimits() }
        return BatchLimits(
            callsMax: batching.max,
            bytesMax: manifest.limits.payloadBytes,
            delayNanoseconds: UInt64(batching.delayMilliseconds) * 1_000_000
        )
    }

    /// A function with a timeout of 50 ms still has to be thawed for its first call: 10 s decode 10 GB of weights.
    private static let waitNanosecondsMin: UInt64 = 10_000_000_000

    /// Private memory of one worker where the manifest names none, in bytes.
    ///
    /// The weights are shared with the template and do not count. What a worker adds: activations, which grow with the
    /// model (a quarter of its weights covers the encoders that we know, at their longest input), the call's body and
    /// reply parsed and unparsed (8 × the payload), and 64 MiB for the process itself.
    static func memoryBytesDefault(arenaBytes: UInt64, payloadBytes: UInt64) -> UInt64 {
        arenaBytes / 4 + 8 * payloadBytes + 64 << 20
    }

    private static func memoryBytesDefault(_ version: FunctionVersion) -> UInt64 {
        guard version.manifest.runtime == .model else { return ManifestBounds.codeMemoryBytesDefault }
        return memoryBytesDefault(
            arenaBytes: UInt64(version.snapshot.arenaByteCount),
            payloadBytes: UInt64(version.manifest.limits.payloadBytes)
        )
    }
}

/// Workers that are kept of single versions, beyond what their manifests say.
private final class Provisions: Sendable {
    private let counts = Mutex<[String: [Int: Int]]>([:])

    func workers(of key: PoolKey) -> Int {
        counts.withLock { $0[key.function]?[key.version] ?? 0 }
    }

    func set(_ function: String, _ workers: [Int: Int]) -> [Int] {
        counts.withLock { counts in
            let before = counts[function] ?? [:]
            counts[function] = workers.isEmpty ? nil : workers
            return Set(before.keys).union(workers.keys).filter { before[$0] != workers[$0] }
        }
    }
}

extension SnapshotFileState {
    init(_ identity: FileIdentity) {
        self.init(
            device: identity.device,
            inode: identity.inode,
            byteCount: identity.byteCount,
            modifiedNanoseconds: identity.modifiedNanoseconds,
            changedNanoseconds: identity.changedNanoseconds
        )
    }
}
