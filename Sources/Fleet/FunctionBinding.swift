package import Linux
package import Scheduling
package import Wire

/// All that the fleet must know of one function version to run it.
package struct FunctionBinding: Sendable {
    package var key: PoolKey
    package var limits: PoolLimits
    /// The snapshot file, content-addressed and never changed.
    package var snapshotPath: String
    /// The snapshot's digest, in lower-case hexadecimal.
    package var snapshotDigest: String
    /// Bytes of the snapshot file.
    package var snapshotBytes: UInt64
    /// Other snapshots in whose files parts of it lie, in the order of its index.
    package var bases: [BaseBinding]
    /// Calls without a qualifier go to this version.
    package var serves: Bool
    /// Private memory that one worker may use, in bytes.
    package var memoryBytesMax: UInt64
    /// The largest request body, in bytes.
    package var payloadBytesMax: Int
    /// `NAME=value`.
    package var environment: [String]
    /// Of a code function: what its template is told besides; nil for a model.
    package var code: CodeBoot?
    /// `NAME=value` of each secret, as they are when a template of code is started.
    package var secrets: @Sendable () throws -> [String] = { [] }
    /// Whether its files in these states, its own and then its bases', were once verified digest by digest; if not, the
    /// template does it while loading.
    package var isVerified: @Sendable ([FileIdentity]) -> Bool
    /// The template has verified every digest of the files in these states.
    package var noteVerified: @Sendable ([FileIdentity]) -> Void

    package init(
        key: PoolKey,
        limits: PoolLimits,
        snapshotPath: String,
        snapshotDigest: String,
        snapshotBytes: UInt64,
        bases: [BaseBinding] = [],
        serves: Bool,
        memoryBytesMax: UInt64,
        payloadBytesMax: Int,
        environment: [String],
        code: CodeBoot? = nil,
        isVerified: @escaping @Sendable ([FileIdentity]) -> Bool,
        noteVerified: @escaping @Sendable ([FileIdentity]) -> Void
    ) {
        self.key = key
        self.limits = limits
        self.snapshotPath = snapshotPath
        self.snapshotDigest = snapshotDigest
        self.snapshotBytes = snapshotBytes
        self.bases = bases
        self.serves = serves
        self.memoryBytesMax = memoryBytesMax
        self.payloadBytesMax = payloadBytesMax
        self.environment = environment
        self.code = code
        self.isVerified = isVerified
        self.noteVerified = noteVerified
    }
}

/// A snapshot in whose file parts of another lie.
package struct BaseBinding: Sendable {
    package var path: String
    /// In lower-case hexadecimal.
    package var digest: String
    /// Bytes of the file.
    package var bytes: UInt64

    package init(path: String, digest: String, bytes: UInt64) {
        self.path = path
        self.digest = digest
        self.bytes = bytes
    }
}

extension FunctionBinding {
    /// What the pool must know of where it comes from.
    var source: PoolSource {
        PoolSource(
            snapshot: SnapshotID(digest: snapshotDigest),
            fileBytes: snapshotBytes,
            bases: bases.map { PoolSource.Base(snapshot: SnapshotID(digest: $0.digest), fileBytes: $0.bytes) },
            serves: serves
        )
    }

    /// The file of its own snapshot, or of a base.
    func path(of snapshot: SnapshotID) -> String? {
        if snapshot == SnapshotID(digest: snapshotDigest) { return snapshotPath }
        return bases.first { SnapshotID(digest: $0.digest) == snapshot }?.path
    }
}
