import Kernels
import Synchronization

/// Ensembles of decision trees.
enum TreeOperators {
    static let operators: [Operator] = [
        Operator("TreeEnsembleRegressor", domain: "ai.onnx.ml", regress),
        Operator("TreeEnsembleClassifier", domain: "ai.onnx.ml", classify),
        Operator("TreeEnsemble", domain: "ai.onnx.ml", ensemble),
    ]

    private static func regress(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let model = try TreeModelCache.model(call, anchor: "nodes_values", or: "nodes_values_as_tensor") {
            (call) throws(GraphError) in
            try TreeModel(nodesOf: call, weights: "target")
        }
        let tensor = try call.tensor(0)
        let rows = try TreeRows(tensor)
        let targets = max(try call.integer("n_targets", or: 1), model.targets)
        let how = try call.string("aggregate_function", or: "SUM")
        let transform = try PostTransform(call.string("post_transform", or: "NONE"))
        let scores = try model.scores(rows, targets: targets, aggregate: how, call)
        let base = try baseValues(call, targets: targets)
        let values = finished(scores, rows: rows.count, targets: targets, base: base, transform)
        return try [.tensor(call.make(.f32, [rows.count, targets], doubles: values))]
    }

    /// The newest form: one operator for both, of the input's own type.
    private static func ensemble(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let model = try TreeModelCache.model(call, anchor: "nodes_splits", or: "leaf_weights") {
            (call) throws(GraphError) in
            try TreeModel(ensembleOf: call)
        }
        let tensor = try call.tensor(0)
        let rows = try TreeRows(tensor)
        let targets = max(try call.integer("n_targets", or: 1), model.targets)
        let aggregates = ["AVERAGE", "SUM", "MIN", "MAX"]
        let transforms = ["NONE", "SOFTMAX", "LOGISTIC", "SOFTMAX_ZERO", "PROBIT"]
        let (how, transform) = try (
            call.integer("aggregate_function", or: 1), call.integer("post_transform", or: 0)
        )
        guard aggregates.indices.contains(how), transforms.indices.contains(transform) else {
            throw .invalid("the aggregate function \(how) or post transform \(transform) is not known")
        }
        let scores = try model.scores(rows, targets: targets, aggregate: aggregates[how], call)
        let last = try PostTransform(transforms[transform])
        let values = finished(scores, rows: rows.count, targets: targets, base: [], last)
        return try [.tensor(call.make(tensor.element, [rows.count, targets], doubles: values))]
    }

    /// Numbers that every row starts from: one for each target, or one for the only one.
    private static func baseValues(_ call: borrowing OperatorCall, targets: Int) throws(GraphError) -> [Double] {
        let base = try TreeModel.numbers(call, "base_values")
        return base.count == targets ? base : []
    }

    private static func finished(
        _ scores: TreeScores,
        rows: Int,
        targets: Int,
        base: [Double],
        _ transform: PostTransform
    ) -> [Double] {
        var values = scores.values
        for row in 0..<rows {
            let range = row * targets..<(row + 1) * targets
            if !base.isEmpty {
                // Of several targets, one that no tree gave anything stays 0, as in ONNX Runtime.
                for (target, index) in range.enumerated() where targets == 1 || scores.isGiven[index] {
                    values[index] += base[target]
                }
            }
            // One target is transformed by PROBIT only, as ONNX Runtime does.
            guard targets > 1 || transform == .probit else { continue }
            values.replaceSubrange(range, with: transform.applied(Array(values[range])))
        }
        return values
    }

    private static func classify(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let model = try TreeModelCache.model(call, anchor: "nodes_values", or: "nodes_values_as_tensor") {
            (call) throws(GraphError) in
            try TreeModel(nodesOf: call, weights: "class")
        }
        let labels = try ClassLabels(call, integers: "classlabels_int64s", strings: "classlabels_strings")
        let rows = try TreeRows(call.tensor(0))
        guard model.targets <= max(labels.count, 1) else {
            throw .invalid("the trees name \(model.targets) classes, of which \(labels.count) have labels")
        }
        let classes = max(labels.count, 1)
        let transform = try PostTransform(call.string("post_transform", or: "NONE"))
        let scores = try model.scores(rows, targets: classes, aggregate: "SUM", call)
        let base = try TreeModel.numbers(call, "base_values")
        let vote = TreeVote(model: model, classes: classes, base: base, transform: transform)
        var (winners, values): ([Int], [Double]) = ([], [])
        for row in 0..<rows.count {
            let range = row * classes..<(row + 1) * classes
            let result = vote.decided(Array(scores.values[range]), Array(scores.isGiven[range]))
            winners.append(result.winner)
            values += (result.scores + [Double](repeating: 0, count: classes)).prefix(classes)
        }
        return try [
            .tensor(labels.tensor(winners)), .tensor(call.make(.f32, [rows.count, classes], doubles: values)),
        ]
    }
}

