/// Tensors as bytes: from a caller's body, and joined with those of other callers.
extension Tensor {
    /// A copy of `bytes`, little-endian and packed, which are as many as shape and type say.
    package init(_ element: TensorElement, shape: [Int], copying bytes: Span<UInt8>) {
        let memory = TensorMemory(byteCount: bytes.count)
        unsafe bytes.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: memory.base, count: source.count).copyMemory(from: source)
        }
        self.init(element, shape: shape, memory: memory)
        precondition(bytes.count == byteCount, "\(bytes.count) bytes for shape \(shape)")
    }

    /// The tensors one after the other along their first dimension; type and other dimensions are those of the first.
    package static func stacked(_ parts: [Tensor]) -> Tensor {
        guard let first = parts.first else { preconditionFailure("nothing to stack") }
        if parts.count == 1 { return first }
        let rest = Array(first.shape.dropFirst())
        for part in parts {
            precondition(part.element == first.element && part.shape.dropFirst().elementsEqual(rest), "\(part.shape)")
        }
        let shape = [parts.reduce(0) { $0 + $1.shape[0] }] + rest
        if first.element == .string { return Tensor(strings: parts.flatMap(\.strings), shape: shape) }
        let memory = TensorMemory(byteCount: parts.reduce(0) { $0 + $1.byteCount })
        var offset = 0
        for part in parts {
            part.withElements(as: UInt8.self) { bytes in
                unsafe bytes.withUnsafeBytes { source in
                    let target = unsafe UnsafeMutableRawBufferPointer(start: memory.base + offset, count: source.count)
                    unsafe target.copyMemory(from: source)
                }
                offset += bytes.count
            }
        }
        return Tensor(first.element, shape: shape, memory: memory)
    }

    /// Some rows of the first dimension, copied.
    package func rows(_ range: Range<Int>) -> Tensor {
        precondition(rank > 0 && range.lowerBound >= 0 && range.upperBound <= shape[0], "rows \(range) of \(shape)")
        if range.count == shape[0] { return self }
        let shape = [range.count] + shape.dropFirst()
        let rowCount = shape.dropFirst().reduce(1, *)
        let elements = range.lowerBound * rowCount..<range.upperBound * rowCount
        if element == .string { return Tensor(strings: Array(strings[elements]), shape: shape) }
        let size = element.byteCount
        return withElements(as: UInt8.self) { bytes in
            Tensor(
                element,
                shape: shape,
                copying: bytes.extracting(elements.lowerBound * size..<elements.upperBound * size)
            )
        }
    }
}
