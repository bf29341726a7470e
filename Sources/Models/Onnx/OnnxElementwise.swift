import Inference

/// Operators that work number by number, or row by row.
extension OnnxImporter {
    mutating func addArithmetic(
        _ node: OnnxNode,
        _ arithmetic: Plan.Arithmetic,
        in archive: borrowing RawSpan
    ) throws(ModelError) {
        switch (try operand(node, 0), try operand(node, 1)) {
        case (.value(let left, let shape), .constant):
            let constant = try constant(node, 1)
            if arithmetic == .add, try takeBias(node, node.inputs[0], constant, in: archive) { return }
            try combine(node, left, shape, arithmetic, constant)
        case (.constant, .value(let right, let shape)):
            let constant = try constant(node, 0)
            switch arithmetic {
            case .add:
                if try takeBias(node, node.inputs[1], constant, in: archive) { return }
                try combine(node, right, shape, .add, constant)
            case .multiply:
                try combine(node, right, shape, .multiply, constant)
            case .subtract:
                // c − x = x · −1 + c
                let minusOne = builder.weight("minus one", shape: [1], from: WeightSource(.computed([-1])))
                let negated = builder.value(.sequences, columns: builder.columns(of: right))
                builder.steps.append(.combineConstant(input: right, .multiply, constant: minusOne, out: negated))
                try combine(node, negated, shape, .add, constant)
            case .divide:
                throw unsupported("\(node.title) divides a constant by a value; only the other way round is supported")
            }
        case (.value(let left, let leftShape), .value(let right, let rightShape)):
            guard leftShape == rightShape else {
                throw unsupported(
                    "\(node.title) joins rows of \(Shape.text(leftShape)) and \(Shape.text(rightShape)); they should "
                        + "be the same"
                )
            }
            let out = builder.value(.sequences, columns: builder.columns(of: left))
            builder.steps.append(.combine(left: left, arithmetic, right: right, out: out))
            try define(node, .value(out, shape: leftShape))
        case (.constant, .constant):
            throw unsupported("\(node.title) works on constants only; export the model with constants folded")
        }
    }

    /// Lets the linear step that wrote `name` add the constant itself, where nobody else reads its output.
    private mutating func takeBias(
        _ node: OnnxNode,
        _ name: String,
        _ constant: OnnxTensor,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> Bool {
        guard
            let step = openLinear(name),
            case .linear(_, _, nil, .none, let out) = builder.steps[step],
            let bias = try bias(constant, columns: builder.columns(of: out), in: archive)
        else { return false }
        setBias(bias, ofStep: step)
        try define(node, .value(out, shape: [builder.columns(of: out)]))
        if let output = node.outputs.first { openLinears[output] = step }
        return true
    }

    private mutating func combine(
        _ node: OnnxNode,
        _ input: Plan.ValueIndex,
        _ shape: [Int],
        _ arithmetic: Plan.Arithmetic,
        _ constant: OnnxTensor
    ) throws(ModelError) {
        let columns = builder.columns(of: input)
        let count = constant.elementCount
        // Broadcasting matches the last dimensions: with more than one after the batch, only one number fits all.
        let fits = count == 1 || (isBias(constant, columns: columns) && shape.count == 1)
        guard fits, constant.shape.count <= shape.count + 1 else {
            throw unsupported(
                "\(node.title) joins rows of \(Shape.text(shape)) with a constant of \(Shape.text(constant.shape)); it "
                    + "should have one number, or one for each column"
            )
        }
        let weight = builder.weight(constant.name, shape: [count], from: WeightSource(.stored(constant.floats)))
        let out = builder.value(.sequences, columns: columns)
        builder.steps.append(.combineConstant(input: input, arithmetic, constant: weight, out: out))
        try define(node, .value(out, shape: shape))
    }

    mutating func addActivation(_ node: OnnxNode, _ activation: Plan.Activation) throws(ModelError) {
        let (input, shape) = try value(node, 0)
        if let step = openLinear(node.inputs[0]),
            case .linear(let source, let weight, let bias, .none, let out) = builder.steps[step]
        {
            builder.steps[step] = .linear(input: source, weight: weight, bias: bias, activation: activation, out: out)
            return try define(node, .value(out, shape: shape))
        }
        let out = builder.value(.sequences, columns: builder.columns(of: input))
        builder.steps.append(.activate(input: input, activation, out: out))
        try define(node, .value(out, shape: shape))
    }

    mutating func addGelu(_ node: OnnxNode) throws(ModelError) {
        switch node.attributes["approximate"] {
        case nil, .text("none"): try addActivation(node, .gelu)
        default: throw unsupported("\(node.title) approximates; only the exact Gelu (approximate = none) is supported")
        }
    }

    mutating func addSoftmax(_ node: OnnxNode) throws(ModelError) {
        let (input, shape) = try value(node, 0)
        // Until operator set 12 the default was axis 1 of a matrix, which is the last one too.
        let axis = try integer(node, "axis", default: model.opset < 13 ? 1 : -1)
        guard shape.count == 1, axis == 1 || axis == -1 else {
            throw unsupported("\(node.title) should run over the last axis of [batch, n], it has axis \(axis)")
        }
        let out = builder.value(.sequences, columns: builder.columns(of: input))
        builder.steps.append(.softmax(input: input, out: out))
        try define(node, .value(out, shape: shape))
    }
}
