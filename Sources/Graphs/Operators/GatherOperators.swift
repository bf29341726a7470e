/// Elements picked by index.
enum GatherOperators {
    static let operators: [Operator] = [
        Operator("Gather", gather),
        Operator("GatherElements", gatherElements),
        Operator("GatherND", gatherND),
        Operator("Compress", compress),
        Operator("NonZero", nonZero),
        Operator("OneHot", oneHot),
        Operator("Trilu", trilu),
        Operator("ArrayFeatureExtractor", domain: "ai.onnx.ml", features),
    ]

    /// Indices into a dimension of `size`, counted from its end where negative.
    static func indices(_ tensor: Tensor, size: Int) throws(GraphError) -> [Int] {
        var indices = try tensor.integers()
        for place in indices.indices {
            if indices[place] < 0 { indices[place] &+= size }
            guard indices[place] >= 0 && indices[place] < size else {
                throw .input("the index \(try tensor.integers()[place]) is outside a dimension of \(size)")
            }
        }
        return indices
    }

    private static func gather(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, index) = try (call.tensor(0), call.tensor(1))
        let axis = try Axes.resolve(call.integer("axis", or: 0), rank: tensor.rank)
        let indices = try indices(index, size: tensor.shape[axis])
        let outer = tensor.shape[..<axis].reduce(1, *)
        let inner = tensor.shape[(axis + 1)...].reduce(1, *)
        let shape = Array(tensor.shape[..<axis]) + index.shape + Array(tensor.shape[(axis + 1)...])
        _ = try OperatorCall.elementCount(shape)
        let places = (0..<outer).flatMap { row in indices.map { row * tensor.shape[axis] + $0 } }
        return try [.tensor(Blocks.gather(tensor, places, of: inner, shape: shape, call))]
    }

    /// For each element of `index`, its place in `tensor`: its own index, with that along `axis` replaced.
    static func elementPlaces(_ index: Tensor, in tensor: Tensor, axis: Int) throws(GraphError) -> [Int] {
        guard index.rank == tensor.rank else {
            throw .input("indices \(index.shape) and data \(tensor.shape) have different dimensions")
        }
        for dimension in index.shape.indices where dimension != axis {
            guard index.shape[dimension] <= tensor.shape[dimension] else {
                throw .input("indices \(index.shape) reach beyond data \(tensor.shape)")
            }
        }
        let indices = try indices(index, size: tensor.shape[axis])
        var strides = StridedView.strides(of: tensor.shape)
        let step = strides[axis]
        strides[axis] = 0
        let places = StridedView(shape: index.shape, strides: strides).places
        return zip(places, indices).map { $0 + $1 * step }
    }

    private static func gatherElements(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, index) = try (call.tensor(0), call.tensor(1))
        let axis = try Axes.resolve(call.integer("axis", or: 0), rank: tensor.rank)
        let places = try elementPlaces(index, in: tensor, axis: axis)
        return try [.tensor(Blocks.gather(tensor, places, of: 1, shape: index.shape, call))]
    }

    /// The places of the blocks that the last dimension of `index` names, and how long those are.
    static func blockPlaces(
        _ index: Tensor,
        in tensor: Tensor,
        batchDimensions: Int
    ) throws(GraphError) -> (places: [Int], length: Int) {
        guard let depth = index.shape.last, batchDimensions >= 0, batchDimensions < index.rank,
            batchDimensions <= tensor.rank, depth <= tensor.rank - batchDimensions,
            index.shape[..<batchDimensions] == tensor.shape[..<batchDimensions]
        else { throw .input("indices \(index.shape) do not fit data \(tensor.shape)") }
        let sizes = tensor.shape[batchDimensions..<batchDimensions + depth]
        let length = tensor.shape[(batchDimensions + depth)...].reduce(1, *)
        let perBatch = sizes.reduce(1, *)
        let batches = index.shape[..<batchDimensions].reduce(1, *)
        let values = try index.integers()
        let rows = index.shape.dropLast().reduce(1, *)
        var places: [Int] = []
        places.reserveCapacity(rows)
        for row in 0..<rows {
            var place = 0
            for (dimension, size) in sizes.enumerated() {
                let given = values[row * depth + dimension]
                let index = given < 0 ? given &+ size : given
                guard index >= 0 && index < size else {
                    throw .input("the index \(given) is outside a dimension of \(size)")
                }
                place = place * size + index
            }
            places.append(row / (rows / batches) * perBatch + place)
        }
        return (places, length)
    }

    private static func gatherND(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, index) = try (call.tensor(0), call.tensor(1))
        let batchDimensions = try call.integer("batch_dims", or: 0)
        let (places, length) = try blockPlaces(index, in: tensor, batchDimensions: batchDimensions)
        let depth = index.shape[index.rank - 1]
        let shape = Array(index.shape.dropLast()) + Array(tensor.shape[(batchDimensions + depth)...])
        _ = try OperatorCall.elementCount(shape)
        return try [.tensor(Blocks.gather(tensor, places, of: length, shape: shape, call))]
    }

    private static func compress(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let given = try call.tensor(0)
        let condition = try call.integers(1) ?? []
        let axis = try call.integer("axis")
        let tensor = axis == nil ? given.reshaped([given.count]) : given
        let resolved = try Axes.resolve(axis ?? 0, rank: tensor.rank)
        let size = tensor.shape[resolved]
        guard condition.count <= size else {
            throw .input("\(condition.count) conditions for a dimension of \(size)")
        }
        let kept = condition.indices.filter { condition[$0] != 0 }
        let outer = tensor.shape[..<resolved].reduce(1, *)
        let inner = tensor.shape[(resolved + 1)...].reduce(1, *)
        var shape = tensor.shape
        shape[resolved] = kept.count
        let places = (0..<outer).flatMap { row in kept.map { row * size + $0 } }
        return try [.tensor(Blocks.gather(tensor, places, of: inner, shape: shape, call))]
    }

    private static func nonZero(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        // A scalar counts as a list of one, of which the place has no coordinates.
        let values = try tensor.doubles()
        let found = values.indices.filter { values[$0] != 0 }
        let strides = StridedView.strides(of: tensor.shape)
        var coordinates: [Int64] = []
        coordinates.reserveCapacity(tensor.rank * found.count)
        for (size, stride) in zip(tensor.shape, strides) {
            coordinates += found.map { Int64($0 / stride % size) }
        }
        return [.tensor(Tensor(coordinates, shape: [tensor.rank, found.count]))]
    }

    private static func oneHot(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (index, values) = try (call.tensor(0), call.tensor(2))
        let depthTensor = try call.tensor(1)
        guard depthTensor.count == 1, values.count == 2 else {
            throw .input("OneHot needs one depth and the two values off and on")
        }
        guard let depth = Int(exactly: try depthTensor.doubles()[0].rounded()), depth >= 0 else {
            throw .input("the depth is not possible")
        }
        let axis = try Axes.resolve(call.integer("axis", or: -1), rank: index.rank + 1)
        var shape = index.shape
        shape.insert(depth, at: axis)
        let count = try OperatorCall.elementCount(shape)
        let inner = index.shape[axis...].reduce(1, *)
        var places = [Int](repeating: 0, count: count)
        for (element, value) in try index.doubles().enumerated() {
            // Indices beyond the depth light nothing.
            guard let given = Int(exactly: value.rounded(.towardZero)), given >= -depth, given < depth else { continue }
            let hot = given < 0 ? given + depth : given
            places[(element / inner * depth + hot) * inner + element % inner] = 1
        }
        return try [.tensor(Blocks.gather(values, places, of: 1, shape: shape, call))]
    }

    private static func trilu(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard tensor.rank >= 2 else { throw .input("\(tensor.shape) holds no matrices") }
        let isUpper = try call.integer("upper", or: 1) != 0
        let offset = try min(max(call.integers(1)?.first ?? 0, -(1 << 40)), 1 << 40)
        let (rows, columns) = (tensor.shape[tensor.rank - 2], tensor.shape[tensor.rank - 1])
        let size = tensor.element.byteCount
        return try [
            .tensor(
                call.makeBytes(tensor.element, tensor.shape) { out in
                    tensor.withElements(as: UInt8.self) { bytes in
                        for index in 0..<tensor.count {
                            let distance = index % columns - index / columns % rows
                            let isKept = isUpper ? distance >= offset : distance <= offset
                            for byte in index * size..<(index + 1) * size { out[byte] = isKept ? bytes[byte] : 0 }
                        }
                    }
                }
            )
        ]
    }

    /// Columns picked from the last dimension.
    private static func features(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, index) = try (call.tensor(0), call.tensor(1))
        guard let width = tensor.shape.last else { throw .input("a scalar has no features") }
        let indices = try indices(index, size: width)
        let rows = tensor.shape.dropLast().reduce(1, *)
        let places = (0..<rows).flatMap { row in indices.map { row * width + $0 } }
        let shape = tensor.rank == 1 ? [1, indices.count] : Array(tensor.shape.dropLast()) + [indices.count]
        return try [.tensor(Blocks.gather(tensor, places, of: 1, shape: shape, call))]
    }
}
