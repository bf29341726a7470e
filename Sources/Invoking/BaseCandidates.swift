import Linux
import Logging
import Registry
import Snapshots

/// The snapshots of the node that one that is about to be made may refer to.
struct BaseCandidates {
    /// Snapshots that are looked at; each costs the deploy the reading of its index, 0.1 % of its bytes and about a
    /// millisecond for 90 MB.
    ///
    /// A deploy of such a model takes a second.
    static let countMax = 16
    /// Of them, versions of the function itself, the newest first.
    ///
    /// What an older one stored is mostly known through these, which refer to it.
    static let ownMax = 8

    /// Files of snapshots, which nobody may remove for as long as they are candidates.
    let digests: Set<String>
    private let records: [SnapshotRecord]

    static let none = BaseCandidates([])

    init(for name: String, in registry: Registry) {
        self.init(registry.recentSnapshots(for: name, ownMax: Self.ownMax, countMax: Self.countMax))
    }

    private init(_ records: [SnapshotRecord]) {
        self.records = records
        digests = Set(records.flatMap { [$0.digest] + $0.bases.map(\.digest) })
    }

    /// What the packer may know of them; one that cannot be read is left out.
    func catalog(of store: SnapshotStore, _ logger: Logger) -> TensorCatalog {
        var catalog = TensorCatalog()
        for record in records {
            do {
                let index = try SnapshotIndex(reading: try FileDescriptor.open(store.path(ofSnapshot: record.digest)))
                guard index.digest.hex == record.digest else { continue }
                try catalog.add(index)
            } catch {
                logger.warning(
                    "a snapshot is not shared with",
                    metadata: ["snapshot": "\(record.digest)", "error": "\(error)"]
                )
            }
        }
        return catalog
    }
}

/// A snapshot that was found to be whole: every stored byte, in its own file and in others.
struct VerifiedSnapshot {
    let record: SnapshotRecord
    let states: [SnapshotFileState]

    init(record: SnapshotRecord, states: [SnapshotFileState]) {
        self.record = record
        self.states = states
    }

    /// Reads the snapshot of a record again.
    ///
    /// - Throws: what is wrong with it on the disk.
    init(_ record: SnapshotRecord, in store: SnapshotStore) throws {
        let path = store.path(ofSnapshot: record.digest)
        let file = try FileDescriptor.open(path)
        let index = try SnapshotIndex(reading: file)
        guard index.digest.hex == record.digest, try index.contentDigest().hex == record.contentDigest else {
            throw SnapshotError.incomplete("its name is \(record.digest), and it is the snapshot \(index.digest)")
        }
        try index.verifyFrames(of: file, bases: try store.bases(of: index))
        self.record = record
        states = try store.states(ofSnapshot: record.digest, bases: record.bases.map(\.digest))
    }
}

extension SnapshotIndex {
    /// Reads what the packer made, and believes none of it: what is published under a name must be what the name says.
    ///
    /// - Parameter digest: as the packer reports it.
    init(doubting digest: String, of file: borrowing FileDescriptor, _ catalog: TensorCatalog) throws {
        try self.init(reading: file)
        guard self.digest.hex == digest else {
            throw DeployFailure.packerDied(reason: "contract: the snapshot is not the one that its report names")
        }
        guard bases.allSatisfy({ catalog.bases.contains($0) }) else {
            throw DeployFailure.packerDied(reason: "contract: its snapshot refers to one that it was not told of")
        }
    }
}

extension SnapshotStore {
    /// The files of a snapshot's bases, in the order of its index.
    func bases(of index: SnapshotIndex) throws(SnapshotError) -> [SharedDescriptor] {
        var files: [SharedDescriptor] = []
        for base in index.bases {
            do throws(SystemError) {
                files.append(SharedDescriptor(try FileDescriptor.open(path(ofSnapshot: base.digest.hex))))
            } catch {
                throw .base(base.digest, "\(error)")
            }
        }
        return files
    }

    /// The present states of a snapshot's file and of its bases'.
    func states(ofSnapshot digest: String, bases: [String]) throws(SystemError) -> [SnapshotFileState] {
        var states: [SnapshotFileState] = []
        for digest in [digest] + bases {
            states.append(SnapshotFileState(try FileIdentity(ofPath: path(ofSnapshot: digest))))
        }
        return states
    }
}
