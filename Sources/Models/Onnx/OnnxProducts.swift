import Inference

/// Gemm and MatMul: products with a constant, in panels.
extension OnnxImporter {
    /// y = alpha · a · b + beta · c, b constant.
    mutating func addGemm(_ node: OnnxNode, in archive: borrowing RawSpan) throws(ModelError) {
        guard try integer(node, "transA", default: 0) == 0 else {
            throw unsupported("\(node.title) transposes its first input; only its second may be transposed")
        }
        guard try float(node, "alpha", default: 1) == 1, try float(node, "beta", default: 1) == 1 else {
            throw unsupported("\(node.title) scales its product; only alpha = beta = 1 is supported")
        }
        let isTransposed = try integer(node, "transB", default: 0) != 0
        let columns = try addProduct(node, isColumnMajor: isTransposed)
        guard node.inputs.count > 2, !node.inputs[2].isEmpty else { return }
        let bias = try constant(node, 2)
        guard let step = builder.steps.indices.last, let index = try self.bias(bias, columns: columns, in: archive)
        else {
            throw unsupported(
                "\(node.title) should add [\(columns)] numbers to a row, its third input has the shape "
                    + Shape.text(bias.shape)
            )
        }
        setBias(index, ofStep: step)
    }

    /// y = a · b, b constant.
    mutating func addMatMul(_ node: OnnxNode) throws(ModelError) {
        _ = try addProduct(node, isColumnMajor: false)
    }

    /// Adds a linear step without bias and activation.
    ///
    /// Returns its columns.
    private mutating func addProduct(_ node: OnnxNode, isColumnMajor: Bool) throws(ModelError) -> Int {
        let (input, shape) = try value(node, 0)
        let weight = try constant(node, 1)
        guard shape.count == 1, weight.shape.count == 2 else {
            throw unsupported(
                "\(node.title) should multiply [batch, k] by [k, n], it multiplies rows of \(Shape.text(shape)) by "
                    + Shape.text(weight.shape)
            )
        }
        let inner = weight.shape[isColumnMajor ? 1 : 0]
        let columns = try columnCount([weight.shape[isColumnMajor ? 0 : 1]], of: "the output of \(node.title)")
        guard inner == shape[0] else {
            throw .invalid(
                "\(model.file): \(node.title) multiplies rows of \(shape[0]) numbers by a matrix made for \(inner)"
            )
        }
        let product = builder.product(
            weight.name.isEmpty ? node.inputs[1] : weight.name,
            inner: inner,
            columns: columns,
            isColumnMajor: isColumnMajor,
            from: .stored(weight.floats)
        )
        let out = builder.value(.sequences, columns: columns)
        builder.steps.append(.linear(input: input, weight: product, bias: nil, activation: .none, out: out))
        try define(node, .value(out, shape: [columns]))
        if let name = node.outputs.first { openLinears[name] = builder.steps.count - 1 }
        return columns
    }

    /// The weight of a bias of `columns` numbers; nil where the constant has another shape.
    func isBias(_ tensor: OnnxTensor, columns: Int) -> Bool {
        (tensor.elementCount == columns && tensor.shape.dropLast().allSatisfy { $0 == 1 } && tensor.shape.count <= 2)
            || (tensor.elementCount == 1 && tensor.shape.count <= 2)
    }

    mutating func bias(
        _ tensor: OnnxTensor,
        columns: Int,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> Plan.WeightIndex? {
        guard isBias(tensor, columns: columns) else { return nil }
        guard tensor.elementCount == columns else {
            let number = number(of: tensor, in: archive)
            return builder.weight(
                tensor.name,
                shape: [columns],
                from: WeightSource(.computed(Array(repeating: number, count: columns)))
            )
        }
        return builder.weight(tensor.name, shape: [columns], from: WeightSource(.stored(tensor.floats)))
    }

    /// The only number of a constant.
    private func number(of tensor: OnnxTensor, in archive: borrowing RawSpan) -> Float {
        var floats: [Float] = []
        for piece in tensor.floats { FileBytes.append(piece, of: archive, to: &floats) }
        return floats.first ?? 0
    }

    mutating func setBias(_ bias: Plan.WeightIndex, ofStep index: Int) {
        if case .linear(let input, let weight, _, let activation, let out) = builder.steps[index] {
            builder.steps[index] = .linear(
                input: input,
                weight: weight,
                bias: bias,
                activation: activation,
                out: out
            )
        }
    }
}
