import Graphs

/// A graph while it is compiled: one body at a time lies open, its nodes can be looked up by what they write.
///
/// A pass asks for patterns and answers with ``replace(_:with:)``, ``remove(_:)`` and ``redirect(_:to:)``; what nobody
/// reads any more is swept when the body is closed.
struct GraphEditor {
    private(set) var graph: Graph
    /// Constants by value.
    private var sources: [Graph.ValueIndex: TensorSource]
    /// What is known of values.
    var facts: [Graph.ValueIndex: ValueFacts] = [:]
    /// Nodes of the open body, nil where one was removed.
    private(set) var nodes: [Graph.Node?] = []
    private var producers: [Graph.ValueIndex: Int] = [:]
    private var openBody: Graph.BodyIndex?
    /// Readers of each value: nodes of all bodies, outputs.
    private var readerCounts: [Int]
    /// A value that is gone → what stands for it.
    private var aliases: [Graph.ValueIndex: Graph.ValueIndex] = [:]
    /// Constants that the caller may override: they are no constants here.
    private let defaults: Set<Graph.ValueIndex>
    /// Of constants.
    private var names: [Graph.ValueIndex: String] = [:]

    init(_ imported: ImportedGraph) {
        graph = imported.graph
        sources = [:]
        for (constant, source) in zip(graph.constants, imported.sources) { sources[constant.value] = source }
        defaults = Set(graph.inputs.filter(\.hasDefault).map(\.value))
        readerCounts = .init(repeating: 0, count: graph.valueCount)
        for constant in graph.constants { names[constant.value] = constant.name }
        count()
    }

    private mutating func count() {
        readerCounts = .init(repeating: 0, count: graph.valueCount)
        for body in graph.bodies {
            for node in body.nodes { for case let input? in node.inputs { readerCounts[input] += 1 } }
            for output in body.outputs { readerCounts[output] += 1 }
        }
    }
}

// MARK: Looking

extension GraphEditor {
    /// What stands for a value now.
    func resolve(_ value: Graph.ValueIndex) -> Graph.ValueIndex {
        var value = value
        while let other = aliases[value] { value = other }
        return value
    }

    /// The node of the open body at `place`, its inputs as they are now.
    func node(at place: Int) -> Graph.Node? {
        guard var node = nodes[place] else { return nil }
        node.inputs = node.inputs.map { $0.map(resolve) }
        return node
    }

    /// The place of the node of the open body that writes a value.
    func producer(of value: Graph.ValueIndex?) -> Int? {
        guard let value, let place = producers[resolve(value)], nodes[place] != nil else { return nil }
        return place
    }

    /// The node of ONNX's own operator `name` that writes a value, with its place.
    func node(_ name: String, writing value: Graph.ValueIndex?) -> (place: Int, node: Graph.Node)? {
        guard let place = producer(of: value), let node = node(at: place), node.name == name, node.domain.isEmpty
        else { return nil }
        return (place, node)
    }

    /// Whether only one node, or output, reads a value.
    func isReadOnce(_ value: Graph.ValueIndex) -> Bool { readerCounts[resolve(value)] == 1 }

    func readerCount(_ value: Graph.ValueIndex) -> Int { readerCounts[resolve(value)] }

    func constant(_ value: Graph.ValueIndex?) -> TensorSource? {
        guard let value = value.map(resolve), !defaults.contains(value) else { return nil }
        return sources[value]
    }

    /// A constant of one number of any type.
    func scalar(_ value: Graph.ValueIndex?, in archive: borrowing RawSpan) -> Double? {
        guard let source = constant(value), source.count == 1, source.element != .string else { return nil }
        let tensor = source.tensor(in: archive)
        switch tensor.element {
        case .f32: return Double(tensor.array(of: Float.self)[0])
        case .f64: return tensor.array(of: Double.self)[0]
        case .f16: return Double(tensor.array(of: Float16.self)[0])
        case .bf16: return Double(tensor.array(of: BFloat16.self)[0].float)
        default: return (try? tensor.integers())?.first.map(Double.init)
        }
    }

    func shape(_ value: Graph.ValueIndex?) -> [Size]? {
        guard let value = value.map(resolve) else { return nil }
        if let source = constant(value) { return source.shape.map { .known($0) } }
        return facts[value]?.shape
    }

    func element(_ value: Graph.ValueIndex?) -> TensorElement? {
        guard let value = value.map(resolve) else { return nil }
        return constant(value)?.element ?? facts[value]?.element
    }
}

// MARK: Changing

extension GraphEditor {
    mutating func open(_ body: Graph.BodyIndex) {
        openBody = body
        nodes = graph.bodies[body].nodes
        producers = [:]
        for (place, node) in nodes.enumerated() { note(node, at: place) }
    }

    private mutating func note(_ node: Graph.Node?, at place: Int) {
        for case let output? in node?.outputs ?? [] { producers[output] = place }
    }

    /// Drops what nobody reads, and puts the nodes back.
    mutating func close() {
        guard let body = openBody else { return }
        for place in nodes.indices.reversed() {
            guard let node = nodes[place], node.bodies.isEmpty, isPure(node) else { continue }
            if node.outputs.allSatisfy({ $0.map { readerCounts[$0] == 0 } ?? true }) { remove(place) }
        }
        graph.bodies[body].nodes = nodes.compactMap(\.self)
        openBody = nil
        applyAliases()
    }

    private func isPure(_ node: Graph.Node) -> Bool {
        OperatorTable.find(node.name, domain: node.domain, version: node.version)?.isPure ?? false
    }

