/// The layout of a snapshot file, versions 2 and 3: a row of zstd frames that any zstd decoder reads.
///
/// Integers are little-endian.
///
/// ```
/// offset 0          72                                             indexOffset − 8
///        ┌──────────┬──────┬──────┬──────┬───────────────┬─────────┬─────────────────┬────────────────┐
///        │ header   │ data frames, one per plane of a chunk, back    │ index           │ seek table     │
///        │ skippable│ to back, in the order in which they are needed │ skippable       │ skippable      │
///        └──────────┴──────┴──────┴──────┴───────────────┴─────────┴─────────────────┴────────────────┘
///
/// header  frame 0x184D2A50 · magic "THAWSNAP" · version u32 · 0 u32 · indexOffset u64 · indexByteCount u64 · SHA-256 of the index
/// index   frame 0x184D2A51 · producer: u8 + UTF-8 · [baseCount u8 · base*] · entryCount u32 · entry*
/// base    SHA-256 of its index · bytes of its file u64
/// entry   name: u8 + UTF-8 · element u8 · layout u8 · coding u8 · access u8 · rank u8 · u64 × rank · byteCount u64 · twin u32 ·
///         [base u8 · fileOffset u64 where base > 0] · chunk*
/// chunk   bytes of the frame of each plane: u32 × planes · CRC-32C u32 · SHA-512/256
/// seek table  frame 0x184D2A5E of zstd's seekable format: compressed and decompressed size of every frame before it
/// ```
///
/// An entry's bytes are cut into chunks; a chunk of floats is rotated by a bit and taken apart into one plane per byte (see
/// `CPlanes`), any other is one plane. Each plane is a frame of its own: compressed where that makes it shorter, else one
/// raw block, whose bytes are merged from where they were read. The two are told apart by length. Checksum and digest are
/// over a chunk's frames, so every byte of the file is under one of them, or is what the index says it must be, and the
/// decompressor sees nothing that was not checked.
///
/// An entry whose `twin` is another's number + 1 has that entry's bytes, in the file and in memory; 0 stands for none.
///
/// What stands in brackets is only in version 3, of a snapshot that refers to others: an entry whose `base` is that one's
/// number + 1 has its frames in the file of the base, from `fileOffset` on, and none in this one. Its chunks are recorded here
/// as those of any other entry, so the index of a base is not needed to read or to check it. An entry with a twin names no
/// base: its lender does.
///
/// Of the file's own frames the index says no offsets: frames lie in the order of the index, and the arena too, each entry at the next multiple
/// of ``arenaAlignment``. So nothing can overlap, leave a gap or point outside, whoever wrote the index. The header is
/// written last, after the rest has reached the disk: a torn write leaves a file without a magic.
enum SnapshotFormat {
    static let magic = Array("THAWSNAP".utf8)
    static let version: UInt32 = 2
    /// A snapshot that refers to others: what reads only version 2 must not take it for a whole one.
    static let versionWithBases: UInt32 = 3
    /// Frame header and 64 bytes.
    static let headerByteCount = ZstdFrame.skippableHeaderByteCount + 64
    /// What version 1 began with: its magic, without a frame around it.
    static let versionOneByteCount = 64

    /// Magic numbers of the skippable frames, of the sixteen that zstd leaves to its users; the third is the seekable
    /// format's own.
    static let headerFrame: UInt32 = 0x184d_2a50
    static let indexFrame: UInt32 = 0x184d_2a51
    static let seekTableFrame: UInt32 = 0x184d_2a5e

    /// Bytes of an entry in one chunk, before compression.
    ///
    /// * Floats that are decoded before the first call: 256 KiB. What is read, decoded and merged for one chunk (twice
    ///   that) stays in a core's second-level cache of 512 KiB and more. MiniLM, ratio and decoding speed before the
    ///   merge: 64 KiB 1.221 and 7.0 GB/s, 128 KiB 1.221 and 7.9, 256 KiB 1.220 and 8.6, 512 KiB 1.217 and 8.5.
    /// * Tables whose rows are decoded when a call asks for them: 32 KiB, since one row costs a chunk: 21 rows of MiniLM.
    ///   The ratio stays, whole tables decode a third slower, and the index has 52 bytes for each of them.
    /// * Bytes that are not taken apart: 128 KiB, which is the largest block of zstd.
    static func chunkByteCount(_ coding: SnapshotEntry.Coding, _ access: SnapshotEntry.Access) -> Int {
        switch (coding, access) {
        case (_, .rows): 32 * 1024
        case (.bytes, .whole): planeByteCountMax
        case (.floatPlanes, .whole): chunkByteCountMax
        }
    }

    static let chunkByteCountMax = 256 * 1024

    /// A plane is at most one block of zstd, so that one that is stored as it is lies in one piece.
    static let planeByteCountMax = 128 * 1024

    /// A cache line, and the widest vector load.
    static let arenaAlignment = 64

    static let digestByteCount = 32
    static let checksumByteCount = 4

    /// Longest entry name and producer, in bytes of UTF-8: what one byte of length can say.
    static let nameByteCountMax = 255
    /// Dimensions of a tensor; model formats stop at 8 as well.
    static let rankMax = 8
    /// Entries of a snapshot: the largest models published have some 10,000 tensors.
    static let entriesMax = 65_536
    /// Other snapshots that one refers to.
    ///
    /// Each is one more file to open on a cold start, one more that stays on the disk when its own function is gone, and a
    /// descriptor in the message that boots a template. Three are the origin of a family, the version before and one other.
    static let basesMax = 3
    /// Bytes of the index, read whole: enough for 300 GB of tensors.
    static let indexByteCountMax = 64 * 1024 * 1024
}

/// Bounds that a caller may tighten.
package enum SnapshotLimits {
    /// Bytes of memory that a snapshot may ask for: more than any node of today has, far from overflow.
    package static let arenaByteCountMax = 1 << 40
    /// Other snapshots in whose files entries of one may lie.
    package static let basesMax = SnapshotFormat.basesMax
}
