import Graphs

/// Works out what a node's outputs are like from what its inputs are like.
///
/// Operators without a rule give nothing, which is always right. A rule speaks only of nodes that the operator will not
/// refuse: what a refused one would have given is of no matter.
struct ShapeInference {
    let node: Graph.Node
    let inputs: [ValueFacts]
    private(set) var nextSymbol: Int

    init(_ node: Graph.Node, _ inputs: [ValueFacts], nextSymbol: Int) {
        self.node = node
        self.inputs = inputs
        self.nextSymbol = nextSymbol
    }

    /// As many as the node has outputs.
    mutating func outputs() -> [ValueFacts] {
        var facts = node.domain.isEmpty || node.domain == "com.microsoft" ? rule() : []
        while facts.count < node.outputs.count { facts.append(ValueFacts()) }
        return Array(facts.prefix(node.outputs.count))
    }

    // MARK: Words for the rules

    mutating func unknown() -> Size {
        nextSymbol += 1
        return .symbol(nextSymbol)
    }

    /// One that is no size, and may be negative: its symbol is negative too.
    mutating func unknownNumber() -> Size {
        nextSymbol += 1
        return .symbol(-nextSymbol)
    }

    func input(_ index: Int) -> ValueFacts { inputs.indices.contains(index) ? inputs[index] : ValueFacts() }

    func shape(_ index: Int) -> [Size]? { input(index).shape }

    /// The numbers of an input where all are known.
    func integers(_ index: Int) -> [Int]? {
        guard let numbers = input(index).numbers else { return nil }
        let known = numbers.compactMap(\.known)
        return known.count == numbers.count ? known : nil
    }

    func isGiven(_ index: Int) -> Bool { node.input(index) != nil }

    func integer(_ name: String, or standard: Int) -> Int {
        if case .integer(let value)? = node.attributes[name] { value } else { standard }
    }

    func integers(_ name: String) -> [Int]? {
        if case .integers(let values)? = node.attributes[name] { values } else { nil }
    }

    /// Numbers that older operator sets give as an attribute, newer ones as an input; nil where they are not known.
    func integers(_ index: Int, orAttribute name: String) -> [Int]? {
        isGiven(index) ? integers(index) : integers(name)
    }

    /// nil where the axis is none of `rank`.
    func axis(_ axis: Int, _ rank: Int) -> Int? {
        let resolved = axis < 0 ? axis + rank : axis
        return (0..<max(rank, 0)).contains(resolved) ? resolved : nil
    }

    /// The shape that operands broadcast to; nil where one is unknown.
    mutating func broadcast(_ shapes: [[Size]?]) -> [Size]? {
        let known = shapes.compactMap(\.self)
        guard known.count == shapes.count else { return nil }
        let rank = known.map(\.count).max() ?? 0
        var result: [Size] = []
        for place in 0..<rank {
            var size = Size.known(1)
            for shape in known {
                let index = place - (rank - shape.count)
                guard index >= 0, shape[index] != .known(1), shape[index] != size else { continue }
                size = meet(size, shape[index])
            }
            result.append(size)
        }
        return result
    }

    /// Of two sizes that broadcast to each other; `other` is not 1.
    private mutating func meet(_ size: Size, _ other: Size) -> Size {
        switch (size, other) {
        case (.known(1), _): other
        // A symbol beside a number is that number, or 1.
        case (.known, .symbol): size
        case (.symbol, .known): other
        default: unknown()
        }
    }
}

extension ShapeInference {
    private static let unary: Set<String> = [
        "Abs", "Acos", "Acosh", "Asin", "Asinh", "Atan", "Atanh", "BatchNormalization", "BitwiseNot", "Ceil", "Celu",
        "Clip", "Cos", "Cosh", "CumSum", "Dropout", "Elu", "Erf", "Exp", "FastGelu", "Floor", "Gelu",
        "GroupNormalization", "HardSigmoid", "HardSwish", "Hardmax", "Identity", "InstanceNormalization", "LRN",
        "LayerNormalization", "LeakyRelu", "Log", "LogSoftmax", "LpNormalization", "MeanVarianceNormalization", "Mish",
        "Neg", "Not", "PRelu", "QuickGelu", "RMSNormalization", "Reciprocal", "Relu", "Round", "Selu", "Shrink",
        "Sigmoid", "Sign", "SimplifiedLayerNormalization", "Sin", "Sinh", "SkipLayerNormalization", "Softmax",
        "Softplus", "Softsign", "Sqrt", "Swish", "Tan", "Tanh", "ThresholdedRelu", "Trilu",
    ]
    private static let arithmetic: Set<String> = [
        "Add", "BitShift", "BitwiseAnd", "BitwiseOr", "BitwiseXor", "Div", "Max", "Mean", "Min", "Mod", "Mul", "Pow",
        "Sub", "Sum",
    ]
    private static let comparisons: Set<String> = [
        "And", "Equal", "Greater", "GreaterOrEqual", "Less", "LessOrEqual", "Or", "Xor",
    ]

    private mutating func rule() -> [ValueFacts] {
        let name = node.name
        if Self.unary.contains(name) { return [ValueFacts(input(0).element, shape(0), numbers: unaryNumbers())] }
        if Self.arithmetic.contains(name) {
            return [ValueFacts(input(0).element, broadcast(inputs.map(\.shape)), numbers: arithmeticNumbers())]
        }
        if Self.comparisons.contains(name) {
            return [ValueFacts(.bool, broadcast(inputs.map(\.shape)), numbers: name == "Equal" ? equalNumbers() : nil)]
        }
        if name.hasPrefix("Reduce") { return [reduced(input(0).element)] }
        switch name {
        case "IsNaN", "IsInf": return [ValueFacts(.bool, shape(0))]
        case "Where": return [ValueFacts(input(1).element, broadcast(inputs.map(\.shape)), numbers: chosenNumbers())]
        case "Cast": return [cast()]
        case "CastLike": return [ValueFacts(input(1).element, shape(0))]
        case "Shape": return [shapeOf()]
        case "Size": return [ValueFacts(.i64, [], numbers: shape(0)?.product.map { [.known($0)] })]
        case "ArgMax", "ArgMin": return [argument()]
        case "MatMul": return [ValueFacts(input(0).element, product())]
        case "Gemm": return [ValueFacts(input(0).element, gemm())]
        case "Conv": return [ValueFacts(input(0).element, convolved())]
        case "MaxPool", "AveragePool", "LpPool": return [ValueFacts(input(0).element, pooled())]
        case "GlobalAveragePool", "GlobalMaxPool", "GlobalLpPool":
            return [
                ValueFacts(input(0).element, shape(0).map { $0.prefix(2) + $0.dropFirst(2).map { _ in .known(1) } })
            ]
        default: return movement()
        }
    }
}
