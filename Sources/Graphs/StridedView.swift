import Kernels

/// A tensor's elements in another order, some left out or repeated: sizes, and how far apart neighbours lie.
///
/// Transpositions, slices, repetitions and crops are views of which ``OperatorCall/materialise(_:_:as:)`` makes tensors.
struct StridedView {
    var shape: [Int]
    /// By dimension: elements from one to the next, negative where they run backwards, 0 where one is repeated.
    var strides: [Int]
    /// The element at index 0 of all dimensions.
    var start = 0

    /// All elements of a tensor of `shape` in their order.
    init(_ shape: [Int]) {
        self.shape = shape
        strides = Self.strides(of: shape)
    }

    init(shape: [Int], strides: [Int], start: Int = 0) {
        self.shape = shape
        self.strides = strides
        self.start = start
    }

    static func strides(of shape: [Int]) -> [Int] {
        var strides = [Int](repeating: 1, count: shape.count)
        for dimension in stride(from: shape.count - 2, through: 0, by: -1) {
            strides[dimension] = strides[dimension + 1] * shape[dimension + 1]
        }
        return strides
    }

    var count: Int { shape.reduce(1, *) }

    /// Dimension i of the result is dimension `permutation[i]` of this.
    func permuted(_ permutation: [Int]) -> StridedView {
        StridedView(shape: permutation.map { shape[$0] }, strides: permutation.map { strides[$0] }, start: start)
    }

    /// `count` elements along `axis`, from `first` on, `step` apart.
    func sliced(axis: Int, from first: Int, count: Int, step: Int = 1) -> StridedView {
        var view = self
        view.shape[axis] = count
        if count > 0 { view.start += first * strides[axis] }
        view.strides[axis] *= step
        return view
    }

    /// Repeated to a shape that it fits.
    func expanded(to shape: [Int]) -> StridedView {
        var result = StridedView(
            shape: shape,
            strides: [Int](repeating: 0, count: shape.count),
            start: start
        )
        let offset = shape.count - self.shape.count
        for dimension in self.shape.indices where self.shape[dimension] != 1 {
            result.strides[offset + dimension] = strides[dimension]
        }
        return result
    }

    /// The places of all elements, in order.
    var places: [Int] {
        var places = [start]
        for (size, stride) in zip(shape, strides) {
            places = places.flatMap { place in (0..<size).map { place + $0 * stride } }
        }
        return places
    }
}

extension OperatorCall {
    /// A tensor of the elements that `view` walks, in `shape` (or in the view's own), which has as many.
    func materialise(_ tensor: Tensor, _ view: StridedView, as shape: [Int]? = nil) throws(GraphError) -> Tensor {
        let shape = shape ?? view.shape
        let count = try Self.elementCount(shape)
        precondition(count == view.count, "\(count) elements of a view of \(view.shape)")
        if tensor.element == .string {
            let strings = tensor.strings
            return Tensor(strings: count == 0 ? [] : view.places.map { strings[$0] }, shape: shape)
        }
        var strides = [view.strides]
        let dimensions = Broadcasting.collapsed(view.shape, &strides)
        if count == tensor.count, view.start == 0, dimensions.count == 1, strides[0] == [1] {
            return tensor.reshaped(shape)
        }
        return try makeBytes(tensor.element, shape) { out in
            guard count > 0 else { return }
            tensor.withElements(as: UInt8.self) { bytes in
                let walk = Elements.Walk(start: view.start, strides: strides[0])
                let size = tensor.element.byteCount
                Elements.copy(byteCount: size, dimensions: dimensions, bytes, walk, out: &out)
            }
        }
    }

    /// `tensor` with its dimensions in another order.
    func transposed(_ tensor: Tensor, _ permutation: [Int]) throws(GraphError) -> Tensor {
        try materialise(tensor, StridedView(tensor.shape).permuted(permutation))
    }

    func expanded(_ tensor: Tensor, to shape: [Int]) throws(GraphError) -> Tensor {
        try materialise(tensor, StridedView(tensor.shape).expanded(to: shape))
    }
}

/// Axes as nodes give them: counted from the end where negative.
enum Axes {
    static func resolve(_ axis: Int, rank: Int) throws(GraphError) -> Int {
        let resolved = axis < 0 ? axis + rank : axis
        guard resolved >= 0 && resolved < rank else {
            throw .input("the axis \(axis) is not one of \(rank) dimensions")
        }
        return resolved
    }

    /// Each once, in the order given.
    static func resolve(_ axes: [Int], rank: Int) throws(GraphError) -> [Int] {
        var seen: [Int] = []
        for axis in axes {
            let resolved = try resolve(axis, rank: rank)
            guard !seen.contains(resolved) else { throw .invalid("the axis \(axis) is given twice in \(axes)") }
            seen.append(resolved)
        }
        return seen
    }
}

extension OperatorCall {
    /// Numbers that older operator sets give as an attribute and newer ones as an input.
    func integers(_ index: Int, orAttribute name: String) throws(GraphError) -> [Int]? {
        if let given = try integers(index) { return given }
        return try integers(name)
    }
}
