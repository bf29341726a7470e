/// Tensors from bytes as they lie in a file or a body.
extension Tensor {
    /// A copy of `bytes`, little-endian and packed, which are as many as shape and type say.
    package init(_ element: TensorElement, shape: [Int], copying bytes: RawSpan) {
        let memory = TensorMemory(byteCount: bytes.byteCount)
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: memory.base, count: source.count).copyMemory(from: source)
        }
        self.init(element, shape: shape, memory: memory)
        precondition(bytes.byteCount == byteCount, "\(bytes.byteCount) bytes for shape \(shape)")
    }
}

extension Tensor {
    /// A copy of the bytes; none of texts.
    package var bytes: [UInt8] {
        guard element != .string else { return [] }
        return withElements(as: UInt8.self) { bytes in
            unsafe bytes.withUnsafeBufferPointer { unsafe Array($0) }
        }
    }
}
