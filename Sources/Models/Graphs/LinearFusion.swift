import Graphs
import Kernels

/// Products with a constant matrix, with the bias and the activation that follow them, become `thaw.Linear`, whose
/// weight lies in panels.
enum LinearFusion {
    static func run(_ editor: inout GraphEditor) {
        for place in editor.nodes.indices {
            guard let node = editor.node(at: place), node.domain.isEmpty else { continue }
            switch node.name {
            case "MatMul": takeProduct(&editor, place, node)
            case "Gemm": takeGemm(&editor, place, node)
            case "Add": takeBias(&editor, place, node)
            default: takeActivation(&editor, place, node)
            }
        }
    }

    private static func takeProduct(_ editor: inout GraphEditor, _ place: Int, _ node: Graph.Node) {
        guard let weight = editor.constant(node.input(1)), weight.element == .f32, weight.shape.count == 2,
            editor.constant(node.input(0)) == nil
        else { return }
        replace(&editor, place, node, weight, isColumnMajor: false, bias: nil, nil)
    }

    private static func takeGemm(_ editor: inout GraphEditor, _ place: Int, _ node: Graph.Node) {
        guard let weight = editor.constant(node.input(1)), weight.element == .f32, weight.shape.count == 2,
            editor.constant(node.input(0)) == nil, node.integer("transA") ?? 0 == 0, node.float("alpha") ?? 1 == 1
        else { return }
        let isColumnMajor = node.integer("transB") ?? 0 != 0
        var bias: TensorSource?
        var biasName: Graph.ValueIndex?
        if node.inputs.count > 2, let value = node.input(2) {
            let columns = weight.shape[isColumnMajor ? 0 : 1]
            guard node.float("beta") ?? 1 == 1, let source = editor.constant(value),
                let vector = vector(source, columns, rankMax: 2)
            else { return }
            bias = vector
            biasName = value
        }
        replace(&editor, place, node, weight, isColumnMajor: isColumnMajor, bias: bias, biasName)
    }

    private static func replace(
        _ editor: inout GraphEditor,
        _ place: Int,
        _ node: Graph.Node,
        _ weight: TensorSource,
        isColumnMajor: Bool,
        bias: TensorSource?,
        _ biasName: Graph.ValueIndex?
    ) {
        let (inner, columns) =
            isColumnMajor ? (weight.shape[1], weight.shape[0]) : (weight.shape[0], weight.shape[1])
        guard (1...1 << 24).contains(inner), (1...1 << 24).contains(columns) else { return }
        let packed = TensorSource.panels(
            of: weight,
            inner: inner,
            columns: columns,
            isColumnMajor: isColumnMajor,
            format: .f32
        )
        var inputs: [Graph.ValueIndex?] = [node.input(0), editor.addConstant(packed, insteadOf: node.input(1))]
        if let bias { inputs.append(editor.addConstant(bias, insteadOf: biasName)) }
        let linear = Graph.Node(
            "Linear",
            domain: "thaw",
            version: 1,
            title: node.title,
            inputs: inputs,
            outputs: node.outputs,
            attributes: ["inner": .integer(inner), "columns": .integer(columns)]
        )
        editor.replace(place, with: linear)
    }

    /// A constant as one number for each column; nil where it is something else.
    private static func vector(_ source: TensorSource, _ columns: Int, rankMax: Int) -> TensorSource? {
        guard source.element == .f32, source.count == columns, source.shape.last == columns,
            source.shape.count <= rankMax
        else { return nil }
        if source.shape.count == 1 { return source }
        return TensorSource(.f32, shape: [columns], .made([source]) { $0[0].reshaped([columns]) })
    }

    /// The product that writes a value, if nothing was added to it yet and nobody else reads it.
    private static func open(
        _ editor: GraphEditor,
        _ value: Graph.ValueIndex?
    ) -> (place: Int, node: Graph.Node)? {
        guard let value, editor.isReadOnce(value), let place = editor.producer(of: value),
            let node = editor.node(at: place), node.domain == "thaw", node.name == "Linear",
            node.attributes["activation"] == nil
        else { return nil }
        return (place, node)
    }

    private static func takeBias(_ editor: inout GraphEditor, _ place: Int, _ node: Graph.Node) {
        for side in 0...1 {
            guard let (product, linear) = open(editor, node.input(side)), linear.inputs.count == 2,
                let columns = linear.integer("columns"), let source = editor.constant(node.input(1 - side)),
                let rank = editor.shape(linear.input(0))?.count ?? (source.shape.count == 1 ? 1 : nil),
                let bias = vector(source, columns, rankMax: rank)
            else { continue }
            var fused = linear
            fused.inputs.append(editor.addConstant(bias, insteadOf: node.input(1 - side)))
            fused.outputs = node.outputs
            editor.replace(place, with: fused)
            editor.remove(product)
            return
        }
    }

    private static func takeActivation(_ editor: inout GraphEditor, _ place: Int, _ node: Graph.Node) {
        guard let activation = activation(of: node), let (product, linear) = open(editor, node.inputs.first ?? nil)
        else { return }
        var fused = linear
        fused.outputs = node.outputs
        fused.attributes["activation"] = .integer(Int(activation.rawValue))
        editor.replace(place, with: fused)
        editor.remove(product)
    }

    private static func activation(of node: Graph.Node) -> Activation? {
        switch node.name {
        case "Relu": return .relu
        case "Tanh": return .tanh
        case "Sigmoid": return .sigmoid
        case "Gelu":
            if case .string(let kind)? = node.attributes["approximate"], kind != "none" { return nil }
            return .gelu
        default: return nil
        }
    }
}

extension Graph.Node {
    func integer(_ name: String) -> Int? {
        if case .integer(let value)? = attributes[name] { value } else { nil }
    }

    func float(_ name: String) -> Float? {
        if case .float(let value)? = attributes[name] { value } else { nil }
    }

    func integers(_ name: String) -> [Int]? {
        if case .integers(let values)? = attributes[name] { values } else { nil }
    }
}
