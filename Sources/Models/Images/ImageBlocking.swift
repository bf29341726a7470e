import Graphs
import Kernels

extension ImportedGraph {
    /// The same graph with its convolutions fused and packed, and images in blocks of 16 channels between them.
    ///
    ///     Conv ─ Add ─ Relu ─ …    →    Block ─ thaw.Conv ─ … ─ thaw.Conv ─ Unblock
    ///
    /// Images are blocked where a chain of such nodes begins and unblocked for the first node that knows only planar ones.
    func blockingImages(in archive: borrowing RawSpan) -> ImportedGraph {
        guard let body = graph.bodies.first else { return self }
        var blocking = ImageBlocking(self)
        blocking.readBounds(in: archive)
        blocking.findChains(in: body)
        guard !blocking.chains.isEmpty else { return self }
        for place in body.nodes.indices { blocking.emit(place, in: archive) }
        return blocking.finished()
    }
}

/// One rewriting of a graph's first body, node by node in order.
struct ImageBlocking {
    /// An image as it lies in blocks.
    struct Blocked {
        let value: Graph.ValueIndex
        let channels: Int
        /// Groups that are blocked each by itself; 1 where it makes no difference.
        let groups: Int
        /// Spatial dimensions.
        let rank: Int
        let extent: Extent
    }

    /// Where an image's sizes come from: equal ones mean equal sizes, whatever they are.
    struct Extent: Equatable {
        /// The value whose sizes it began with; nil for an image of one pixel.
        var root: Graph.ValueIndex?
        /// What windows made of them since.
        var steps: [[Int]] = []
    }

    var graph: Graph
    var sources: [TensorSource]
    let original: Graph.Body
    /// Convolutions with what is fused to them, by the place of the last node.
    var chains: [Int: ConvolutionChain] = [:]
    /// Nodes that a chain brings along.
    var inChain: Set<Int> = []
    /// Who reads a value; −1 for the graph's outputs and for bodies.
    private(set) var readers: [Graph.ValueIndex: [Int]] = [:]
    /// Constants of one float.
    private(set) var bounds: [Graph.ValueIndex: Float] = [:]
    private(set) var constants: [Graph.ValueIndex: Int] = [:]
    private var nodes: [Graph.Node] = []
    private(set) var blocked: [Graph.ValueIndex: Blocked] = [:]
    /// Values of which only a blocked form exists so far.
    private var missing: Set<Graph.ValueIndex> = []

    init(_ imported: ImportedGraph) {
        graph = imported.graph
        sources = imported.sources
        original = graph.bodies[0]
        for (place, constant) in graph.constants.enumerated() { constants[constant.value] = place }
        for (place, node) in original.nodes.enumerated() {
            for input in node.inputs { if let input { readers[input, default: []].append(place) } }
            guard !node.bodies.isEmpty else { continue }
            for value in graph.reads(of: node) { readers[value, default: []].append(-1) }
        }
        for value in original.outputs { readers[value, default: []].append(-1) }
        for port in graph.inputs where port.hasDefault { constants[port.value] = nil }
    }

    /// Reads what nodes may be bounded by.
    mutating func readBounds(in archive: borrowing RawSpan) {
        for (value, place) in constants where sources[place].element == .f32 && sources[place].count == 1 {
            bounds[value] = sources[place].tensor(in: archive).array(of: Float.self)[0]
        }
    }

    mutating func newValue() -> Graph.ValueIndex {
        defer { graph.valueCount += 1 }
        return graph.valueCount
    }

    /// A constant of the packer's own.
    mutating func newConstant(_ name: String, _ source: TensorSource) -> Graph.ValueIndex {
        let value = newValue()
        constants[value] = graph.constants.count
        graph.constants.append(
            .init(value, name: "\(name) (blocked \(value))", element: source.element, shape: source.shape)
        )
        sources.append(source)
        return value
    }

    func source(of value: Graph.ValueIndex?) -> TensorSource? {
        value.flatMap { constants[$0] }.map { sources[$0] }
    }

    mutating func append(_ node: Graph.Node) {
        nodes.append(node)
    }

    /// The blocked form of `value`, which is made where it does not exist.
    mutating func block(_ value: Graph.ValueIndex, channels: Int, groups: Int, rank: Int) -> Blocked {
        if let blocked = blocked[value], blocked.channels == channels, blocked.groups == groups { return blocked }
        unblock(value)
        let made = Blocked(
            value: newValue(),
            channels: channels,
            groups: groups,
            rank: rank,
            extent: Extent(root: value)
        )
        append(
            Graph.Node(
                "Block",
                domain: "thaw",
                version: 1,
                title: "Block of value \(value)",
                inputs: [value],
                outputs: [made.value],
                attributes: ["groups": .integer(groups)]
            )
        )
        // Another grouping that somebody else made stays the one that is known.
        if blocked[value] == nil { blocked[value] = made }
        return made
    }

    /// Notes that a node wrote `value` in blocks.
    mutating func wrote(_ value: Graph.ValueIndex, _ form: Blocked) {
        blocked[value] = form
        missing.insert(value)
    }

    /// Makes the planar form of `value` where only a blocked one exists.
    mutating func unblock(_ value: Graph.ValueIndex) {
        guard missing.remove(value) != nil, let form = blocked[value] else { return }
        append(
            Graph.Node(
                "Unblock",
                domain: "thaw",
                version: 1,
                title: "Unblock of value \(value)",
                inputs: [form.value],
                outputs: [value],
                attributes: ["channels": .integer(form.channels), "groups": .integer(form.groups)]
            )
        )
    }

    /// The node at `place` of the original body, in whichever form it has now.
    mutating func emit(_ place: Int, in archive: borrowing RawSpan) {
        if let chain = chains[place] { return emit(chain, in: archive) }
        guard !inChain.contains(place) else { return }
        emit(original.nodes[place], in: archive)
    }

    mutating func emit(_ node: Graph.Node, in archive: borrowing RawSpan) {
        guard !emitBlocked(node, in: archive) else { return }
        for value in graph.reads(of: node) { unblock(value) }
        append(node)
    }

    mutating func finished() -> ImportedGraph {
        for value in original.outputs { unblock(value) }
        graph.bodies[0].nodes = nodes
        var read = Set(graph.bodies.flatMap { $0.outputs + $0.nodes.flatMap { $0.inputs.compactMap(\.self) } })
        read.formUnion(graph.inputs.map(\.value))
        let kept = graph.constants.indices.filter { read.contains(graph.constants[$0].value) }
        graph.constants = kept.map { graph.constants[$0] }
        return ImportedGraph(graph: graph, sources: kept.map { sources[$0] })
    }
}
