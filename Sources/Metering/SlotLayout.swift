/// The file of slots, in 64-bit little-endian words; a slot is one attempt that has no row in the ledger yet.
///
/// ```
/// file   header, 1,024 bytes │ slot 0 │ slot 1 │ …
/// slot   0        state: 0 free, 1 in use
///        1        generation: how many attempts had begun in this file before
///        2 ..<48  begun:    word count, checksum, the receipt that is true if nothing more is heard
///        48..<128 finished: word count, checksum, the receipt
/// ```
///
/// `begin` writes the begun area and then the state; `finish` writes the finished area and nothing else; the commit of
/// the row clears the state. The checksum takes in the generation, so what an earlier attempt left in an area does not
/// count, and a write that was cut short leaves what was true before it. A slot never crosses a page.
enum SlotLayout {
    /// 1,024 bytes: every number and name, and a reason of some sentences.
    static let slotWordCount = 128
    static let slotByteCount = slotWordCount * 8
    static let headerByteCount = slotByteCount

    static let begunArea = 2..<48
    static let finishedArea = 48..<128

    /// 16 MiB of slots, of which a quiet node touches one or two pages.
    ///
    /// Attempts in flight are hundreds; the rest holds what is finished while the disk is slow: at a thousand calls a
    /// second sixteen seconds, at 50,000 a third of one. Then admission stops until a commit has freed some.
    static let slotCountDefault = 16_384
    /// A file that says more is not ours; guards the memory that reading it takes.
    static let slotCountMax = 1 << 16

    /// "THAWSLOT" as bytes of the file.
    static let magic: UInt64 = 0x544f_4c53_5741_4854
    static let version: UInt64 = 1

    static func byteCount(slots: Int) -> Int {
        headerByteCount + slots * slotByteCount
    }

    static func header(slots: Int) -> [UInt64] {
        [magic, version, UInt64(slotWordCount), UInt64(slots)]
    }

    /// Tells a whole area from a torn one.
    ///
    /// Any single wrong word is found for certain, since each step can be undone. No defence against a forger.
    static func checksum(_ words: ArraySlice<UInt64>, generation: UInt64) -> UInt64 {
        var sum = generation &* 0x9e37_79b9_7f4a_7c15 ^ UInt64(words.count)
        for word in words {
            // The multiplier and the shift are those of MurmurHash3's finaliser.
            sum = (sum ^ word) &* 0xff51_afd7_ed55_8ccd
            sum ^= sum >> 33
        }
        return sum
    }
}
