package import Manifests

/// One deploy of a function: numbered, immutable, callable for as long as the function exists.
package struct FunctionVersion: Codable, Equatable, Sendable {
    package let function: String
    /// Counted from 1 for each name, and never given twice.
    ///
    /// Not even after the function was deleted and made again: receipts name a function and a version, and must not
    /// come to mean two things.
    package let version: Int
    package let manifest: Manifest
    package let snapshot: SnapshotRecord
    /// RFC 3339 in UTC, to the millisecond.
    package let createdAt: String

    package init(function: String, version: Int, manifest: Manifest, snapshot: SnapshotRecord, createdAt: String) {
        self.function = function
        self.version = version
        self.manifest = manifest
        self.snapshot = snapshot
        self.createdAt = createdAt
    }
}
