import Kernels

/// Many elements to one along some axes, and running sums.
enum ReductionOperators {
    static let operators: [Operator] =
        reductions.map { name, reduction in
            Operator(name) { (call) throws(GraphError) in try [.tensor(reduce(reduction, call))] }
        } + [
            Operator("ArgMax") { (call) throws(GraphError) in try [.tensor(place(ofGreatest: true, call))] },
            Operator("ArgMin") { (call) throws(GraphError) in try [.tensor(place(ofGreatest: false, call))] },
            Operator("CumSum") { (call) throws(GraphError) in
                try [.tensor(running(call, from: (0, 0), { $0 + $1 }, { $0 &+ $1 }))]
            },
            Operator("CumProd") { (call) throws(GraphError) in
                try [.tensor(running(call, from: (1, 1), { $0 * $1 }, { $0 &* $1 }))]
            },
        ]

    private static let reductions: [(String, Elements.Reduction)] = [
        ("ReduceSum", .sum), ("ReduceMean", .mean), ("ReduceMax", .maximum), ("ReduceMin", .minimum),
        ("ReduceProd", .product), ("ReduceSumSquare", .sumOfSquares), ("ReduceL1", .sumOfMagnitudes),
        ("ReduceL2", .length), ("ReduceLogSum", .logSum), ("ReduceLogSumExp", .logSumExp),
    ]

    /// `tensor` with `axes` last, and the sizes: the product of the others, and theirs.
    static func rows(
        of tensor: Tensor,
        along axes: [Int],
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> (tensor: Tensor, rows: Int, columns: Int) {
        let kept = tensor.shape.indices.filter { !axes.contains($0) }
        let rows = kept.reduce(1) { $0 * tensor.shape[$1] }
        let columns = axes.reduce(1) { $0 * tensor.shape[$1] }
        return try (call.transposed(tensor, kept + axes.sorted()), rows, columns)
    }

    /// The shape without `axes`, or with sizes of 1 there.
    static func shape(_ shape: [Int], without axes: [Int], keepsDimensions: Bool) -> [Int] {
        shape.indices.compactMap { axes.contains($0) ? (keepsDimensions ? 1 : nil) : shape[$0] }
    }

    private static func reduce(
        _ reduction: Elements.Reduction,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let tensor = try call.tensor(0)
        let given = try call.integers(1, orAttribute: "axes") ?? []
        if given.isEmpty, try call.integer("noop_with_empty_axes", or: 0) != 0 { return tensor }
        let axes = given.isEmpty ? Array(tensor.shape.indices) : try Axes.resolve(given, rank: tensor.rank)
        let keeps = try call.integer("keepdims", or: 1) != 0
        return try reduce(tensor, reduction, axes: axes, keepsDimensions: keeps, call)
    }

    static func reduce(
        _ tensor: Tensor,
        _ reduction: Elements.Reduction,
        axes: [Int],
        keepsDimensions: Bool,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let (moved, rows, columns) = try rows(of: tensor, along: axes, call)
        let shape = shape(tensor.shape, without: axes, keepsDimensions: keepsDimensions)
        return try call.makeBytes(tensor.element, shape) { out in
            moved.withElements(as: UInt8.self) { bytes in
                Elements.reduce(
                    reduction,
                    type: tensor.element.rawValue,
                    bytes,
                    rows: rows,
                    columns: columns,
                    out: &out
                )
            }
        }
    }

    private static func place(
        ofGreatest isGreatest: Bool,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let tensor = try call.tensor(0)
        guard tensor.element != .string else { throw .invalid("numbers are needed here, not texts") }
        let axis = try Axes.resolve(call.integer("axis", or: 0), rank: max(tensor.rank, 1))
        let isLast = try call.integer("select_last_index", or: 0) != 0
        let keeps = try call.integer("keepdims", or: 1) != 0
        let axes = tensor.rank == 0 ? [] : [axis]
        let (moved, rows, columns) = try rows(of: tensor, along: axes, call)
        guard columns > 0 else { throw .input("no element along axis \(axis) of \(tensor.shape)") }
        let shape = shape(tensor.shape, without: axes, keepsDimensions: keeps)
        return try call.make(Int64.self, shape) { out in
            moved.withElements(as: UInt8.self) { bytes in
                Elements.place(
                    ofGreatest: isGreatest,
                    last: isLast,
                    type: tensor.element.rawValue,
                    bytes,
                    rows: rows,
                    columns: columns,
                    out: &out
                )
            }
        }
    }

    private static func running(
        _ call: borrowing OperatorCall,
        from start: (Double, Int64),
        _ floating: (Double, Double) -> Double,
        _ integral: (Int64, Int64) -> Int64
    ) throws(GraphError) -> Tensor {
        let tensor = try call.tensor(0)
        guard let given = try call.integers(1), given.count == 1 else { throw .invalid("there is not one axis") }
        let axis = try Axes.resolve(given[0], rank: tensor.rank)
        let isExclusive = try call.integer("exclusive", or: 0) != 0
        let isReverse = try call.integer("reverse", or: 0) != 0
        let (size, inner) = (tensor.shape[axis], tensor.shape[(axis + 1)...].reduce(1, *))
        func run<Number>(_ values: [Number], _ start: Number, _ meet: (Number, Number) -> Number) -> [Number] {
            var result = values
            for lane in 0..<(size == 0 ? 0 : values.count / size) {
                var total = start
                for step in 0..<size {
                    let row = isReverse ? size - 1 - step : step
                    let place = (lane / inner * size + row) * inner + lane % inner
                    let next = meet(total, values[place])
                    result[place] = isExclusive ? total : next
                    total = next
                }
            }
            return result
        }
        if tensor.element.isFloating {
            return try call.make(tensor.element, tensor.shape, doubles: run(tensor.doubles(), start.0, floating))
        }
        return try call.make(tensor.element, tensor.shape, integers: run(tensor.wideIntegers(), start.1, integral))
    }
}
