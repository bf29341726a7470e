package import Manifests

/// What the registry knows of a snapshot without opening it.
package struct SnapshotRecord: Codable, Hashable, Sendable {
    /// Lower-case hexadecimal; also the snapshot's file name.
    package let digest: String
    /// The digest that it would have if it referred to no other: equal where all that it holds is equal.
    package let contentDigest: String
    /// Bytes of the file.
    package let byteCount: Int
    /// Bytes of its tensors once decompressed.
    package let arenaByteCount: Int
    package let task: TaskKind
    /// nil without a model, and for what an older Thaw packed.
    package let signature: ModelSignature?
    /// Other snapshots in whose files tensors of this one lie, in the order of its index; empty for most.
    package let bases: [SnapshotBaseRecord]

    /// - Parameter contentDigest: nil for a snapshot without bases, whose content has its own digest.
    package init(
        digest: String,
        contentDigest: String? = nil,
        byteCount: Int,
        arenaByteCount: Int,
        task: TaskKind,
        signature: ModelSignature? = nil,
        bases: [SnapshotBaseRecord] = []
    ) {
        self.digest = digest
        self.contentDigest = contentDigest ?? digest
        self.byteCount = byteCount
        self.arenaByteCount = arenaByteCount
        self.task = task
        self.signature = signature
        self.bases = bases
    }
}

/// A file that a snapshot needs beside its own.
package struct SnapshotBaseRecord: Codable, Hashable, Sendable {
    /// Of the snapshot whose file it is.
    package let digest: String
    /// Bytes of the file.
    package let byteCount: Int
    /// Bytes of it that are referred to.
    package let sharedByteCount: Int

    package init(digest: String, byteCount: Int, sharedByteCount: Int) {
        self.digest = digest
        self.byteCount = byteCount
        self.sharedByteCount = sharedByteCount
    }
}

/// What the version that serves has in common with another one, for people.
package struct SharedTensors: Codable, Equatable, Sendable {
    /// Bytes of the file that it does not store itself.
    package let byteCount: Int
    /// Whose file they lie in, as in `embed@3`; nil where that version is deleted, and its file stays for this one.
    package let owner: String?

    package init(byteCount: Int, owner: String?) {
        self.byteCount = byteCount
        self.owner = owner
    }
}
