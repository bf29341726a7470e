/// Runs of elements, moved whole.
enum Blocks {
    static func copy(
        _ source: borrowing Span<UInt8>,
        from first: Int,
        count: Int,
        to target: inout MutableSpan<UInt8>,
        at place: Int
    ) {
        precondition(first >= 0 && count >= 0 && place >= 0)
        precondition(first + count <= source.count && place + count <= target.count)
        unsafe source.withUnsafeBufferPointer { source in
            unsafe target.withUnsafeMutableBufferPointer { target in
                guard let from = source.baseAddress, let to = target.baseAddress else { return }
                unsafe (to + place).update(from: from + first, count: count)
            }
        }
    }

    /// A tensor of the blocks of `length` elements at `places` (counted in blocks), one after the other.
    ///
    /// Every place is one of `tensor`, and `shape` has as many elements as the blocks together.
    static func gather(
        _ tensor: Tensor,
        _ places: [Int],
        of length: Int,
        shape: [Int],
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        if tensor.element == .string {
            let strings = tensor.strings
            let picked = places.flatMap { strings[$0 * length..<($0 + 1) * length] }
            return Tensor(strings: picked, shape: shape)
        }
        let size = length * tensor.element.byteCount
        return try call.makeBytes(tensor.element, shape) { out in
            guard size > 0 else { return }
            tensor.withElements(as: UInt8.self) { bytes in
                for (block, place) in places.enumerated() {
                    copy(bytes, from: place * size, count: size, to: &out, at: block * size)
                }
            }
        }
    }

    /// `tensor` with its blocks of `length` elements at `places` replaced by those of `updates`, in order.
    static func scatter(
        _ updates: Tensor,
        into tensor: Tensor,
        at places: [Int],
        of length: Int,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        if tensor.element == .string {
            var strings = tensor.strings
            let new = updates.strings
            for (block, place) in places.enumerated() {
                strings.replaceSubrange(
                    place * length..<(place + 1) * length,
                    with: new[block * length..<(block + 1) * length]
                )
            }
            return Tensor(strings: strings, shape: tensor.shape)
        }
        let size = length * tensor.element.byteCount
        return try call.makeBytes(tensor.element, tensor.shape) { out in
            tensor.withElements(as: UInt8.self) { bytes in
                copy(bytes, from: 0, count: bytes.count, to: &out, at: 0)
            }
            guard size > 0 else { return }
            updates.withElements(as: UInt8.self) { bytes in
                for (block, place) in places.enumerated() {
                    copy(bytes, from: block * size, count: size, to: &out, at: place * size)
                }
            }
        }
    }
}
