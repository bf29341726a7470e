import Inference

/// Turns an ONNX graph of dense layers into a plan: one float matrix in, one out, a row for each example.
struct OnnxImporter {
    /// A tensor of the graph while it is walked.
    enum Operand {
        case constant(OnnxTensor)
        /// A value of the plan. `shape` is what stands after the batch dimension; its product is the column count.
        case value(Plan.ValueIndex, shape: [Int])
    }

    /// What the importer understands, for the message about what it does not.
    static let operators = [
        "Add", "Cast", "Constant", "Div", "Dropout", "Flatten", "Gelu", "Gemm", "Identity", "MatMul", "Mul", "Relu",
        "Reshape", "Sigmoid", "Softmax", "Sub", "Tanh",
    ]

    let model: OnnxModel
    var builder = PlanBuilder()
    var operands: [String: Operand] = [:]
    /// How many nodes, or graph outputs, read a tensor.
    private var useCounts: [String: Int] = [:]
    /// Outputs of a linear step that may still take over what follows it, with the step's index.
    var openLinears: [String: Int] = [:]
    /// The batch dimension where the file fixes it.
    var fixedBatch: Int?

    init(_ model: OnnxModel) {
        self.model = model
        for node in model.nodes {
            for input in node.inputs { useCounts[input, default: 0] += 1 }
        }
        for output in model.outputs { useCounts[output.name, default: 0] += 1 }
    }

    /// Reads `file` and everything in it.
    static func importModel(
        _ range: Range<Int>,
        in archive: borrowing RawSpan,
        file: String
    ) throws(ModelError) -> ImportedModel {
        var importer = OnnxImporter(try OnnxModel(range, in: archive, file: file))
        return try importer.run(in: archive)
    }

    private mutating func run(in archive: borrowing RawSpan) throws(ModelError) -> ImportedModel {
        for (name, tensor) in model.initializers {
            operands[name] = .constant(tensor)
        }
        let (input, inputName) = try addInput()
        for node in model.nodes {
            try add(node, in: archive)
        }
        guard model.outputs.count == 1, let port = model.outputs.first else {
            let names = model.outputs.prefix(8).map(\.name).joined(separator: ", ")
            throw unsupported("the graph should have one output, it has \(model.outputs.count) (\(names))")
        }
        guard case .value(let output, _) = operands[port.name] else {
            throw .invalid("\(model.file): the graph's output \(port.name) is written by no node that reads its input")
        }
        return builder.finish(input: input, output: output, inputName: inputName, outputName: port.name)
    }

    private mutating func addInput() throws(ModelError) -> (Plan.ValueIndex, String) {
        let ports = model.inputs.filter { model.initializers[$0.name] == nil }
        guard ports.count == 1, let port = ports.first else {
            let names = ports.prefix(8).map(\.name).joined(separator: ", ")
            throw unsupported("the graph should have one input, it has \(ports.count) (\(names))")
        }
        guard port.dataType == OnnxTensor.DataType.float else {
            throw unsupported(
                "the input \(port.name) should be float, it is \(OnnxTensor.DataType.name(port.dataType))"
            )
        }
        guard let shape = port.shape, shape.count >= 2, shape.dropFirst().allSatisfy({ $0 != nil }) else {
            throw unsupported(
                "the input \(port.name) should have the shape [batch, n, …] with only the batch left open"
            )
        }
        let columns = shape.dropFirst().compactMap(\.self)
        let count = try columnCount(columns, of: "the input \(port.name)")
        fixedBatch = shape.first.flatMap(\.self)
        let value = builder.value(.sequences, columns: count)
        operands[port.name] = .value(value, shape: columns)
        return (value, port.name)
    }

