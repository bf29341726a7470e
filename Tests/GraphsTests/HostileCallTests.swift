import Testing

@testable import Graphs

/// Shapes, axes and indices come from calls: none of them may end a worker.
@Suite("Hostile calls of operators")
struct HostileCallTests {
    private let data = Tensor([1, 2, 3, 4, 5, 6] as [Float], shape: [2, 3])

    private func integers(_ values: Int64...) -> Tensor { Tensor(values, shape: [values.count]) }

    @Test(
        "An index outside its dimension is refused",
        arguments: ["Gather", "GatherElements", "GatherND", "ArrayFeatureExtractor"],
        [Int64(7), -8, .max, .min]
    )
    func indices(_ name: String, _ index: Int64) {
        let trial = OperatorTrial(name: name, domain: name.hasPrefix("Array") ? "ai.onnx.ml" : "")
        #expect(throws: GraphError.self) {
            try trial.tensor(data, Tensor([index], shape: name == "GatherElements" ? [1, 1] : [1]))
        }
    }

    @Test(
        "An update outside the data is refused",
        arguments: ["ScatterElements", "ScatterND", "TensorScatter"],
        [Int64(7), -8, .max, .min]
    )
    func updates(_ name: String, _ index: Int64) {
        let trial = OperatorTrial(name: name, version: 24)
        let place = Tensor([index], shape: name == "ScatterElements" ? [1, 1] : [1])
        #expect(throws: GraphError.self) { try trial.tensor(data, place, Tensor([9] as [Float], shape: [1, 1])) }
    }

    @Test(
        "An axis that is none of the tensor's is refused",
        arguments: [
            "Softmax", "LogSoftmax", "Hardmax", "ArgMax", "ArgMin", "Split", "Flatten", "LpNormalization", "Concat",
            "Unique", "LayerNormalization", "RMSNormalization", "Compress", "Gather", "TopK", "OneHot",
        ],
        [5, -9, Int.max, Int.min]
    )
    func axes(_ name: String, _ axis: Int) {
        let trial = OperatorTrial(name: name, attributes: ["axis": .integer(axis)])
        #expect(throws: GraphError.self) { try trial.tensor(data, integers(1), integers(1)) }
    }

    @Test(
        "Axes of an input are refused where they are no axes, or twice the same",
        arguments: ["ReduceSum", "ReduceMax", "Squeeze", "Unsqueeze", "CumSum"],
        [[Int64(4)], [.min], [.max], [0, 0]]
    )
    func axisLists(_ name: String, _ axes: [Int64]) {
        #expect(throws: GraphError.self) {
            try OperatorTrial(name: name).tensor(data, Tensor(axes, shape: [axes.count]))
        }
    }

    @Test(
        "A shape that the elements do not fill, or that nothing fills, is refused",
        arguments: ["Reshape", "Expand", "Tile", "ConstantOfShape"],
        [[Int64(-5), 1], [7, .max], [.max, .max], [1 << 40, 2], [-1, -1]]
    )
    func shapes(_ name: String, _ shape: [Int64]) {
        let target = Tensor(shape, shape: [shape.count])
        #expect(throws: GraphError.self) {
            name == "ConstantOfShape"
                ? try OperatorTrial(name: name).tensor(target) : try OperatorTrial(name: name).tensor(data, target)
        }
    }

    @Test("A slice by hostile starts, ends and steps gives what lies in it, or a sentence", arguments: 0..<200)
    func slices(_ seed: UInt64) throws {
        var numbers = SeededNumbers(seed: seed)
        let pick = { (numbers: inout SeededNumbers) -> Int64 in
            [Int64.min, -1 << 40, -4, -1, 0, 1, 2, 1 << 40, .max][numbers.next(below: 9)]
        }
        let inputs = (0..<3).map { _ in integers(pick(&numbers)) }
        do {
            let result = try OperatorTrial(name: "Slice").tensor(data, inputs[0], inputs[1], integers(1), inputs[2])
            #expect(result.count <= data.count)
            #expect(result.array(of: Float.self).allSatisfy { (1...6).contains($0) })
        } catch is GraphError {}
    }

    @Test(
        "Margins beyond all measure are refused",
        arguments: ["constant", "edge", "reflect", "wrap"],
        [[Int64.max, 0, 0, 0], [0, 0, 0, .min], [1 << 40, 0, 0, 0], [-3, 0, 0, 0]]
    )
    func margins(_ mode: String, _ pads: [Int64]) {
        let trial = OperatorTrial(name: "Pad", attributes: ["mode": .string(mode)])
        #expect(throws: GraphError.self) { try trial.tensor(data, Tensor(pads, shape: [4])) }
    }

    @Test(
        "Operands that do not fit each other are refused",
        arguments: [
            "Add", "Mul", "Pow", "Less", "MatMul", "Gemm", "Where", "Max", "PRelu", "Mod", "Concat", "Attention",
        ]
    )
    func operands(_ name: String) {
        let other = Tensor([Float](repeating: 1, count: 20), shape: [5, 4])
        #expect(throws: GraphError.self) {
            try OperatorTrial(name: name, attributes: ["axis": .integer(0)]).tensor(data, other, other)
        }
    }

    @Test("Numbers and texts do not mix", arguments: ["Add", "Exp", "ReduceSum", "ArgMax", "Softmax", "Clip", "IsNaN"])
    func texts(_ name: String) {
        let texts = Tensor(strings: ["a", "b"], shape: [2])
        #expect(throws: GraphError.self) { try OperatorTrial(name: name).tensor(texts, texts) }
    }

    @Test(
        "An equation that says nothing sensible is refused",
        arguments: ["", "i", "ij,jk", "ij->ii", "ij->k", "...i.->", "iij->i", "ij...k->i", "ij->ij->ij"]
    )
    func equations(_ equation: String) {
        let trial = OperatorTrial(name: "Einsum", attributes: ["equation": .string(equation)])
        #expect(throws: GraphError.self) { try trial.tensor(data) }
    }

    @Test("More of a dimension than there is, is refused", arguments: [Int64(4), -1, .max, .min])
    func tooMany(_ count: Int64) {
        #expect(throws: GraphError.self) { try OperatorTrial(name: "TopK").tensor(data, integers(count)) }
    }

    @Test(
        "A range without an end is refused",
        arguments: [(0, 5, 0), (0, .max, 1), (.min, .max, 1), (0, 5, .min)] as [(Int64, Int64, Int64)]
    )
    func ranges(_ start: Int64, _ limit: Int64, _ delta: Int64) {
        #expect(throws: GraphError.self) {
            try OperatorTrial(name: "Range").tensor(
                Tensor(scalar: start),
                Tensor(scalar: limit),
                Tensor(scalar: delta)
            )
        }
    }

    @Test(
        "Operators without the inputs that they need say so",
        arguments: OperatorTable.names
    )
    func noInputs(_ name: String) {
        let parts = name.split(separator: ".")
        let trial = OperatorTrial(
            name: String(parts[parts.count - 1]),
            domain: parts.dropLast().joined(separator: "."),
            version: 21
        )
        // Whatever it answers, it answers.
        _ = try? trial.run([])
        _ = try? trial.run([.tensor(Tensor([] as [Float], shape: [0]))])
        _ = try? trial.run([.sequence([]), .none, .none])
        #expect(OperatorTable.names.contains(name))
    }
}

/// SplitMix64, for tests that replay by seed.
struct SeededNumbers {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }

    mutating func next(below bound: Int) -> Int { Int(next() % UInt64(bound)) }
}
