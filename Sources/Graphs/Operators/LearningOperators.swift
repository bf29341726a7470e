import Kernels

/// Classic models of `ai.onnx.ml`: linear and support vector machines.
enum LearningOperators {
    static let operators: [Operator] = [
        Operator("LinearRegressor", domain: "ai.onnx.ml", linearRegressor),
        Operator("LinearClassifier", domain: "ai.onnx.ml", linearClassifier),
        Operator("SVMRegressor", domain: "ai.onnx.ml", svmRegressor),
        Operator("SVMClassifier", domain: "ai.onnx.ml", svmClassifier),
    ]

    /// Rows times coefficients [targets, width], plus one number for each target: [rows, targets].
    private static func products(
        _ rows: TreeRows,
        _ coefficients: [Float],
        targets: Int,
        _ intercepts: [Float],
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> [Float] {
        let size = try OperatorCall.elementCount([targets, rows.width])
        guard targets > 0, coefficients.count == size else {
            throw .input("\(coefficients.count) coefficients for \(targets) targets do not fit rows of \(rows.width)")
        }
        guard intercepts.isEmpty || intercepts.count == targets else {
            throw .invalid("\(intercepts.count) intercepts for \(targets) targets")
        }
        let x = try call.cast(rows.tensor, to: .f32).reshaped([rows.count, rows.width])
        let weights = Tensor(coefficients, shape: [targets, rows.width])
        var values = try MatrixProduct.multiply(x, weights, transposesB: true, call).array(of: Float.self)
        if !intercepts.isEmpty {
            for index in values.indices { values[index] += intercepts[index % targets] }
        }
        return values
    }

    /// Each row of `width` scores through a post transform.
    private static func transformed(_ scores: [Double], width: Int, _ transform: PostTransform) -> [Double] {
        guard transform != .none else { return scores }
        return stride(from: 0, to: scores.count, by: max(width, 1)).flatMap { start in
            transform.applied(Array(scores[start..<start + width]))
        }
    }

    private static func linearRegressor(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let rows = try TreeRows(call.tensor(0))
        let targets = try call.integer("targets", or: 1)
        let (coefficients, intercepts) = try (call.floats("coefficients") ?? [], call.floats("intercepts") ?? [])
        let scores = try products(rows, coefficients, targets: targets, intercepts, call).map(Double.init)
        let transform = try PostTransform(call.string("post_transform", or: "NONE"))
        let values = targets > 1 || transform == .probit ? transformed(scores, width: targets, transform) : scores
        return try [.tensor(call.make(.f32, [rows.count, targets], doubles: values))]
    }

    private static func linearClassifier(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let rows = try TreeRows(call.tensor(0))
        let labels = try ClassLabels(call, integers: "classlabels_ints", strings: "classlabels_strings")
        let coefficients = try call.floats("coefficients") ?? []
        var intercepts = try call.floats("intercepts") ?? []
        if intercepts.isEmpty, rows.width > 0 {
            intercepts = [Float](repeating: 0, count: coefficients.count / rows.width)
        }
        let targets = intercepts.count
        let scores = try products(rows, coefficients, targets: targets, intercepts, call).map(Double.init)
        let transform = try PostTransform(call.string("post_transform", or: "NONE"))
        if targets == 1, labels.count == 2 {
            // One score stands for the second class; the first gets what is left.
            let winners = scores.map { $0 > 0 ? 1 : 0 }
            let values = scores.flatMap { score in
                transform == .logistic
                    ? [PostTransform.logistic(-score), PostTransform.logistic(score)] : [1 - score, score]
            }
            return try [.tensor(labels.tensor(winners)), .tensor(call.make(.f32, [rows.count, 2], doubles: values))]
        }
        let winners = (0..<rows.count).map { row in
            let range = row * targets..<(row + 1) * targets
            return targets == 1
                ? (scores[row] > 0 ? 1 : 0)
                : (range.max { scores[$0] < scores[$1] } ?? range.lowerBound) - range.lowerBound
        }
        let values = transformed(scores, width: targets, transform)
        return try [.tensor(labels.tensor(winners)), .tensor(call.make(.f32, [rows.count, targets], doubles: values))]
    }

    private static func svmRegressor(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let rows = try TreeRows(call.tensor(0))
        let kernel = try SupportKernel(call)
        let supports = try call.integer("n_supports", or: 0)
        let (coefficients, rho) = try (call.floats("coefficients") ?? [], call.floats("rho") ?? [])
        let vectors = supports > 0 ? try call.floats("support_vectors") ?? [] : coefficients
        let count = max(supports, 1)
        let (size, overflow) = count.multipliedReportingOverflow(by: rows.width)
        guard let shift = rho.first, !overflow, vectors.count == size, supports == 0 || coefficients.count >= supports
        else {
            throw .input("\(vectors.count) numbers of support vectors do not fit rows of \(rows.width)")
        }
        let x = try rows.tensor.floats()
        let isOneClass = try call.integer("one_class", or: 0) != 0
        let values = (0..<rows.count).map { row in
            let own = x[row * rows.width..<(row + 1) * rows.width]
            var sum = Double(shift)
            for support in 0..<count {
                let vector = vectors[support * rows.width..<(support + 1) * rows.width]
                let product = supports > 0 ? kernel.value(own, vector) : SupportKernel.dot(own, vector)
                sum += supports > 0 ? Double(coefficients[support]) * product : product
            }
            return isOneClass ? (sum > 0 ? 1 : -1) : sum
        }
        return try [.tensor(call.make(.f32, [rows.count, 1], doubles: values))]
    }

    private static func svmClassifier(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let rows = try TreeRows(call.tensor(0))
        let labels = try ClassLabels(call, integers: "classlabels_ints", strings: "classlabels_strings")
        let machine = try SupportClassifier(call, classes: labels.count, width: rows.width)
        let x = try rows.tensor.floats()
        var (winners, values): ([Int], [Double]) = ([], [])
        var width = 0
        for row in 0..<rows.count {
            let (winner, scores) = machine.decided(x[row * rows.width..<(row + 1) * rows.width])
            winners.append(winner)
            values += scores
            width = scores.count
        }
        return try [.tensor(labels.tensor(winners)), .tensor(call.make(.f32, [rows.count, width], doubles: values))]
    }
}

/// How alike two rows are.
struct SupportKernel {
    private let name: String
    private let gamma: Double
    private let coefficient: Double
    private let degree: Double

