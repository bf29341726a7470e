/// Elements in another order: what a strided view says.
enum MovementOperators {
    static let operators: [Operator] = [
        Operator("Transpose", transpose),
        Operator("Slice", slice),
        Operator("Split", split),
        Operator("Tile", tile),
        Operator("DepthToSpace", depthToSpace),
        Operator("SpaceToDepth", spaceToDepth),
        Operator("Concat", concat),
        Operator("ReverseSequence", reverseSequence),
    ]

    private static func transpose(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let order = try call.integers("perm") ?? Array(tensor.shape.indices.reversed())
        guard order.count == tensor.rank else {
            throw .input("the order \(order) is not one of \(tensor.rank) dimensions")
        }
        return try [.tensor(call.transposed(tensor, Axes.resolve(order, rank: tensor.rank)))]
    }

    private static func slice(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        // Attributes up to operator set 9, inputs from 10 on.
        let given = call.version < 10
        guard let starts = try given ? call.integers("starts") : call.integers(1),
            let ends = try given ? call.integers("ends") : call.integers(2)
        else { throw .invalid("starts or ends are missing") }
        let axes = try given ? call.integers("axes") : call.integers(3)
        let steps = try given ? nil : call.integers(4)
        let resolved = try Axes.resolve(axes ?? Array(starts.indices), rank: tensor.rank)
        guard starts.count == ends.count, resolved.count == starts.count, steps?.count ?? starts.count == starts.count
        else { throw .input("starts, ends, axes and steps are of different lengths") }
        var view = StridedView(tensor.shape)
        for (index, axis) in resolved.enumerated() {
            let step = steps?[index] ?? 1
            let (first, count) = try Self.range(
                from: starts[index],
                to: ends[index],
                step: step,
                size: tensor.shape[axis]
            )
            view = view.sliced(axis: axis, from: first, count: count, step: count > 1 ? step : 1)
        }
        return try [.tensor(call.materialise(tensor, view))]
    }

    /// The first index and how many, of a slice of a dimension of `size`; ends beyond it are those of the dimension.
    static func range(from start: Int, to end: Int, step: Int, size: Int) throws(GraphError) -> (first: Int, count: Int)
    {
        guard step != 0, step != .min else { throw .input("a step of \(step) leads nowhere") }
        let counted = { (place: Int) in place < 0 ? place.addingReportingOverflow(size).partialValue : place }
        if step > 0 {
            let (first, last) = (min(max(counted(start), 0), size), min(max(counted(end), 0), size))
            return (first, first < last ? (last - first - 1) / step + 1 : 0)
        }
        let (first, last) = (min(max(counted(start), -1), size - 1), min(max(counted(end), -1), size - 1))
        return (first, first > last ? (first - last - 1) / -step + 1 : 0)
    }

    private static func split(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let axis = try Axes.resolve(call.integer("axis", or: 0), rank: tensor.rank)
        let size = tensor.shape[axis]
        var parts: [Int]
        if let given = try call.integers(1, orAttribute: "split") {
            parts = given
        } else {
            let count = try call.integer("num_outputs", or: call.outputCount)
            guard count > 0, count <= max(size, call.outputCount) else {
                throw .input("\(count) parts of a size of \(size) are not possible")
            }
            let part = (size + count - 1) / count
            parts = (0..<count).map { min(part, max(0, size - $0 * part)) }
        }
        guard parts.allSatisfy({ $0 >= 0 && $0 <= size }), parts.reduce(0, +) == size else {
            throw .input("parts of \(parts) do not add up to \(size), the size of axis \(axis)")
        }
        var pieces: [GraphValue] = []
        var first = 0
        for part in parts {
            let view = StridedView(tensor.shape).sliced(axis: axis, from: first, count: part)
            pieces.append(try .tensor(call.materialise(tensor, view)))
            first += part
        }
        return pieces
    }

    private static func tile(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard let repeats = try call.integers(1), repeats.count == tensor.rank else {
            throw .input("there is not one repeat for each dimension of \(tensor.shape)")
        }
        var (shape, sizes, strides): ([Int], [Int], [Int]) = ([], [], [])
        let view = StridedView(tensor.shape)
        for (axis, count) in repeats.enumerated() {
            let (size, overflow) = count.multipliedReportingOverflow(by: tensor.shape[axis])
            guard count >= 0, !overflow else { throw .input("\(count) repeats of axis \(axis) are not possible") }
            shape.append(size)
            sizes += [count, tensor.shape[axis]]
            strides += [0, view.strides[axis]]
        }
        _ = try OperatorCall.elementCount(shape)
        return try [.tensor(call.materialise(tensor, StridedView(shape: sizes, strides: strides), as: shape))]
    }

    private static func blocks(_ call: borrowing OperatorCall) throws(GraphError) -> (tensor: Tensor, size: Int) {
        let tensor = try call.tensor(0)
        guard let size = try call.integer("blocksize"), size > 0, tensor.rank == 4 else {
            throw .input("\(tensor.shape) is not N, C, H, W, or there is no block size")
        }
        return (tensor, size)
    }