/// Which class the scores of one row mean, by ONNX Runtime's rules.
///
/// But for one: of two classes with weights of their own it answers the numbers 1 and 0, whatever their labels are.
private struct TreeVote {
    let model: TreeModel
    let classes: Int
    let base: [Double]
    let transform: PostTransform

    func decided(_ given: [Double], _ isGiven: [Bool]) -> (winner: Int, scores: [Double]) {
        var (scores, has) = (given, isGiven)
        guard classes <= 2 else {
            for (index, value) in base.prefix(classes).enumerated() {
                scores[index] += value
                has[index] = true
            }
            var winner = 0
            var best: Double?
            for index in scores.indices where has[index] && (best.map { scores[index] > $0 } ?? true) {
                (winner, best) = (index, scores[index])
            }
            return (winner, transform.applied(scores))
        }
        if classes == 2, base.count == 2 {
            if has[1] {
                // Not what one would expect of two classes, but what ONNX Runtime answers.
                let score = scores[0] + base[1]
                scores = [-score, score]
            } else {
                scores = [scores[0] + base[0], 0]
            }
        } else if let only = base.first, base.count == 1 {
            scores[0] += only
        }
        if classes == 2, base.count < 2, !has[1] { scores.removeLast() }
        let positive = scores.count == 2 && has[1] ? scores[1] : scores[0]
        guard model.targetsNamed == 1, classes == 2 else {
            return (min(positive > 0 ? 1 : 0, classes - 1), transform.applied(scores))
        }
        let limit = model.hasOnlyPositiveWeights ? 0.5 : 0
        let winner = positive > limit ? 1 : 0
        guard scores.count == 1 else { return (winner, transform.applied(scores)) }
        return (winner, expanded(scores[0]))
    }

    /// Two scores from the one of the second class.
    private func expanded(_ score: Double) -> [Double] {
        if transform == .probit { return PostTransform.probit.applied([score]) }
        if transform == .logistic { return PostTransform.logistic.applied([-score, score]) }
        return [model.hasOnlyPositiveWeights ? 1 - score : -score, score]
    }
}

/// The forests of this process, each built when it is first used: a template or a worker runs one model.
enum TreeModelCache {
    /// More than any model has; beyond them all are forgotten, so that a process that runs many models stays small.
    private static let countMax = 32

    private struct Entry: Sendable {
        /// Held, so that no other array can come to lie at its place.
        let anchor: Attribute
        let model: TreeModel
    }

    private static let entries = Mutex<[Int: Entry]>([:])

    /// The forest of the node whose attribute `anchor` (or `other`) lies where it lay before.
    static func model(
        _ call: borrowing OperatorCall,
        anchor: String,
        or other: String,
        build: (borrowing OperatorCall) throws(GraphError) -> TreeModel
    ) throws(GraphError) -> TreeModel {
        guard let attribute = call.attributes[anchor] ?? call.attributes[other], let key = place(of: attribute) else {
            return try build(call)
        }
        if let entry = entries.withLock({ $0[key] }) { return entry.model }
        let model = try build(call)
        entries.withLock { entries in
            if entries.count >= countMax { entries = [:] }
            entries[key] = Entry(anchor: attribute, model: model)
        }
        return model
    }

    private static func place(of attribute: Attribute) -> Int? {
        switch attribute {
        case .floats(let values) where !values.isEmpty:
            unsafe values.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
        case .tensor(let tensor):
            tensor.memory.map { unsafe Int(bitPattern: $0.base) }
        default: nil
        }
    }
}