    init(_ call: borrowing OperatorCall) throws(GraphError) {
        name = try call.string("kernel_type", or: "LINEAR")
        guard ["LINEAR", "POLY", "RBF", "SIGMOID"].contains(name) else {
            throw .invalid("the kernel \(name) is not known")
        }
        let settings = try (call.floats("kernel_params") ?? []) + [0, 0, 0]
        (gamma, coefficient, degree) = (Double(settings[0]), Double(settings[1]), Double(settings[2]))
    }

    static func dot(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
        zip(a, b).reduce(0) { $0 + Double($1.0) * Double($1.1) }
    }

    func value(_ a: ArraySlice<Float>, _ b: ArraySlice<Float>) -> Double {
        switch name {
        case "POLY": return Libm.pow(gamma * Self.dot(a, b) + coefficient, degree)
        case "SIGMOID": return Libm.tanh(gamma * Self.dot(a, b) + coefficient)
        case "RBF":
            let distance = zip(a, b).reduce(0) { sum, pair in
                let difference = Double(pair.0) - Double(pair.1)
                return sum + difference * difference
            }
            return Libm.exp(-gamma * distance)
        default: return Self.dot(a, b)
        }
    }
}

/// A machine for each pair of classes, or one linear one for each class.
struct SupportClassifier {
    private let kernel: SupportKernel
    private let classes: Int
    private let width: Int
    private let coefficients: [Float]
    private let vectors: [Float]
    private let perClass: [Int]
    private let rho: [Float]
    private let probabilities: (a: [Float], b: [Float])
    private let transform: PostTransform

    init(_ call: borrowing OperatorCall, classes: Int, width: Int) throws(GraphError) {
        kernel = try SupportKernel(call)
        self.classes = classes
        self.width = width
        coefficients = try call.floats("coefficients") ?? []
        vectors = try call.floats("support_vectors") ?? []
        perClass = try call.integers("vectors_per_class") ?? []
        rho = try call.floats("rho") ?? []
        probabilities = try (call.floats("prob_a") ?? [], call.floats("prob_b") ?? [])
        transform = try PostTransform(call.string("post_transform", or: "NONE"))
        guard classes > 0, classes < 1 << 16, perClass.allSatisfy({ $0 >= 0 && $0 <= vectors.count }) else {
            throw .invalid("the classes have no labels, or impossible numbers of vectors")
        }
        let (total, pairs) = (perClass.reduce(0, +), classes * (classes - 1) / 2)
        let fits =
            total > 0
            ? perClass.count == classes && vectors.count == total * width && coefficients.count >= (classes - 1) * total
                && rho.count >= pairs
            : coefficients.count == classes * width && !rho.isEmpty
        let counts = (probabilities.a.count, probabilities.b.count)
        guard fits, counts.0 == counts.1, counts.0 == 0 || counts.0 >= pairs else {
            throw .input("the vectors and coefficients do not fit \(classes) classes and rows of \(width)")
        }
    }

