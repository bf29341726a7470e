/// The layout of a snapshot file, version 1.
///
/// Integers are little-endian.
///
/// ```
/// offset 0                64                                   indexOffset                 end of file
///        ┌────────────────┬──────────────────────────────────┬───────────────────────────┐
///        │ header         │ chunks, back to back             │ index                     │
///        └────────────────┴──────────────────────────────────┴───────────────────────────┘
///
/// header  magic "THAWSNAP" · version u32 · 0 u32 · indexOffset u64 · indexByteCount u64 · SHA-256 of the index
/// index   producer: u8 + UTF-8 · entryCount u32 · entry*
/// entry   name: u8 + UTF-8 · element u8 · layout u8 · rank u8 · u64 × rank · byteCount u64 · chunk*
/// chunk   stored bytes of each plane: u32 × element width · CRC-32C u32 · SHA-512/256
/// ```
///
/// An entry's bytes are cut into chunks of ``chunkByteCount``; a chunk is taken apart into one plane per byte of its
/// element, and each plane is either a zstd frame, where that saves enough, or the plane itself: the two are told
/// apart by length. Checksum and digest are over the stored bytes, so every byte of the file is under one of them, and
/// the decompressor sees nothing that was not checked.
///
/// The index says no offsets: chunks lie in the order of the index, and the arena too, each entry at the next multiple
/// of ``arenaAlignment``. So nothing can overlap, leave a gap or point outside, whoever wrote the index. The header is
/// written last, after the rest has reached the disk: a torn write leaves a file without a magic.
enum SnapshotFormat {
    static let magic = Array("THAWSNAP".utf8)
    static let version: UInt32 = 1
    static let headerByteCount = 64

    /// Bytes of an entry in one chunk, before compression.
    ///
    /// 256 KiB: what is read, decoded and merged for one chunk (three times that) stays in a core's second-level cache,
    /// and 52 bytes of index for a chunk of floats are 0.02 % of it. Twice or half as much loads as fast.
    static let chunkByteCount = 256 * 1024

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
    /// Bytes of the index, read whole: enough for 300 GB of tensors.
    static let indexByteCountMax = 64 * 1024 * 1024

    static func chunkCount(of byteCount: Int) -> Int {
        byteCount / chunkByteCount + (byteCount % chunkByteCount == 0 ? 0 : 1)
    }
}

/// Bounds that a caller may tighten.
package enum SnapshotLimits {
    /// Bytes of memory that a snapshot may ask for: more than any node of today has, far from overflow.
    package static let arenaByteCountMax = 1 << 40
}
