import Kernels

/// Losses, as exported training graphs and some heads have them.
enum LossOperators {
    static let operators: [Operator] = [
        Operator("NegativeLogLikelihoodLoss") { (call) throws(GraphError) in
            try [.tensor(loss(of: call.tensor(0), call))]
        },
        Operator("SoftmaxCrossEntropyLoss", crossEntropy),
    ]

    private static func crossEntropy(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let scores = try call.tensor(0)
        guard scores.rank >= 2, scores.count > 0 else { throw .input("\(scores.shape) holds no scores of classes") }
        // Classes last, and back.
        let order = scores.shape.indices.filter { $0 != 1 } + [1]
        let moved = try call.transposed(scores, order)
        let classes = scores.shape[1]
        let rows = try SoftmaxOperators.logSoftmax(moved, rows: scores.count / classes, columns: classes, call)
        let back = scores.shape.indices.map { order.firstIndex(of: $0) ?? 0 }
        let logarithms = try call.transposed(rows.reshaped(moved.shape), back)
        return try [.tensor(loss(of: logarithms, call)), .tensor(logarithms)]
    }

    /// −logarithms[n, target, …] · weight[target], for N, C, … by the reduction that the node names.
    private static func loss(_ logarithm: Double, _ weight: Double) -> Double { -logarithm * weight }

    private static func loss(of tensor: Tensor, _ call: borrowing OperatorCall) throws(GraphError) -> Tensor {
        let target = try call.tensor(1)
        guard tensor.rank >= 2, target.shape == [tensor.shape[0]] + tensor.shape.dropFirst(2) else {
            throw .input("targets \(target.shape) do not fit \(tensor.shape)")
        }
        let classes = tensor.shape[1]
        let inner = tensor.shape[2...].reduce(1, *)
        let ignored = try call.integer("ignore_index")
        let weights = try call.optionalTensor(2)?.doubles()
        guard weights?.count ?? classes == classes else { throw .input("there is not one weight for each class") }
        let values = try tensor.doubles()
        var losses = [Double](repeating: 0, count: target.count)
        var total = 0.0
        for (index, label) in try target.integers().enumerated() where label != ignored {
            guard label >= 0, label < classes else { throw .input("the target \(label) is none of \(classes) classes") }
            let weight = weights?[label] ?? 1
            let place = (index / inner * classes + label) * inner + index % inner
            losses[index] = loss(values[place], weight)
            total += weight
        }
        switch try call.string("reduction", or: "mean") {
        case "none": return try call.make(tensor.element, target.shape, doubles: losses)
        case "sum": return try call.make(tensor.element, [], doubles: [losses.reduce(0, +)])
        case "mean": return try call.make(tensor.element, [], doubles: [losses.reduce(0, +) / total])
        case let other: throw .invalid("the reduction \"\(other)\" is none of none, sum and mean")
        }
    }
}
