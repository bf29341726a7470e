/// Floats that kernels read and write: aligned for the widest registers, owned by this object, not shared by threads.
///
/// Nothing hands out the memory: it is reached by copies and by the operations of ``KernelSet``, so no two of them ever
/// hold it at once. Contents are unspecified until written; fresh memory stays untouched, so that a forked worker pays
/// only for the pages it uses.
@safe
package final class FloatBuffer {
    /// One cache line, and one AVX-512 register.
    private static let alignmentBytes = 64

    private(set) var base: UnsafeMutablePointer<Float>
    package private(set) var count: Int

    package init(count: Int) {
        unsafe self.base = Self.allocated(count)
        self.count = count
    }

    package convenience init(_ floats: [Float]) {
        self.init(count: floats.count)
        write(floats)
    }

    deinit {
        unsafe base.deallocate()
    }

    private static func allocated(_ count: Int) -> UnsafeMutablePointer<Float> {
        precondition(count >= 0 && count <= Int.max / MemoryLayout<Float>.size - alignmentBytes)
        // At least one line, so that an empty buffer has an address too.
        let byteCount = max(count * MemoryLayout<Float>.size, alignmentBytes)
        let memory = UnsafeMutableRawPointer.allocate(byteCount: byteCount, alignment: alignmentBytes)
        return unsafe memory.bindMemory(to: Float.self, capacity: count)
    }

    /// Makes room for `count` floats; when it has to grow, the contents are lost.
    package func reserve(_ count: Int) {
        guard count > self.count else { return }
        let larger = unsafe Self.allocated(count)
        unsafe base.deallocate()
        unsafe base = larger
        self.count = count
    }

    /// Overwrites the first floats.
    package func write(_ floats: [Float]) {
        precondition(floats.count <= count, "writing \(floats.count) floats into a buffer of \(count)")
        unsafe floats.withUnsafeBufferPointer { source in
            guard let start = source.baseAddress else { return }
            unsafe base.update(from: start, count: source.count)
        }
    }

    /// Overwrites the first floats with bits of their own: panels of any format are numbers of four bytes.
    package func write(bytes: [UInt8]) {
        precondition(
            bytes.count <= count * MemoryLayout<Float>.size,
            "writing \(bytes.count) bytes into \(count) floats"
        )
        unsafe UnsafeMutableRawBufferPointer(start: base, count: bytes.count).copyBytes(from: bytes)
    }

    /// A buffer with the bits of whole floats, such as panels of any format.
    package convenience init(bytes: borrowing RawSpan) {
        precondition(bytes.byteCount % MemoryLayout<Float>.size == 0, "\(bytes.byteCount) bytes are no whole floats")
        self.init(count: bytes.byteCount / MemoryLayout<Float>.size)
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: base, count: source.count).copyMemory(from: source)
        }
    }

    /// Calls `body` with the bytes of all floats.
    package func withBytes<Result, Failure: Error>(
        _ body: (borrowing RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(unsafe RawSpan(_unsafeStart: base, byteCount: count * MemoryLayout<Float>.size))
    }

    /// A copy of the first `count` floats.
    package func read(_ count: Int) -> [Float] {
        precondition(count <= self.count, "reading \(count) floats of a buffer of \(self.count)")
        return unsafe Array(UnsafeBufferPointer(start: base, count: count))
    }
}
