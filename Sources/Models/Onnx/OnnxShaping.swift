import Inference

/// Operators that move no numbers: they rename a value or see it in another shape.
extension OnnxImporter {
    mutating func addConstant(_ node: OnnxNode) throws(ModelError) {
        guard case .tensor(let tensor) = node.attributes["value"] else {
            throw unsupported("\(node.title) should hold a tensor; other kinds of constant are not supported")
        }
        try define(node, .constant(tensor))
    }

    mutating func alias(_ node: OnnxNode) throws(ModelError) {
        for extra in node.outputs.dropFirst() where !extra.isEmpty {
            guard !isRead(extra) else {
                throw unsupported("\(node.title) has a second output that is read")
            }
        }
        try define(node, try operand(node, 0))
    }

    private func isRead(_ name: String) -> Bool {
        model.outputs.contains { $0.name == name } || model.nodes.contains { $0.inputs.contains(name) }
    }

    mutating func addCast(_ node: OnnxNode) throws(ModelError) {
        let target = try integer(node, "to", default: 0)
        guard target == OnnxTensor.DataType.float else {
            throw unsupported(
                "\(node.title) makes \(OnnxTensor.DataType.name(target)); only casts to float are supported"
            )
        }
        switch try operand(node, 0) {
        case .constant(let tensor) where !tensor.isFloating:
            throw unsupported("\(node.title) casts a constant of \(OnnxTensor.DataType.name(tensor.dataType))")
        case let operand:
            try define(node, operand)
        }
    }

    /// Axis 1 keeps the batch; rows stay what they are.
    mutating func addFlatten(_ node: OnnxNode) throws(ModelError) {
        let axis = try integer(node, "axis", default: 1)
        let (value, shape) = try value(node, 0)
        guard axis == 1 || axis == -Int64(shape.count) else {
            throw unsupported("\(node.title) should have axis 1, it has \(axis)")
        }
        try define(node, .value(value, shape: [builder.columns(of: value)]))
    }

    /// Only the shapes that keep the batch dimension first and a row's numbers together.
    mutating func addReshape(_ node: OnnxNode) throws(ModelError) {
        let (value, shape) = try value(node, 0)
        guard case .constant(let target) = try operand(node, 1), target.dataType == OnnxTensor.DataType.int64 else {
            throw unsupported("\(node.title) should have a constant shape")
        }
        let columns = builder.columns(of: value)
        let keepsZero = try integer(node, "allowzero", default: 0) == 0
        guard
            let rows = target.integers.first,
            rows == -1 || (rows == 0 && keepsZero) || (fixedBatch.map { Int64($0) == rows } ?? false),
            let rest = Self.resolve(Array(target.integers.dropFirst()), from: shape, rowsAreOpen: rows == -1),
            !rest.isEmpty, Shape.elementCount(rest) == columns
        else {
            throw unsupported(
                "\(node.title) reshapes rows of \(Shape.text(shape)) to \(target.integers.prefix(8)); only "
                    + "[-1, n, …] with the same numbers in a row is supported"
            )
        }
        try define(node, .value(value, shape: rest))
    }

    /// Fills in 0 (the same dimension) and −1 (what is left over); nil where that cannot be.
    private static func resolve(_ target: [Int64], from shape: [Int], rowsAreOpen: Bool) -> [Int]? {
        var dimensions: [Int] = []
        var openIndex: Int?
        for (index, dimension) in target.enumerated() {
            switch dimension {
            case -1:
                guard openIndex == nil, !rowsAreOpen else { return nil }
                openIndex = index
                dimensions.append(1)
            case 0:
                guard index < shape.count else { return nil }
                dimensions.append(shape[index])
            case 1...Int64(ModelLimits.columnsMax):
                dimensions.append(Int(dimension))
            default:
                return nil
            }
        }
        if let openIndex {
            guard let whole = Shape.elementCount(shape), let known = Shape.elementCount(dimensions), known > 0,
                whole % known == 0
            else { return nil }
            dimensions[openIndex] = whole / known
        }
        return dimensions
    }
}
