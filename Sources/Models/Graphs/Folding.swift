import Graphs

/// Works out what does not depend on a call, and takes away what changes nothing.
///
/// Constants are worked out by the operators themselves. What that may cost is bounded: an output is only made where its
/// size is known beforehand and small, or where it is made when the snapshot is written.
struct Folding {
    /// Bytes of a constant that is worked out; weights beyond it are only moved, when they are written.
    private static let bytesMax = 16 << 20
    /// Bytes of all that are held at once.
    private static let totalBytesMax = 64 << 20
    /// Operators that cannot fail and whose output has the size of their input: they can wait until the weight is written.
    private static let patient: Set<String> = ["Transpose", "Cast"]

    private var nextSymbol = 0
    private var heldBytes = 0

    init(_ editor: inout GraphEditor) {
        var symbols: [String: Size] = [:]
        for port in editor.graph.inputs where port.kind == .tensor {
            let shape = port.shape?.map { dimension -> Size in
                if case .fixed(let size) = dimension { return .known(size) }
                guard case .open(let name) = dimension, !name.isEmpty, let symbol = symbols[name] else {
                    nextSymbol += 1
                    if case .open(let name) = dimension, !name.isEmpty { symbols[name] = .symbol(nextSymbol) }
                    return .symbol(nextSymbol)
                }
                return symbol
            }
            editor.facts[port.value] = ValueFacts(port.element, shape)
        }
    }

    mutating func run(_ editor: inout GraphEditor, _ archive: borrowing RawSpan) {
        var place = 0
        while place < editor.nodes.count {
            if takeBranch(&editor, place, archive) { continue }
            fold(&editor, place, archive)
            place += 1
        }
    }

    /// An If whose condition is known is its branch; whether `place` holds another node now.
    private func takeBranch(_ editor: inout GraphEditor, _ place: Int, _ archive: borrowing RawSpan) -> Bool {
        guard let node = editor.node(at: place), node.name == "If", node.domain.isEmpty,
            let condition = editor.scalar(node.inputs.first ?? nil, in: archive),
            case .graph(let body)? = node.attributes[condition != 0 ? "then_branch" : "else_branch"]
        else { return false }
        editor.takeBody(body, insteadOf: place)
        return true
    }

    private mutating func fold(_ editor: inout GraphEditor, _ place: Int, _ archive: borrowing RawSpan) {
        guard let node = editor.node(at: place) else { return }
        let inputs = node.inputs.map { known($0, editor, archive) }
        if let same = passedThrough(node, inputs, editor), let output = node.outputs.first ?? nil {
            editor.redirect(output, to: same)
            return editor.remove(place)
        }
        var inference = ShapeInference(node, inputs, nextSymbol: nextSymbol)
        let outputs = inference.outputs()
        nextSymbol = inference.nextSymbol
        for (value, facts) in zip(node.outputs, outputs) { if let value { editor.facts[value] = facts } }
        if let constants = constants(of: node, outputs, editor, archive) {
            for (value, source) in zip(node.outputs, constants) {
                if let value { editor.redirect(value, to: editor.addConstant(source)) }
            }
            return editor.remove(place)
        }
        if node.name == "Reshape", node.domain.isEmpty { settleReshape(&editor, place, node, inputs) }
    }

    private func known(
        _ value: Graph.ValueIndex?,
        _ editor: GraphEditor,
        _ archive: borrowing RawSpan
    ) -> ValueFacts {
        guard let value else { return ValueFacts() }
        guard let source = editor.constant(value) else { return editor.facts[editor.resolve(value)] ?? ValueFacts() }
        var facts = ValueFacts(source.element, source.shape.map { .known($0) })
        if source.count <= ValueFacts.numbersMax, source.element == .i64 || source.element == .i32 {
            facts.numbers = (try? source.tensor(in: archive).integers())?.map { .known($0) }
        }
        return facts
    }

    /// The input that a node hands on as it is.
    private func passedThrough(
        _ node: Graph.Node,
        _ inputs: [ValueFacts],
        _ editor: GraphEditor
    ) -> Graph.ValueIndex? {
        guard let input = node.inputs.first ?? nil, let facts = inputs.first else { return nil }
        if node.domain == "ai.onnx.ml" { return node.name == "ZipMap" ? input : nil }
        guard node.domain.isEmpty else { return nil }
        let isAlone = node.outputs.dropFirst().allSatisfy { $0.map { editor.readerCount($0) == 0 } ?? true }
        guard isAlone else { return nil }
        switch node.name {
        case "Identity": return input
        // Training is asked for by an input since operator set 12, which exporters of models to serve leave out.
        case "Dropout": return node.input(2) == nil ? input : nil
        case "Cast":
            guard case .integer(let type)? = node.attributes["to"], let element = facts.element else { return nil }
            return Int(element.rawValue) == type ? input : nil
        case "Transpose":
            guard case .integers(let order)? = node.attributes["perm"] else { return nil }
            return order == Array(order.indices) ? input : nil
        case "Concat": return node.inputs.count == 1 ? input : nil
        default: return nil
        }
    }

    // MARK: Constants

