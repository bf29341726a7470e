import Kernels

// Tensors of any number type: their bytes, and copies in the types that plain bodies compute in.

extension OperatorCall {
    /// A new tensor of any number type, which `fill` writes completely, as bytes.
    func makeBytes(
        _ element: TensorElement,
        _ shape: [Int],
        _ fill: (inout MutableSpan<UInt8>) throws(GraphError) -> Void
    ) throws(GraphError) -> Tensor {
        guard element != .string else { throw .invalid("numbers are needed here, not texts") }
        let byteCount = try Self.elementCount(shape) * element.byteCount
        let bytes = try make(UInt8.self, [byteCount], fill)
        guard let memory = bytes.memory else { preconditionFailure("bytes have memory") }
        return Tensor(element, shape: shape, memory: memory)
    }

    /// `tensor` with the elements of another number type.
    func cast(_ tensor: Tensor, to element: TensorElement) throws(GraphError) -> Tensor {
        guard tensor.element != element else { return tensor }
        guard tensor.element != .string else { throw .invalid("numbers are needed here, not texts") }
        return try makeBytes(element, tensor.shape) { out in
            tensor.withElements(as: UInt8.self) { bytes in
                Elements.convert(
                    bytes,
                    from: tensor.element.rawValue,
                    to: element.rawValue,
                    count: tensor.count,
                    out: &out
                )
            }
        }
    }

    /// A tensor of `element` from as many doubles as `shape` says.
    func make(_ element: TensorElement, _ shape: [Int], doubles: [Double]) throws(GraphError) -> Tensor {
        let count = try Self.elementCount(shape)
        precondition(doubles.count == count, "\(doubles.count) values for shape \(shape)")
        return try cast(Tensor(doubles, shape: shape), to: element)
    }

    /// A tensor of `element` from as many integers as `shape` says.
    func make(_ element: TensorElement, _ shape: [Int], integers: [Int64]) throws(GraphError) -> Tensor {
        let count = try Self.elementCount(shape)
        precondition(integers.count == count, "\(integers.count) values for shape \(shape)")
        return try cast(Tensor(integers, shape: shape), to: element)
    }
}

extension Tensor {
    /// The elements of a tensor of any number type, as doubles.
    func doubles() throws(GraphError) -> [Double] {
        try converted(to: Double.self, startingAs: 0)
    }

    /// The elements of a tensor of any number type, as integers; what u64 has beyond them keeps its bits.
    func wideIntegers() throws(GraphError) -> [Int64] {
        try converted(to: Int64.self, startingAs: 0)
    }

    func floats() throws(GraphError) -> [Float] {
        try converted(to: Float.self, startingAs: 0)
    }

    private func converted<Scalar: TensorScalar>(
        to _: Scalar.Type,
        startingAs zero: Scalar
    ) throws(GraphError) -> [Scalar] {
        guard element != .string else { throw .invalid("numbers are needed here, not texts") }
        guard element != Scalar.element else { return array(of: Scalar.self) }
        var values = [Scalar](repeating: zero, count: count)
        withElements(as: UInt8.self) { bytes in
            unsafe values.withUnsafeMutableBytes { raw in
                var out = unsafe raw.assumingMemoryBound(to: UInt8.self).mutableSpan
                Elements.convert(bytes, from: element.rawValue, to: Scalar.element.rawValue, count: count, out: &out)
            }
        }
        return values
    }
}
