import Kernels

/// Softmax and its kin: along one axis, and before operator set 13 over all dimensions from that axis on.
enum SoftmaxOperators {
    static let operators: [Operator] = [
        Operator("Softmax") { (call) throws(GraphError) in
            try along(call) { (tensor, rows, columns, call) throws(GraphError) in
                try softmax(tensor, rows: rows, columns: columns, call)
            }
        },
        Operator("LogSoftmax") { (call) throws(GraphError) in
            try along(call) { (tensor, rows, columns, call) throws(GraphError) in
                try logSoftmax(tensor, rows: rows, columns: columns, call)
            }
        },
        Operator("Hardmax") { (call) throws(GraphError) in
            try along(call) { (tensor, rows, columns, call) throws(GraphError) in
                try hardmax(tensor, rows: rows, columns: columns, call)
            }
        },
    ]

    private typealias Rows = (Tensor, Int, Int, borrowing OperatorCall) throws(GraphError) -> Tensor

    /// Brings the axis to the end, lets `body` work on rows, and brings it back.
    private static func along(_ call: borrowing OperatorCall, _ body: Rows) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard tensor.element.isFloating else { throw .invalid("floats are needed here, not \(tensor.element)") }
        let isOld = call.version < 13
        let given = try call.integer("axis", or: isOld ? 1 : -1)
        let axis = isOld && given == tensor.rank ? given : try Axes.resolve(given, rank: max(tensor.rank, 1))
        guard tensor.count > 0 else { return [.tensor(tensor)] }
        if isOld || axis >= tensor.rank - 1 {
            let columns = tensor.shape.dropFirst(axis).reduce(1, *)
            return try [.tensor(body(tensor, tensor.count / columns, columns, call).reshaped(tensor.shape))]
        }
        let order = tensor.shape.indices.filter { $0 != axis } + [axis]
        let moved = try call.transposed(tensor, order)
        let columns = tensor.shape[axis]
        let result = try body(moved, tensor.count / columns, columns, call).reshaped(moved.shape)
        let back = tensor.shape.indices.map { order.firstIndex(of: $0) ?? 0 }
        return try [.tensor(call.transposed(result, back))]
    }

    /// Softmax of rows of floats; other floats go through f32, doubles through doubles.
    static func softmax(
        _ tensor: Tensor,
        rows: Int,
        columns: Int,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        if tensor.element == .f64 {
            var values = tensor.array(of: Double.self)
            for row in 0..<rows {
                let range = row * columns..<(row + 1) * columns
                let greatest = values[range].max() ?? 0
                var sum = 0.0
                for index in range {
                    values[index] = Libm.exp(values[index] - greatest)
                    sum += values[index]
                }
                for index in range { values[index] /= sum }
            }
            return try call.make(.f64, tensor.shape, doubles: values)
        }
        let floats = try call.cast(tensor, to: .f32)
        let result = try call.make(Float.self, tensor.shape) { out in
            floats.withElements(as: Float.self) { input in
                KernelSet.best.softmax(input, rows: rows, columns: columns, out: &out)
            }
        }
        return try call.cast(result, to: tensor.element)
    }

    static func logSoftmax(
        _ tensor: Tensor,
        rows: Int,
        columns: Int,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        if tensor.element == .f64 {
            var values = tensor.array(of: Double.self)
            for row in 0..<rows {
                let range = row * columns..<(row + 1) * columns
                let greatest = values[range].max() ?? 0
                let sum = values[range].reduce(0) { $0 + Libm.exp($1 - greatest) }
                let logarithm = Libm.log(sum)
                for index in range { values[index] -= greatest + logarithm }
            }
            return try call.make(.f64, tensor.shape, doubles: values)
        }
        let floats = try call.cast(tensor, to: .f32)
        let result = try call.make(Float.self, tensor.shape) { out in
            floats.withElements(as: Float.self) { input in
                Elements.logSoftmax(input, rows: rows, columns: columns, out: &out)
            }
        }
        return try call.cast(result, to: tensor.element)
    }

    /// 1 at the first greatest element of each row, 0 elsewhere.
    private static func hardmax(
        _ tensor: Tensor,
        rows: Int,
        columns: Int,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let places = try call.make(Int64.self, [rows]) { out in
            tensor.withElements(as: UInt8.self) { bytes in
                let type = tensor.element.rawValue
                Elements.place(
                    ofGreatest: true,
                    last: false,
                    type: type,
                    bytes,
                    rows: rows,
                    columns: columns,
                    out: &out
                )
            }
        }
        var values = [Double](repeating: 0, count: tensor.count)
        for (row, place) in places.array(of: Int64.self).enumerated() { values[row * columns + Int(place)] = 1 }
        return try call.make(tensor.element, tensor.shape, doubles: values)
    }
}
