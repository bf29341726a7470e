/// What is known of a function whatever its versions do.
struct FunctionRecord: Sendable {
    let name: String
    /// Places of its installed versions in the table of pools.
    var pools: [Int] = []
    /// Its place among the histories, nil before the first call that was noted.
    var history: Int?
    /// The pool that was called last.
    var lastCalled: Int?
    var prewarms: UInt32 = 0
    var prewarmHits: UInt32 = 0
    var prewarmWaste: UInt32 = 0
}

/// What is known of a snapshot and its file, whichever functions use it, and whichever snapshots refer to the file.
struct SnapshotRecord: Sendable {
    enum Packed: Equatable, Sendable {
        case absent
        case loading
        /// The kernel has confirmed so many bytes of its file in memory.
        case held(bytes: UInt64)
    }

    let id: SnapshotID
    /// Bytes of its file.
    let fileBytes: UInt64
    /// Places of the snapshots in whose files parts of it lie, and the bytes of these files.
    var bases: [Int] = []
    var baseBytes: UInt64 = 0
    /// Pools installed with it, and snapshots that refer to its file.
    var userCount = 0
    var packed = Packed.absent
    /// Places of the pools at rest for which it is held, and what a byte of it is worth to them.
    var wanters: Set<Int> = []
    var worth: RestingLedger.Worth?
    /// Templates that are being built from it: what is held stays held.
    var bootingCount = 0
    /// Measured last; 0 before.
    var bootNanoseconds: UInt64 = 0
    var loadNanoseconds: UInt64 = 0
    var residentBytes: UInt64 = 0

    /// Until it was measured, a decoded byte is taken to cost 1 ns and a byte from the disk another 0.5 (1 and 2 GB/s),
    /// and a process 3 ms: what a node of two cores and an NVMe disk does.
    var costs: TierCosts {
        TierCosts(
            residentFromPackedNanoseconds: bootNanoseconds > 0 ? bootNanoseconds : 3_000_000 + neededBytes,
            packedFromDiskNanoseconds: max(loadNanoseconds, neededBytes / 2),
            residentBytes: residentBytes > 0 ? residentBytes : residentBytesAssumed,
            packedBytes: neededBytes
        )
    }

    /// Compressed weights take 0.7 to 0.85 of the decoded ones; a process takes some memory of its own.
    var residentBytesAssumed: UInt64 { neededBytes + neededBytes / 2 + 2 << 20 }

    /// Bytes of all files that a template is built from, whole, whoever else needs them.
    private var neededBytes: UInt64 { fileBytes + baseBytes }
}
