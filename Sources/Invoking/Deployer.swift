package import Fleet
import Linux
package import Logging
import Manifests
package import NIOCore
package import Registry
import Scheduling
import Snapshots
import Synchronization

/// Why a deploy was refused.
///
/// The version that served before serves on, and nothing of the new one is left.
package enum DeployFailure: Error, Sendable, Equatable {
    /// The bundle is at fault; the message says where.
    case invalid(String)
    case tooLarge(bytesMax: Int)
    /// The disk, mostly.
    case storage(String)
    case packerDied(reason: String)
}

/// What a garbage collection removed.
package struct GarbageReport: Codable, Equatable, Sendable {
    /// Snapshot files removed.
    package var snapshots: Int
    /// Bytes they held.
    package var bytes: Int

    package init(snapshots: Int, bytes: Int) {
        self.snapshots = snapshots
        self.bytes = bytes
    }
}

/// Turns uploads into versions: receive, pack in a sandbox, publish the snapshot, register, serve.
package final class Deployer: Sendable {
    /// Bytes of an uploaded bundle: models of up to 7 billion 16-bit weights, which is past what one such node can serve.
    package static let uploadBytesMax = 16 << 30

    private let registry: Registry
    private let store: SnapshotStore
    private let fleet: Fleet
    private let packing: Packing
    private let bindings: FunctionBindings
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var lastUpload = 0
        /// Snapshots between their publication and their version's registration: not garbage.
        var publishing: [String: Int] = [:]
        var underway = DeploysUnderway()
    }

    package init(
        registry: Registry,
        store: SnapshotStore,
        fleet: Fleet,
        packing: Packing,
        bindings: FunctionBindings,
        logger: Logger
    ) {
        self.registry = registry
        self.store = store
        self.fleet = fleet
        self.packing = packing
        self.bindings = bindings
        self.logger = logger
    }

    /// Deploys a bundle, sent as a tar archive, under a name.
    ///
    /// - Parameters:
    ///   - name: overrules the name in the bundle's manifest.
    ///   - upload: the archive's bytes in order; written to the disk as they come.
    package func deploy<Upload: AsyncSequence & Sendable>(
        name: String,
        upload: Upload
    ) async throws(DeployFailure) -> FunctionVersion where Upload.Element == ByteBuffer {
        let number = state.withLock { state in
            state.lastUpload += 1
            return state.lastUpload
        }
        let bundlePath = store.incomingPath("\(number).tar")
        let snapshotPath = store.incomingPath("\(number).thaw")
        state.withLock { $0.underway.begin(number, of: name, snapshotPath: snapshotPath) }
        defer {
            state.withLock { $0.underway.end(number, of: name) }
            store.removeIncoming(bundlePath)
            store.removeIncoming(snapshotPath)
        }
        try await receive(upload, into: bundlePath) { byteCount in
            self.state.withLock { $0.underway.update(number, of: name) { $0.bundleBytes = byteCount } }
        }
        state.withLock { $0.underway.update(number, of: name) { $0.phase = .packing } }
        let packed = try await pack(bundlePath, into: snapshotPath)
        state.withLock { $0.underway.update(number, of: name) { $0.phase = .publishing } }
        var manifest = packed.manifest
        manifest.name = name
        return try await publish(snapshotPath, packed, manifest)
    }

    /// How far the deploy of `name` is; nil where there is none under way.
    package func progress(of name: String) -> DeployProgress? {
        state.withLock { $0.underway }.progress(of: name)
    }

    /// Removes a function; what it runs is finished first, its receipts stay.
    package func delete(_ name: String) async throws {
        let versions = try registry.versions(of: name)
        try await registry.delete(name)
        for version in versions {
            fleet.remove(PoolKey(function: name, version: version.version))
        }
        logger.info("deleted", metadata: ["function": "\(name)"])
        _ = try await collectGarbage()
    }

    /// Lets the version before serve again.
    package func rollback(_ name: String) async throws(RegistryError) -> FunctionVersion {
        let version = try await registry.rollback(name)
        fleet.announce(bindings.binding(of: version))
        return version
    }

    /// Removes the snapshot files that no version needs.
    package func collectGarbage() async throws -> GarbageReport {
        var report = GarbageReport(snapshots: 0, bytes: 0)
        for digest in try store.digests() {
            // Looked at again under the lock, snapshot by snapshot: a deploy may be publishing the same content.
            let bytes = try state.withLock { state -> Int? in
                let isUnused = !registry.unusedSnapshots(onDisk: [digest], keeping: Set(state.publishing.keys)).isEmpty
                return isUnused ? try store.remove(snapshot: digest) : nil
            }
            guard let bytes else { continue }
            report.bytes += bytes
            report.snapshots += 1
        }
        if report.snapshots > 0 {
            logger.info("collected", metadata: ["snapshots": "\(report.snapshots)", "bytes": "\(report.bytes)"])
        }
        return report
    }

    // MARK: The steps of a deploy

    private func receive<Upload: AsyncSequence & Sendable>(
        _ upload: Upload,
        into path: String,
        _ report: @Sendable (_ byteCount: Int) -> Void
    ) async throws(DeployFailure) where Upload.Element == ByteBuffer {
        do {
            let file = try FileDescriptor.open(path, [.writing, .creating, .exclusive], permissions: 0o600)
            var count = 0
            for try await piece in upload {
                count += piece.readableBytes
                guard count <= Self.uploadBytesMax else {
                    throw DeployFailure.tooLarge(bytesMax: Self.uploadBytesMax)
                }
                try file.writeAll(Array(piece.readableBytesView))
                report(count)
            }
            guard count > 0 else { throw DeployFailure.invalid("the body is empty; send the bundle as a tar archive") }
            try file.close()
        } catch let failure as DeployFailure {
            throw failure
        } catch let error as SystemError {
            throw .storage("the bundle could not be stored: \(error)")
        } catch {
            throw .invalid("the upload broke off: \(error)")
        }
    }

    private func pack(_ bundlePath: String, into snapshotPath: String) async throws(DeployFailure) -> PackedFunction {
        let report: PackReport
        switch await packing.pack(bundle: bundlePath, into: snapshotPath) {
        case .died(let reason):
            throw .packerDied(reason: reason)
        case .reported(let bytes):
            do {
                report = try PackReport(decoding: bytes)
            } catch {
                throw .packerDied(reason: "contract: its report cannot be read")
            }
        }
        switch report {
        case .packed(let packed):
            guard packed.manifest.isWithinBounds, packed.signature?.isWithinBounds ?? true else {
                throw .packerDied(reason: "contract: its report has a manifest or a signature beyond the limits")
            }
            return packed
        case .refused(let refusal) where refusal.kind == .storage: throw .storage(refusal.message)
        case .refused(let refusal): throw .invalid(refusal.message)
        }
    }

    private func publish(
        _ snapshotPath: String,
        _ packed: PackedFunction,
        _ manifest: Manifest
    ) async throws(DeployFailure) -> FunctionVersion {
        let digest = packed.snapshotDigest
        // The digest becomes a file name: the packer is not believed to have sent one.
        guard digest.count == 64, digest.allSatisfy({ $0.isHexDigit && !$0.isUppercase }) else {
            throw .packerDied(reason: "contract: its snapshot digest is not one")
        }
        state.withLock { $0.publishing[digest, default: 0] += 1 }
        defer {
            state.withLock { state in
                let left = (state.publishing[digest] ?? 1) - 1
                state.publishing[digest] = left == 0 ? nil : left
            }
        }
        let version: FunctionVersion
        do {
            let file = try FileDescriptor.open(snapshotPath, .reading)
            try file.sync()
            let byteCount = try file.size()
            // The packer is not believed: what is published under a name must be what the name says.
            let index = try SnapshotIndex(reading: file)
            guard index.digest.hex == digest else {
                throw DeployFailure.packerDied(reason: "contract: the snapshot is not the one that its report names")
            }
            // Here and not in the first cold start, which somebody waits for.
            try index.verifyFrames(of: file)
            try store.publish(snapshotPath, as: digest)
            version = try await registry.deploy(
                manifest: manifest,
                snapshot: SnapshotRecord(
                    digest: digest,
                    byteCount: byteCount,
                    arenaByteCount: index.arenaByteCount,
                    task: packed.task,
                    signature: packed.signature
                )
            )
        } catch let failure as DeployFailure {
            throw failure
        } catch let error as SnapshotError {
            throw .packerDied(reason: "contract: its snapshot cannot be read: \(error)")
        } catch let error as RegistryError {
            throw error.isCallersFault ? .invalid("\(error)") : .storage("\(error)")
        } catch {
            throw .storage("the snapshot could not be published: \(error)")
        }
        await noteVerified(digest)
        fleet.announce(bindings.binding(of: version))
        logger.info(
            "deployed",
            metadata: ["function": "\(version.function)", "version": "\(version.version)", "snapshot": "\(digest)"]
        )
        return version
    }

    /// The state of the file after the rename, which changed it too: nobody else has written to it since it was checked.
    private func noteVerified(_ digest: String) async {
        do {
            let state = SnapshotFileState(try FileIdentity(ofPath: store.path(ofSnapshot: digest)))
            try await registry.noteVerified(snapshot: digest, file: state)
        } catch {
            // The first cold start verifies once more: slower, not wrong.
            logger.warning("verified snapshot not noted", metadata: ["error": "\(error)"])
        }
    }
}

extension RegistryError {
    /// Whether another bundle would have been accepted.
    var isCallersFault: Bool {
        switch self {
        case .unknownFunction, .unknownQualifier, .invalidLabel, .nothingToRollBack, .routeTaken: true
        case .newerSchema, .corrupt, .storage: false
        }
    }
}