    /// Takes a node away; its outputs must be read by nobody, or be written by another.
    mutating func remove(_ place: Int) {
        for case let input? in nodes[place]?.inputs ?? [] { readerCounts[resolve(input)] -= 1 }
        nodes[place] = nil
    }

    mutating func replace(_ place: Int, with node: Graph.Node) {
        remove(place)
        nodes[place] = node
        for case let input? in node.inputs { readerCounts[resolve(input)] += 1 }
        note(node, at: place)
    }

    /// Puts nodes where one was; places behind it move.
    mutating func replace(_ place: Int, withAll others: [Graph.Node]) {
        for node in others { for case let input? in node.inputs { readerCounts[resolve(input)] += 1 } }
        splice(place, others)
    }

    /// Nodes whose readings are counted already.
    private mutating func splice(_ place: Int, _ others: [Graph.Node]) {
        remove(place)
        nodes.replaceSubrange(place...place, with: others.map(Optional.some))
        for (offset, node) in nodes.enumerated().dropFirst(place) { note(node, at: offset) }
    }

    /// The nodes of a body that one node alone runs stand where that node was.
    mutating func takeBody(_ body: Graph.BodyIndex, insteadOf place: Int) {
        guard let node = nodes[place] else { return }
        let taken = graph.bodies[body]
        graph.bodies[body] = Graph.Body(inputs: [], outputs: [], nodes: [])
        splice(place, taken.nodes)
        for output in taken.outputs { readerCounts[resolve(output)] -= 1 }
        for (output, value) in zip(node.outputs, taken.outputs) {
            if let output { redirect(output, to: value) }
        }
    }

    /// All who read `value` read `other` from now on.
    mutating func redirect(_ value: Graph.ValueIndex, to other: Graph.ValueIndex) {
        let (value, other) = (resolve(value), resolve(other))
        guard value != other else { return }
        aliases[value] = other
        readerCounts[other] += readerCounts[value]
        readerCounts[value] = 0
    }

    mutating func newValue(_ facts: ValueFacts? = nil) -> Graph.ValueIndex {
        graph.valueCount += 1
        readerCounts.append(0)
        if let facts { self.facts[graph.valueCount - 1] = facts }
        return graph.valueCount - 1
    }

    /// - Parameter original: the constant that it is made of, whose name it takes where that is free.
    mutating func addConstant(
        _ source: TensorSource,
        insteadOf original: Graph.ValueIndex? = nil
    ) -> Graph.ValueIndex {
        let value = newValue()
        sources[value] = source
        if let original { names[value] = names[resolve(original)] }
        return value
    }

    /// Between two passes: bodies that are run no more are gone, and readers are counted anew.
    mutating func sweep() {
        graph.dropUnusedBodies()
        count()
    }

    private mutating func applyAliases() {
        guard !aliases.isEmpty else { return }
        for index in graph.bodies.indices {
            graph.bodies[index].outputs = graph.bodies[index].outputs.map(resolve)
            for place in graph.bodies[index].nodes.indices {
                let inputs = graph.bodies[index].nodes[place].inputs
                graph.bodies[index].nodes[place].inputs = inputs.map { $0.map(resolve) }
            }
        }
        for place in graph.outputs.indices { graph.outputs[place].value = resolve(graph.outputs[place].value) }
        aliases = [:]
    }

    /// The graph with the constants that are still read, bodies that are still run, and shapes at its outputs.
    func finished() -> ImportedGraph {
        var graph = graph
        var isRead: Set<Graph.ValueIndex> = defaults
        for body in graph.bodies {
            for node in body.nodes { for case let input? in node.inputs { isRead.insert(input) } }
            isRead.formUnion(body.outputs)
        }
        var table = ConstantTable()
        for value in sources.keys.sorted() where isRead.contains(value) {
            if let source = sources[value] { table.add(source, called: names[value] ?? "", as: value) }
        }
        graph.constants = table.constants
        for place in graph.outputs.indices { complete(&graph.outputs[place]) }
        return ImportedGraph(graph: graph, sources: table.sources)
    }

    /// What the model did not say of an output.
    private func complete(_ port: inout Graph.Port) {
        guard port.kind == .tensor else { return }
        port.element = port.element ?? element(port.value)
        guard let shape = shape(port.value), port.shape == nil || port.shape?.count == shape.count else { return }
        port.shape = shape.enumerated().map { place, size in
            if case .known(let size) = size { return .fixed(size) }
            return port.shape?[place] ?? .open("")
        }
    }
}

extension Graph {
    /// Bodies that no node runs any more are gone, and the others move up.
    mutating func dropUnusedBodies() {
        var isRun = [Bool](repeating: false, count: bodies.count)
        isRun[0] = true
        // A body stands before the bodies that its nodes run, or after: bodies are few, so all are asked again.
        var found = true
        while found {
            found = false
            for index in bodies.indices where isRun[index] {
                for inner in bodies[index].nodes.flatMap(\.bodies) where !isRun[inner] {
                    isRun[inner] = true
                    found = true
                }
            }
        }
        guard isRun.contains(false) else { return }
        var places = [Int](repeating: 0, count: bodies.count)
        for index in bodies.indices.dropFirst() { places[index] = places[index - 1] + (isRun[index - 1] ? 1 : 0) }
        bodies = bodies.indices.filter { isRun[$0] }.map { bodies[$0] }
        for index in bodies.indices {
            for node in bodies[index].nodes.indices {
                for case (let name, .graph(let body)) in bodies[index].nodes[node].attributes {
                    bodies[index].nodes[node].attributes[name] = .graph(places[body])
                }
            }
        }
    }
}
