package import Fleet
import Linux
package import Logging
package import Manifests
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
    private let packages: PackageCache
    private let installation: InstallSettings
    private let bindings: FunctionBindings
    private let logger: Logger
    private let state = Mutex(State())

    private struct State {
        var lastUpload = 0
        /// Snapshots between their publication and their version's registration, and what they may refer to: not garbage.
        var publishing: [String: Int] = [:]
        var underway = DeploysUnderway()
    }

    package init(
        registry: Registry,
        store: SnapshotStore,
        fleet: Fleet,
        packing: Packing,
        packages: PackageCache,
        installation: InstallSettings = InstallSettings(),
        bindings: FunctionBindings,
        logger: Logger
    ) {
        self.registry = registry
        self.store = store
        self.fleet = fleet
        self.packing = packing
        self.packages = packages
        self.installation = installation
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
        let packagesPath = store.incomingPath("\(number).packages")
        defer { store.removeIncoming(packagesPath) }
        var packages: String?
        var kept: Set<String> = []
        defer { letGo(kept) }
        for candidates in [BaseCandidates(for: name, in: registry), .none] {
            keep(candidates.digests, &kept)
            let catalog = candidates.catalog(of: store, logger)
            var packing = try await pack(bundlePath, into: snapshotPath, sharing: catalog, with: packages)
            if case .wants(let order) = packing, packages == nil {
                store.removeIncoming(snapshotPath)
                packages = try await install(order, of: bundlePath, for: name, by: packagesPath)
                packing = try await pack(bundlePath, into: snapshotPath, sharing: catalog, with: packages)
            }
            guard case .packed(let packed) = packing else {
                throw .packerDied(reason: "contract: it asks for packages that it was given")
            }
            state.withLock { $0.underway.update(number, of: name) { $0.phase = .publishing } }
            if let version = try await publish(snapshotPath, packed, as: name, catalog, &kept) { return version }
            store.removeIncoming(snapshotPath)
        }
        throw .storage("the snapshot could not be published: it refers to another one that cannot be read")
    }

    /// Keeps files from being collected until ``letGo(_:)``.
    private func keep(_ digests: Set<String>, _ kept: inout Set<String>) {
        let fresh = digests.subtracting(kept)
        kept.formUnion(fresh)
        state.withLock { state in
            for digest in fresh { state.publishing[digest, default: 0] += 1 }
        }
    }

    private func letGo(_ digests: Set<String>) {
        state.withLock { state in
            for digest in digests {
                let left = (state.publishing[digest] ?? 1) - 1
                state.publishing[digest] = left == 0 ? nil : left
            }
        }
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

    /// Makes a version of what serves with another manifest: its snapshot, and so its code, stays.
    package func reconfigure(
        _ name: String,
        _ change: @Sendable (inout Manifest) -> Void
    ) async throws(DeployFailure) -> FunctionVersion {
        do {
            let serving = try registry.resolve(name)
            var manifest = serving.manifest
            change(&manifest)
            try Self.checkNetwork(of: manifest)
            guard manifest.isWithinBounds else { throw DeployFailure.invalid("the settings go beyond the limits") }
            let version = try await registry.deploy(manifest: manifest, snapshot: serving.snapshot)
            fleet.announce(bindings.binding(of: version))
            return version
        } catch let failure as DeployFailure {
            throw failure
        } catch let error as RegistryError {
            throw error.isCallersFault ? .invalid("\(error)") : .storage("\(error)")
        } catch {
            throw .storage("\(error)")
        }
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

    private func pack(
        _ bundlePath: String,
        into snapshotPath: String,
        sharing catalog: TensorCatalog,
        with packages: String?
    ) async throws(DeployFailure) -> Packed {
        let report: PackReport
        let outcome = await packing.pack(
            bundle: bundlePath,
            into: snapshotPath,
            sharing: catalog.encoded(),
            packages: packages
        )
        switch outcome {
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
            return .packed(packed)
        case .refused(let refusal) where refusal.kind == .packages:
            guard let order = refusal.packages else {
                throw .packerDied(reason: "contract: it asks for packages and does not say which")
            }
            return .wants(order)
        case .refused(let refusal) where refusal.kind == .storage: throw .storage(refusal.message)
        case .refused(let refusal): throw .invalid(refusal.message)
        }
    }

    /// What a packer came to.
    private enum Packed {
        case packed(PackedFunction)
        case wants(PackageOrder)
    }

    /// The packages that a bundle asks for: those of an earlier deploy, or installed now, in a jail with a network.
    ///
    /// - Returns: path of a tar archive.
    private func install(
        _ order: PackageOrder,
        of bundlePath: String,
        for name: String,
        by incomingPath: String
    ) async throws(DeployFailure) -> String {
        do {
            let path = try packages.path(of: order, for: name)
            if packages.holds(path) { return path }
            let outcome = await packing.install(
                bundle: bundlePath,
                zip: order.zip ?? "",
                folder: order.folder,
                into: incomingPath,
                installation
            )
            switch outcome {
            case .installed:
                try packages.keep(incomingPath, as: path)
                return path
            case .failed(let reason, let lines):
                let hint = WayOut.path == nil ? "; to reach an index, it \(WayOut.missing)" : ""
                let log = lines.map { "\n  \($0)" }.joined()
                throw DeployFailure.invalid("requirements.txt: pip could not install it: \(reason)\(hint)\(log)")
            }
        } catch let failure as DeployFailure {
            throw failure
        } catch {
            throw .storage("the packages of requirements.txt could not be kept: \(error)")
        }
    }

    /// Registers the version.
    ///
    /// - Returns: nil where the snapshot refers to one that is damaged or gone: then it has to be packed without.
    private func publish(
        _ snapshotPath: String,
        _ packed: PackedFunction,
        as name: String,
        _ catalog: TensorCatalog,
        _ kept: inout Set<String>
    ) async throws(DeployFailure) -> FunctionVersion? {
        var manifest = packed.manifest
        manifest.name = name
        try Self.checkNetwork(of: manifest)
        let version: FunctionVersion
        let snapshot: VerifiedSnapshot
        do {
            let file = try FileDescriptor.open(snapshotPath, .reading)
            let index = try SnapshotIndex(doubting: packed.snapshotDigest, of: file, catalog)
            keep([packed.snapshotDigest], &kept)
            if let known = try await known(index, &kept) {
                snapshot = known
            } else {
                try file.sync()
                let record = try SnapshotRecord(index, packed)
                // Here and not in the first cold start, which somebody waits for.
                try index.verifyFrames(of: file, bases: try store.bases(of: index))
                try store.publish(snapshotPath, as: record.digest)
                snapshot = VerifiedSnapshot(
                    record: record,
                    states: try store.states(ofSnapshot: record.digest, bases: record.bases.map(\.digest))
                )
            }
            version = try await registry.deploy(manifest: manifest, snapshot: snapshot.record)
        } catch let failure as DeployFailure {
            throw failure
        } catch SnapshotError.base(let base, let reason) {
            logger.warning("a snapshot is not shared with", metadata: ["snapshot": "\(base)", "error": "\(reason)"])
            return nil
        } catch let error as SnapshotError {
            throw .packerDied(reason: "contract: its snapshot cannot be read: \(error)")
        } catch let error as RegistryError {
            throw error.isCallersFault ? .invalid("\(error)") : .storage("\(error)")
        } catch {
            throw .storage("the snapshot could not be published: \(error)")
        }
        await noteVerified(snapshot)
        fleet.announce(bindings.binding(of: version))
        logger.info(
            "deployed",
            metadata: [
                "function": "\(version.function)", "version": "\(version.version)",
                "snapshot": "\(snapshot.record.digest)",
            ]
        )
        return version
    }

    private static func checkNetwork(of manifest: Manifest) throws(DeployFailure) {
        guard manifest.network == .egress, WayOut.path == nil else { return }
        throw .invalid("network: egress \(WayOut.missing)")
    }

    /// The snapshot of an earlier deploy that holds the same, if it is still whole: then a second file has no use.
    private func known(_ index: SnapshotIndex, _ kept: inout Set<String>) async throws -> VerifiedSnapshot? {
        guard let record = try await registry.snapshot(ofContent: index.contentDigest().hex) else { return nil }
        keep(Set([record.digest] + record.bases.map(\.digest)), &kept)
        do {
            return try VerifiedSnapshot(record, in: store)
        } catch {
            logger.warning(
                "a damaged snapshot is replaced",
                metadata: ["snapshot": "\(record.digest)", "error": "\(error)"]
            )
            return nil
        }
    }

    /// The states of the files after the rename, which changed one: nobody else has written to them since they were checked.
    private func noteVerified(_ snapshot: VerifiedSnapshot) async {
        do {
            try await registry.noteVerified(snapshot: snapshot.record.digest, files: snapshot.states)
        } catch {
            // The first cold start verifies once more: slower, not wrong.
            logger.warning("verified snapshot not noted", metadata: ["error": "\(error)"])
        }
    }
}

extension SnapshotRecord {
    fileprivate init(_ index: SnapshotIndex, _ packed: PackedFunction) throws {
        self.init(
            digest: index.digest.hex,
            contentDigest: try index.contentDigest().hex,
            byteCount: index.storedByteCount,
            arenaByteCount: index.arenaByteCount,
            task: packed.task,
            signature: packed.signature,
            bases: index.bases.enumerated().map { number, base in
                SnapshotBaseRecord(
                    digest: base.digest.hex,
                    byteCount: base.fileByteCount,
                    sharedByteCount: index.sharedByteCount(base: number)
                )
            }
        )
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
