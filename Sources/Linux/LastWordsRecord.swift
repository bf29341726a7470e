import Glibc

/// Where the forks of a template write why they end by themselves: one text each, shared with the template.
@safe package struct LastWordsRecord: ~Copyable {
    /// Bytes of one text, its length in front included.
    package static let slotByteCount = 1024
    private let pages: Mapping

    /// One text for each slot of a ``RefusalRecord``; pages cost memory from their first use on.
    package init() throws(SystemError) {
        pages = try Mapping.sharedAnonymous(byteCount: RefusalRecord.slotCount * Self.slotByteCount)
    }

    /// The writer of one slot, for a fork to keep.
    package func writer(of slot: Int) -> LastWords {
        precondition(slot >= 0 && slot < RefusalRecord.slotCount, "the slot is one of ours")
        return unsafe LastWords(place: pages.baseAddress + slot * Self.slotByteCount)
    }

    /// Call before the fork that will use the slot.
    package func clear(_ slot: Int) {
        unsafe writer(of: slot).place.storeBytes(of: 0, as: UInt16.self)
    }

    /// What a fork that has ended has left; empty where it left nothing, or no text.
    package func text(in slot: Int, bytesMax: Int) -> String {
        let place = unsafe writer(of: slot).place
        let count = min(Int(unsafe place.load(as: UInt16.self)), bytesMax, Self.slotByteCount - 2)
        let bytes = unsafe Array(UnsafeRawBufferPointer(start: place + 2, count: count)).map { $0 < 0x20 ? 0x20 : $0 }
        // A cut may have split its last character.
        for left in 0..<4 {
            if let text = String(validating: bytes.dropLast(left), as: UTF8.self) { return text }
        }
        return ""
    }
}

/// The way to say why this process ends.
@safe package struct LastWords: @unchecked Sendable {  // Safe: one fork writes, and is dead when it is read.
    fileprivate let place: UnsafeMutableRawPointer

    /// Leaves a text, cut where it is too long.
    package func say(_ text: String) {
        let bytes = Array(text.utf8.prefix(LastWordsRecord.slotByteCount - 2))
        unsafe place.copyMemory(from: [0, 0] + bytes, byteCount: bytes.count + 2)
        unsafe place.storeBytes(of: UInt16(bytes.count), as: UInt16.self)
    }
}