    /// The outputs as constants; nil where they depend on a call, or are too large.
    private mutating func constants(
        of node: Graph.Node,
        _ outputs: [ValueFacts],
        _ editor: GraphEditor,
        _ archive: borrowing RawSpan
    ) -> [TensorSource]? {
        if outputs.count == 1, let source = numbers(outputs[0]) { return [source] }
        guard let operation = OperatorTable.find(node.name, domain: node.domain, version: node.version),
            operation.isPure, node.bodies.isEmpty, !node.inputs.isEmpty
        else { return nil }
        var sources: [TensorSource?] = []
        for input in node.inputs {
            guard let input else {
                sources.append(nil)
                continue
            }
            guard let source = editor.constant(input) else { return nil }
            sources.append(source)
        }
        var byteCount = 0
        for facts in outputs {
            guard let shape = facts.knownShape, let element = facts.element,
                let count = try? OperatorCall.elementCount(shape)
            else { return nil }
            byteCount += count * element.byteCount
        }
        if outputs.count == 1, let moved = moved(node, outputs[0], sources, byteCount) { return [moved] }
        let inputBytes = sources.reduce(0) { $0 + ($1?.byteCount ?? 0) }
        guard byteCount <= Self.bytesMax, inputBytes <= Self.totalBytesMax, heldBytes + byteCount <= Self.totalBytesMax
        else { return nil }
        heldBytes += byteCount
        var tensors: [GraphValue] = []
        for source in sources { tensors.append(source.map { .tensor($0.tensor(in: archive)) } ?? .none) }
        return Self.run(operation, node, tensors)?.map { TensorSource($0) }
    }

    private static func run(_ operation: Operator, _ node: Graph.Node, _ inputs: [GraphValue]) -> [Tensor]? {
        let call = OperatorCall(
            inputs: inputs,
            attributes: node.attributes,
            version: node.version,
            outputCount: node.outputs.count,
            pool: MemoryPool()
        )
        guard let values = try? operation.body(call), values.count >= node.outputs.count else { return nil }
        var tensors: [Tensor] = []
        for case .tensor(let tensor) in values.prefix(node.outputs.count) { tensors.append(tensor) }
        return tensors.count == node.outputs.count ? tensors : nil
    }

    /// A tensor of integers that are all known.
    private func numbers(_ facts: ValueFacts) -> TensorSource? {
        guard let numbers = facts.numbers, let shape = facts.knownShape, shape.reduce(1, *) == numbers.count else {
            return nil
        }
        let known = numbers.compactMap(\.known)
        guard known.count == numbers.count else { return nil }
        switch facts.element {
        case .i64: return TensorSource(Tensor(known.map { Int64($0) }, shape: shape))
        case .i32: return TensorSource(Tensor(known.map { Int32(truncatingIfNeeded: $0) }, shape: shape))
        default: return nil
        }
    }

    /// A weight in another shape, or in another order once it is written.
    private func moved(
        _ node: Graph.Node,
        _ facts: ValueFacts,
        _ sources: [TensorSource?],
        _ byteCount: Int
    ) -> TensorSource? {
        guard let shape = facts.knownShape, let element = facts.element, node.domain.isEmpty,
            let source = sources.first ?? nil, source.element != .string
        else { return nil }
        let reshapes: Set<String> = ["Reshape", "Squeeze", "Unsqueeze", "Flatten"]
        if reshapes.contains(node.name), source.element == element, source.count == shape.reduce(1, *) {
            switch source.numbers {
            case .archive, .varints: return TensorSource(element, shape: shape, source.numbers)
            case .tensor(let tensor): return TensorSource(tensor.reshaped(shape))
            case .made, .panels: return TensorSource(element, shape: shape, .made([source]) { $0[0].reshaped(shape) })
            }
        }
        guard Self.patient.contains(node.name), byteCount > 1 << 20, element != .string, sources.count == 1,
            let operation = OperatorTable.find(node.name, domain: node.domain, version: node.version)
        else { return nil }
        return TensorSource(
            element,
            shape: shape,
            .made([source]) { tensors in
                guard let result = Self.run(operation, node, [.tensor(tensors[0])])?.first else {
                    preconditionFailure("\(node.title) has a shape and cannot be run")
                }
                return result
            }
        )
    }

    // MARK: Reshape

    /// A Reshape whose sizes are known but for those that it keeps, or for one, needs none of the arithmetic before it.
    private func settleReshape(
        _ editor: inout GraphEditor,
        _ place: Int,
        _ node: Graph.Node,
        _ inputs: [ValueFacts]
    ) {
        guard node.inputs.count == 2, let wanted = inputs[1].numbers, editor.constant(node.input(1)) == nil,
            node.integer("allowzero") ?? 0 == 0, let shape = inputs[0].shape
        else { return }
        var sizes: [Int64] = []
        var openCount = 0
        for (index, size) in wanted.enumerated() {
            if let size = size.known {
                guard size != 0 else { return }
                sizes.append(Int64(size))
                openCount += size == -1 ? 1 : 0
            } else if index < shape.count, shape[index] == size {
                sizes.append(0)
            } else {
                sizes.append(-1)
                openCount += 1
            }
        }
        // With no elements a rest cannot be worked out, so no dimension may be 0 by what is known.
        guard openCount <= 1 else { return }
        var settled = node
        settled.inputs[1] = editor.addConstant(TensorSource(Tensor(sizes, shape: [sizes.count])))
        editor.replace(place, with: settled)
    }
}
