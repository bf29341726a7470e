/// Numbers, truth values or texts in up to ``TensorLimits/rankMax`` dimensions, row-major, without gaps.
///
/// A value: whoever has one may read it, and nobody writes it any more.
package struct Tensor: Sendable {
    private enum Storage: Sendable {
        case memory(TensorMemory)
        case strings([String])
    }

    package let element: TensorElement
    /// Sizes of the dimensions, each ≥ 0; none for a scalar.
    package let shape: [Int]
    /// Elements: the product of the shape.
    package let count: Int
    private let storage: Storage

    /// Texts; `strings` has as many as `shape` says.
    package init(strings: [String], shape: [Int]) {
        element = .string
        self.shape = shape
        count = shape.reduce(1, *)
        precondition(strings.count == count, "\(strings.count) texts for shape \(shape)")
        storage = .strings(strings)
    }

    /// `memory` holds what the shape says, and is written no more.
    package init(_ element: TensorElement, shape: [Int], memory: TensorMemory) {
        precondition(element != .string)
        self.element = element
        self.shape = shape
        count = shape.reduce(1, *)
        precondition(memory.byteCount >= count * element.byteCount, "\(memory.byteCount) bytes for shape \(shape)")
        storage = .memory(memory)
    }

    /// A copy of `values`.
    package init<Scalar: TensorScalar>(_ values: [Scalar], shape: [Int]) {
        let memory = TensorMemory(byteCount: values.count * MemoryLayout<Scalar>.stride)
        unsafe values.withUnsafeBytes { source in
            unsafe UnsafeMutableRawBufferPointer(start: memory.base, count: source.count).copyMemory(from: source)
        }
        self.init(Scalar.element, shape: shape, memory: memory)
        precondition(values.count == count, "\(values.count) values for shape \(shape)")
    }

    /// One number without dimensions.
    package init<Scalar: TensorScalar>(scalar: Scalar) {
        self.init([scalar], shape: [])
    }

    package var rank: Int { shape.count }
    package var byteCount: Int { count * element.byteCount }

    /// The same elements in another shape of as many; nothing is copied.
    package func reshaped(_ shape: [Int]) -> Tensor {
        switch storage {
        case .memory(let memory): Tensor(element, shape: shape, memory: memory)
        case .strings(let strings): Tensor(strings: strings, shape: shape)
        }
    }

    /// The texts of a tensor of texts; none of any other.
    package var strings: [String] {
        if case .strings(let strings) = storage { strings } else { [] }
    }

    /// Lends the elements in place.
    ///
    /// Reading as another type than ``element`` is a mistake of ours and traps, but for the bytes of anything as `UInt8`.
    package func withElements<Scalar: TensorScalar, Result, Failure: Error>(
        as _: Scalar.Type = Scalar.self,
        _ body: (borrowing Span<Scalar>) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        guard case .memory(let memory) = storage else { preconditionFailure("texts are not numbers") }
        precondition(Scalar.element == element || Scalar.element == .u8, "\(element) read as \(Scalar.element)")
        let elementCount = Scalar.element == element ? count : byteCount
        let buffer = unsafe UnsafeBufferPointer(
            start: memory.base.assumingMemoryBound(to: Scalar.self),
            count: elementCount
        )
        defer { withExtendedLifetime(memory) {} }
        return try body(unsafe buffer.span)
    }

    /// A copy of the elements.
    package func array<Scalar: TensorScalar>(of _: Scalar.Type = Scalar.self) -> [Scalar] {
        withElements(as: Scalar.self) { span in
            unsafe span.withUnsafeBufferPointer { unsafe Array($0) }
        }
    }

    /// The memory, for who gives it back to a pool.
    var memory: TensorMemory? {
        if case .memory(let memory) = storage { memory } else { nil }
    }
}

/// What flows between nodes.
package enum GraphValue: Sendable {
    case tensor(Tensor)
    /// ONNX's `seq(tensor)`.
    case sequence([Tensor])
    /// ONNX's `optional` without a value, or an output that a node does not give.
    case none
}

/// Every bound of tensors and graphs.
package enum TensorLimits {
    /// Dimensions: models in use have up to 6, the standard's tests up to 8.
    package static let rankMax = 8
    /// Elements of one tensor that a graph may make: 2³¹, 8 GiB of floats.
    package static let elementsMax = 1 << 31
}
