import Kernels

/// Elements written by index.
enum ScatterOperators {
    static let operators: [Operator] = [
        Operator("Scatter", scatterElements),
        Operator("ScatterElements", scatterElements),
        Operator("ScatterND", scatterND),
        Operator("TensorScatter", tensorScatter),
    ]

    private static func scatterElements(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, index, updates) = try (call.tensor(0), call.tensor(1), call.tensor(2))
        let axis = try Axes.resolve(call.integer("axis", or: 0), rank: tensor.rank)
        guard updates.shape == index.shape else {
            throw .input("\(updates.shape) updates for \(index.shape) indices")
        }
        let places = try GatherOperators.elementPlaces(index, in: tensor, axis: axis)
        return try [.tensor(write(updates, into: tensor, at: places, of: 1, call))]
    }

    private static func scatterND(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (tensor, index, updates) = try (call.tensor(0), call.tensor(1), call.tensor(2))
        let (places, length) = try GatherOperators.blockPlaces(index, in: tensor, batchDimensions: 0)
        guard updates.count == places.count * length else {
            throw .input("\(updates.shape) updates for \(index.shape) indices into \(tensor.shape)")
        }
        return try [.tensor(write(updates, into: tensor, at: places, of: length, call))]
    }

    /// `tensor` with `updates` at `places`, met as the attribute `reduction` says.
    private static func write(
        _ updates: Tensor,
        into tensor: Tensor,
        at places: [Int],
        of length: Int,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        guard updates.element == tensor.element else {
            throw .invalid("updates of \(updates.element) do not fit \(tensor.element)")
        }
        switch try call.string("reduction", or: "none") {
        case "none": return try Blocks.scatter(updates, into: tensor, at: places, of: length, call)
        case "add": return try reduce(updates, into: tensor, places, length, call, { $0 + $1 }, { $0 &+ $1 })
        case "mul": return try reduce(updates, into: tensor, places, length, call, { $0 * $1 }, { $0 &* $1 })
        case "max": return try reduce(updates, into: tensor, places, length, call, greater, { max($0, $1) })
        case "min":
            return try reduce(updates, into: tensor, places, length, call, { -greater(-$0, -$1) }, { min($0, $1) })
        case let other: throw .unsupported("the reduction \"\(other)\" is none of none, add, mul, max and min")
        }
    }

    private static func greater(_ a: Double, _ b: Double) -> Double { a > b || a.isNaN ? a : b }

    private static func reduce(
        _ updates: Tensor,
        into tensor: Tensor,
        _ places: [Int],
        _ length: Int,
        _ call: borrowing OperatorCall,
        _ floating: (Double, Double) -> Double,
        _ integral: (Int64, Int64) -> Int64
    ) throws(GraphError) -> Tensor {
        func met<Number>(_ old: [Number], _ new: [Number], _ meet: (Number, Number) -> Number) -> [Number] {
            var result = old
            for (block, place) in places.enumerated() {
                for element in 0..<length {
                    let target = place * length + element
                    result[target] = meet(result[target], new[block * length + element])
                }
            }
            return result
        }
        if tensor.element.isFloating {
            let values = try met(tensor.doubles(), updates.doubles(), floating)
            return try call.make(tensor.element, tensor.shape, doubles: values)
        }
        let values = try met(tensor.wideIntegers(), updates.wideIntegers(), integral)
        return try call.make(tensor.element, tensor.shape, integers: values)
    }

    /// Rows of a cache from each sequence's own place on; `circular` goes on at its start.
    private static func tensorScatter(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (cache, update) = try (call.tensor(0), call.tensor(1))
        let axis = try Axes.resolve(call.integer("axis", or: -2), rank: cache.rank)
        guard update.rank == cache.rank, axis > 0, update.element == cache.element,
            cache.shape.indices.allSatisfy({ $0 == axis || update.shape[$0] == cache.shape[$0] })
        else { throw .input("an update \(update.shape) does not fit a cache \(cache.shape)") }
        let batches = cache.shape[0]
        let starts = try call.integers(2) ?? [Int](repeating: 0, count: batches)
        let (length, size) = (update.shape[axis], cache.shape[axis])
        let isCircular = try call.string("mode", or: "linear") == "circular"
        guard starts.count == batches, starts.allSatisfy({ $0 >= 0 && $0 < max(size, 1) }), length <= size else {
            throw .input("an update of \(length) rows does not fit a cache of \(size) where it should go")
        }
        guard isCircular || starts.allSatisfy({ $0 + length <= size }) else {
            throw .input("an update of \(length) rows reaches beyond a cache of \(size)")
        }
        let inner = cache.shape[(axis + 1)...].reduce(1, *)
        let middle = cache.shape[1..<axis].reduce(1, *)
        var places: [Int] = []
        for batch in 0..<batches {
            for row in 0..<middle {
                places += (0..<length).map { (batch * middle + row) * size + (starts[batch] + $0) % size }
            }
        }
        return try [.tensor(Blocks.scatter(update, into: cache, at: places, of: inner, call))]
    }
}
