import Kernels

/// What classic models do to scores at the end, by ONNX Runtime's formulas.
enum PostTransform: String {
    case none = "NONE"
    case logistic = "LOGISTIC"
    case softmax = "SOFTMAX"
    case softmaxZero = "SOFTMAX_ZERO"
    case probit = "PROBIT"

    init(_ name: String) throws(GraphError) {
        guard let transform = PostTransform(rawValue: name) else {
            throw .invalid("the post transform \(name) is not known")
        }
        self = transform
    }

    func applied(_ scores: [Double]) -> [Double] {
        switch self {
        case .none: return scores
        case .logistic: return scores.map(Self.logistic)
        case .probit: return scores.map { 1.41421356 * Self.inverseError(2 * $0 - 1) }
        case .softmax:
            let greatest = scores.max() ?? 0
            let terms = scores.map { Libm.exp($0 - greatest) }
            let sum = terms.reduce(0, +)
            return terms.map { $0 / sum }
        case .softmaxZero:
            // Zeros stay zeros.
            let greatest = scores.max() ?? 0
            let terms = scores.map { abs($0) > 1e-7 ? Libm.exp($0 - greatest) : $0 * Libm.exp(-greatest) }
            let sum = zip(terms, scores).reduce(0) { $0 + (abs($1.1) > 1e-7 ? $1.0 : 0) }
            return terms.map { $0 / sum }
        }
    }

    static func logistic(_ x: Double) -> Double {
        let value = 1 / (1 + Libm.exp(-abs(x)))
        return x < 0 ? 1 - value : value
    }

    /// Winitzki's approximation, with the constants of ONNX Runtime.
    private static func inverseError(_ x: Double) -> Double {
        let logarithm = Libm.log((1 - x) * (1 + x))
        let v = 2 / (3.14159 * 0.147) + 0.5 * logarithm
        let root = (-v + (v * v - logarithm / 0.147).squareRoot()).squareRoot()
        return x < 0 ? -root : root
    }
}

/// Names of classes, integers or texts.
struct ClassLabels {
    private let integers: [Int]
    private let strings: [String]

    var count: Int { max(integers.count, strings.count) }
    var areStrings: Bool { !strings.isEmpty }

    init(_ call: borrowing OperatorCall, integers: String, strings: String) throws(GraphError) {
        self.integers = try call.integers(integers) ?? []
        self.strings = try call.strings(strings) ?? []
    }

    /// The labels of classes; a class without one is its number.
    func tensor(_ classes: [Int]) -> Tensor {
        if areStrings {
            let texts = classes.map { strings.indices.contains($0) ? strings[$0] : $0.description }
            return Tensor(strings: texts, shape: [classes.count])
        }
        let numbers = classes.map { Int64(integers.indices.contains($0) ? integers[$0] : $0) }
        return Tensor(numbers, shape: [classes.count])
    }
}