    /// The winning class of a row, and the scores that the node answers.
    func decided(_ row: ArraySlice<Float>) -> (winner: Int, scores: [Double]) {
        guard !perClass.isEmpty, perClass.reduce(0, +) > 0 else {
            let scores = (0..<classes).map { index in
                SupportKernel.dot(row, coefficients[index * width..<(index + 1) * width]) + Double(rho[0])
            }
            let winner = scores.indices.max { scores[$0] < scores[$1] } ?? 0
            return (winner, transform.applied(scores))
        }
        let pairs = pairScores(row)
        var votes = [Int](repeating: 0, count: classes)
        var index = 0
        for first in 0..<classes {
            for second in first + 1..<max(classes, first + 1) {
                votes[pairs[index] > 0 ? first : second] += 1
                index += 1
            }
        }
        // Of equal votes the first class wins.
        let winner = votes.indices.max { (votes[$0], -$0) < (votes[$1], -$1) } ?? 0
        guard probabilities.a.isEmpty else { return (winner, transform.applied(pairwiseProbabilities(pairs))) }
        guard classes == 2 else { return (winner, transform.applied(pairs)) }
        let score = pairs[0]
        return (winner, transform == .none ? [-score, score] : [1 - score, score])
    }

    private func pairScores(_ row: ArraySlice<Float>) -> [Double] {
        let total = perClass.reduce(0, +)
        let alike = (0..<total).map { kernel.value(row, vectors[$0 * width..<($0 + 1) * width]) }
        var starts = [0]
        for count in perClass { starts.append(starts[starts.count - 1] + count) }
        var scores: [Double] = []
        for first in 0..<classes {
            for second in first + 1..<max(classes, first + 1) {
                var sum = Double(rho[scores.count])
                for vector in starts[first]..<starts[first + 1] {
                    sum += Double(coefficients[(second - 1) * total + vector]) * alike[vector]
                }
                for vector in starts[second]..<starts[second + 1] {
                    sum += Double(coefficients[first * total + vector]) * alike[vector]
                }
                scores.append(sum)
            }
        }
        return scores
    }

    /// One probability for each class from those of the pairs, as LIBSVM finds them.
    private func pairwiseProbabilities(_ pairs: [Double]) -> [Double] {
        var r = [Double](repeating: 0, count: classes * classes)
        var index = 0
        for first in 0..<classes {
            for second in first + 1..<max(classes, first + 1) {
                let x = pairs[index] * Double(probabilities.a[index]) + Double(probabilities.b[index])
                let value = min(max(1 - PostTransform.logistic(x), 1e-7), 1 - 1e-7)
                (r[first * classes + second], r[second * classes + first]) = (value, 1 - value)
                index += 1
            }
        }
        var q = [Double](repeating: 0, count: classes * classes)
        for i in 0..<classes {
            for j in 0..<classes where j != i {
                q[i * classes + i] += r[j * classes + i] * r[j * classes + i]
                q[i * classes + j] = -r[j * classes + i] * r[i * classes + j]
            }
        }
        var p = [Double](repeating: 1 / Double(classes), count: classes)
        for _ in 0..<100 {
            var products = (0..<classes).map { i in (0..<classes).reduce(0) { $0 + q[i * classes + $1] * p[$1] } }
            var whole = zip(p, products).reduce(0) { $0 + $1.0 * $1.1 }
            guard products.contains(where: { abs($0 - whole) >= 0.005 / Double(classes) }) else { break }
            for i in 0..<classes {
                let step = (whole - products[i]) / q[i * classes + i]
                p[i] += step
                whole = (whole + step * (step * q[i * classes + i] + 2 * products[i])) / (1 + step) / (1 + step)
                for j in 0..<classes {
                    products[j] = (products[j] + step * q[i * classes + j]) / (1 + step)
                    p[j] /= 1 + step
                }
            }
        }
        return p
    }
}
