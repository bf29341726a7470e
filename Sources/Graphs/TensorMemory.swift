/// Bytes that tensors lie in: aligned for the widest registers.
///
/// Memory of our own is recycled through a ``MemoryPool``; memory of a snapshot's arena is only viewed.
@safe
package final class TensorMemory: @unchecked Sendable {  // Safe: written by its maker only, before anyone else has it.
    /// One cache line, and one AVX-512 register.
    static let alignmentBytes = 64

    let base: UnsafeMutableRawPointer
    package let byteCount: Int
    private let isOwned: Bool
    /// Whether it came from a pool: only such memory goes back to one, or callers' inputs would fill it.
    fileprivate let isPooled: Bool

    /// Uninitialised memory.
    package convenience init(byteCount: Int) {
        self.init(byteCount: byteCount, isPooled: false)
    }

    fileprivate init(byteCount: Int, isPooled: Bool) {
        precondition(byteCount >= 0 && byteCount <= Int.max - Self.alignmentBytes)
        // At least one line, so that no element has an address too.
        unsafe base = .allocate(byteCount: max(byteCount, Self.alignmentBytes), alignment: Self.alignmentBytes)
        self.byteCount = byteCount
        isOwned = true
        self.isPooled = isPooled
    }

    /// A view of memory that outlives every user of the view, and that nobody writes meanwhile.
    @unsafe
    package init(unsafeViewing bytes: UnsafeRawBufferPointer) {
        // Never written through: only outputs are written, and those are owned.
        guard let start = bytes.baseAddress else { preconditionFailure("a view of no memory") }
        unsafe base = UnsafeMutableRawPointer(mutating: start)
        byteCount = bytes.count
        isOwned = false
        isPooled = false
    }

    deinit {
        if isOwned { unsafe base.deallocate() }
    }
}

/// Memory that calls hand back and take again: after the first call of a shape, none is asked of the system.
///
/// One thread uses a pool.
package final class MemoryPool {
    private var free: [Int: [TensorMemory]] = [:]
    /// Pieces that the system was asked for.
    private(set) var allocationCount = 0

    package init() {}

    /// Sizes are rounded up so that neighbours share: by powers of two up to a page, beyond it by an eighth.
    static func roundedByteCount(_ byteCount: Int) -> Int {
        guard byteCount > 64 else { return 64 }
        let power = 1 << (Int.bitWidth - (byteCount - 1).leadingZeroBitCount)
        guard byteCount > 4096 else { return power }
        let step = power / 16
        return (byteCount + step - 1) / step * step
    }

    func take(byteCount: Int) -> TensorMemory {
        let rounded = Self.roundedByteCount(byteCount)
        if let memory = free[rounded]?.popLast() { return memory }
        allocationCount += 1
        return TensorMemory(byteCount: rounded, isPooled: true)
    }

    /// Takes back what nobody else holds.
    func giveBack(_ memory: consuming TensorMemory) {
        guard memory.isPooled else { return }
        let byteCount = memory.byteCount
        guard isKnownUniquelyReferenced(&memory) else { return }
        free[byteCount, default: []].append(memory)
    }
}
