/// Floats that live elsewhere, in the arena of a loaded snapshot, and that kernels only read.
///
/// Panels of another ``WeightFormat`` are viewed as if they were floats: they are whole numbers of four bytes as well.
///
/// The view does not keep the memory alive. Whoever makes one promises that the memory stays mapped, at its place and,
/// where kernels have read it, unchanged for as long as any copy of the view is used: a worker's arena lives as long as
/// the process, and rows that are decoded late are so before a kernel is asked to read them.
@safe
package struct WeightView: @unchecked Sendable {  // Safe: what a kernel reads is not written any more.
    let base: UnsafePointer<Float>
    /// Floats, at least one.
    package let count: Int

    /// Views little-endian floats; nil where the bytes are none, not whole floats, or not aligned as floats.
    /// - Parameter bytes: memory that outlives every copy of the view; 64-byte alignment is fastest.
    @unsafe
    package init?(unsafe bytes: UnsafeRawBufferPointer) {
        let size = MemoryLayout<Float>.size
        guard let start = bytes.baseAddress, bytes.count >= size, bytes.count % size == 0 else { return nil }
        guard Int(bitPattern: start) % MemoryLayout<Float>.alignment == 0 else { return nil }
        count = bytes.count / size
        unsafe base = start.bindMemory(to: Float.self, capacity: bytes.count / size)
    }

    /// A buffer as a weight: it outlives every copy of the view, and nothing writes it meanwhile.
    @unsafe
    package init(constant buffer: FloatBuffer) {
        unsafe base = UnsafePointer(buffer.base)
        count = buffer.count
    }
}