    private static func depthToSpace(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, block) = try blocks(call)
        let (n, c, h, w) = (tensor.shape[0], tensor.shape[1], tensor.shape[2], tensor.shape[3])
        guard block <= c, c % (block * block) == 0 else {
            throw .input("\(c) channels do not make blocks of \(block) × \(block)")
        }
        let depth = c / block / block
        let isColumnsFirst = try call.string("mode", or: "DCR") == "CRD"
        let sizes = isColumnsFirst ? [n, depth, block, block, h, w] : [n, block, block, depth, h, w]
        let order = isColumnsFirst ? [0, 1, 4, 2, 5, 3] : [0, 3, 4, 1, 5, 2]
        let view = StridedView(sizes).permuted(order)
        let shape = [n, depth, h * block, w * block]
        return try [.tensor(call.materialise(tensor, view, as: shape))]
    }

    private static func spaceToDepth(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, block) = try blocks(call)
        let (n, c, h, w) = (tensor.shape[0], tensor.shape[1], tensor.shape[2], tensor.shape[3])
        guard h % block == 0, w % block == 0 else {
            throw .input("\(h) × \(w) do not divide into blocks of \(block) × \(block)")
        }
        let isColumnsFirst = try call.string("mode", or: "DCR") == "CRD"
        let view = StridedView([n, c, h / block, block, w / block, block])
        let order = isColumnsFirst ? [0, 1, 3, 5, 2, 4] : [0, 3, 5, 1, 2, 4]
        let shape = [n, c * block * block, h / block, w / block]
        return try [.tensor(call.materialise(tensor, view.permuted(order), as: shape))]
    }

    private static func concat(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensors = try call.tensors()
        guard let first = tensors.first else { throw .invalid("nothing to join") }
        return try [.tensor(join(tensors, axis: Axes.resolve(call.integer("axis", or: 1), rank: first.rank), call))]
    }

    /// All tensors one after the other along `axis`; they agree in type and in all other sizes.
    static func join(
        _ tensors: [Tensor],
        axis: Int,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        guard let first = tensors.first else { throw .invalid("nothing to join") }
        var shape = first.shape
        shape[axis] = 0
        for tensor in tensors {
            var other = tensor.shape
            guard tensor.element == first.element, other.count == shape.count else {
                throw .input("\(tensor.element) \(other) does not join \(first.element) \(first.shape)")
            }
            (other[axis], shape[axis]) = (0, shape[axis] + tensor.shape[axis])
            var expected = shape
            expected[axis] = 0
            guard other == expected else {
                throw .input("\(tensor.shape) does not join \(first.shape) along axis \(axis)")
            }
        }
        if tensors.count == 1 { return first }
        let outer = shape[..<axis].reduce(1, *)
        if first.element == .string {
            var strings: [String] = []
            for row in 0..<outer {
                for tensor in tensors {
                    let part = outer == 0 ? 0 : tensor.count / outer
                    strings += tensor.strings[row * part..<(row + 1) * part]
                }
            }
            return Tensor(strings: strings, shape: shape)
        }
        return try call.makeBytes(first.element, shape) { out in
            let whole = outer == 0 ? 0 : out.count / outer
            var start = 0
            for tensor in tensors where tensor.count > 0 {
                let part = tensor.byteCount / outer
                tensor.withElements(as: UInt8.self) { bytes in
                    for row in 0..<outer {
                        Blocks.copy(bytes, from: row * part, count: part, to: &out, at: start + row * whole)
                    }
                }
                start += part
            }
        }
    }

    /// Each sequence's first elements backwards, the rest as they were.
    private static func reverseSequence(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let batchAxis = try call.integer("batch_axis", or: 1)
        let timeAxis = try call.integer("time_axis", or: 0)
        guard tensor.rank >= 2, Set([batchAxis, timeAxis]) == [0, 1] else {
            throw .input("the first two dimensions of \(tensor.shape) are not time and batch")
        }
        let lengths = try call.integers(1) ?? []
        let (batches, times) = (tensor.shape[batchAxis], tensor.shape[timeAxis])
        guard lengths.count == batches, lengths.allSatisfy({ $0 >= 0 && $0 <= times }) else {
            throw .input("the lengths \(lengths.prefix(8)) do not fit \(batches) sequences of \(times)")
        }
        guard tensor.count > 0 else { return [.tensor(tensor)] }
        let strides = StridedView.strides(of: tensor.shape)
        var places = [Int](repeating: 0, count: batches * times)
        for batch in 0..<batches {
            for time in 0..<times {
                let source = time < lengths[batch] ? lengths[batch] - 1 - time : time
                let target = batch * strides[batchAxis] + time * strides[timeAxis]
                places[target / strides[1]] = (batch * strides[batchAxis] + source * strides[timeAxis]) / strides[1]
            }
        }
        return try [.tensor(Blocks.gather(tensor, places, of: strides[1], shape: tensor.shape, call))]
    }
}