    private mutating func add(_ node: OnnxNode, in archive: borrowing RawSpan) throws(ModelError) {
        switch node.type {
        case "Constant": try addConstant(node)
        case "Identity", "Dropout": try alias(node)
        case "Cast": try addCast(node)
        case "Flatten": try addFlatten(node)
        case "Reshape": try addReshape(node)
        case "Gemm": try addGemm(node, in: archive)
        case "MatMul": try addMatMul(node)
        case "Add": try addArithmetic(node, .add, in: archive)
        case "Sub": try addArithmetic(node, .subtract, in: archive)
        case "Mul": try addArithmetic(node, .multiply, in: archive)
        case "Div": try addArithmetic(node, .divide, in: archive)
        case "Relu": try addActivation(node, .relu)
        case "Tanh": try addActivation(node, .tanh)
        case "Sigmoid": try addActivation(node, .sigmoid)
        case "Gelu": try addGelu(node)
        case "Softmax": try addSoftmax(node)
        case "Erf":
            throw unsupported("\(node.title) is half of a Gelu; export with opset 20 or newer, where it is one node")
        default:
            throw unsupported(
                "\(node.title) is not supported; supported are \(Self.operators.joined(separator: ", "))"
            )
        }
    }

    // MARK: What the operators share

    func unsupported(_ what: String) -> ModelError {
        .unsupported("\(model.file): \(what)")
    }

    /// The input at `index`, which must be given and known.
    func operand(_ node: OnnxNode, _ index: Int) throws(ModelError) -> Operand {
        guard index < node.inputs.count, !node.inputs[index].isEmpty else {
            throw .invalid("\(model.file): \(node.title) lacks input \(index)")
        }
        guard let operand = operands[node.inputs[index]] else {
            throw .invalid(
                "\(model.file): \(node.title) reads \(node.inputs[index]), which no earlier node writes"
            )
        }
        return operand
    }

    /// The input at `index`, which must depend on the graph's input.
    func value(_ node: OnnxNode, _ index: Int) throws(ModelError) -> (index: Plan.ValueIndex, shape: [Int]) {
        guard case .value(let value, let shape) = try operand(node, index) else {
            throw unsupported("\(node.title) works on constants only; export the model with constants folded")
        }
        return (value, shape)
    }

    /// The input at `index`, which must be a constant of floats.
    func constant(_ node: OnnxNode, _ index: Int) throws(ModelError) -> OnnxTensor {
        guard case .constant(let tensor) = try operand(node, index) else {
            throw unsupported("\(node.title) should have a constant as input \(index), it depends on the graph's input")
        }
        guard tensor.isFloating else {
            throw unsupported(
                "\(node.title) should have floats as input \(index), it has "
                    + OnnxTensor.DataType.name(tensor.dataType)
            )
        }
        return tensor
    }

    /// Names the node's first output.
    mutating func define(_ node: OnnxNode, _ operand: Operand) throws(ModelError) {
        guard let name = node.outputs.first, !name.isEmpty else {
            throw .invalid("\(model.file): \(node.title) has no output")
        }
        guard operands.updateValue(operand, forKey: name) == nil else {
            throw .invalid("\(model.file): \(name) is written twice, the second time by \(node.title)")
        }
    }

    func columnCount(_ shape: [Int], of what: String) throws(ModelError) -> Int {
        guard let count = Shape.elementCount(shape), (1...ModelLimits.columnsMax).contains(count) else {
            throw .tooLarge(
                "\(model.file): \(what) has the row shape \(Shape.text(shape)); a row may have 1 to "
                    + "\(ModelLimits.columnsMax) numbers"
            )
        }
        return count
    }

    /// Whether the first input of `node` is a linear step's output that nobody else reads: then the step can do more.
    func openLinear(_ name: String) -> Int? {
        useCounts[name] == 1 ? openLinears[name] : nil
    }

    func integer(_ node: OnnxNode, _ name: String, default: Int64) throws(ModelError) -> Int64 {
        guard let attribute = node.attributes[name] else { return `default` }
        guard case .integer(let integer) = attribute else {
            throw .invalid("\(model.file): attribute \(name) of \(node.title) should be an integer")
        }
        return integer
    }

    func float(_ node: OnnxNode, _ name: String, default: Float) throws(ModelError) -> Float {
        guard let attribute = node.attributes[name] else { return `default` }
        guard case .float(let float) = attribute else {
            throw .invalid("\(model.file): attribute \(name) of \(node.title) should be a float")
        }
        return float
    }
}
