import Graphs

/// Turns an ONNX file into a graph: names become numbers, constants move out of the nodes, the model's own functions
/// are written out where they are called.
package struct OnnxImporter {
    let file: String
    let irVersion: Int64
    private let functions: [FunctionName: FunctionProto]
    private var scopes: [NameScope] = []
    /// Functions around the node that is imported, with the node that calls the innermost in front of titles.
    private var calls: [FunctionName] = []
    private var valueCount = 0
    private var constants = ConstantTable()
    private var bodies: [Graph.Body] = []
    private var nodeCount = 0

    private init(_ model: ModelProto, file: String) throws(ModelError) {
        self.file = file
        irVersion = model.irVersion
        var functions: [FunctionName: FunctionProto] = [:]
        for function in model.functions {
            let name = FunctionName(function.domain, function.name, function.overload)
            guard functions.updateValue(function, forKey: name) == nil else {
                throw .invalid("\(file): two functions are called \(name.domain).\(name.name)")
            }
        }
        self.functions = functions
    }

    /// Reads the model at `range` of the archive; `path` is where it lies in the bundle of `files`.
    package static func importGraph(
        _ range: Range<Int>,
        path: String,
        of files: ModelFiles,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> ImportedGraph {
        let directory = path.split(separator: "/").dropLast().joined(separator: "/")
        let context = ProtoContext(file: path, external: ExternalData(files: files, directory: directory))
        let model = try ModelProto(range, in: archive, context)
        guard let version = model.operatorSets[""] ?? (model.operatorSets.isEmpty ? nil : 1) else {
            throw .invalid("\(path) names no operator set")
        }
        guard model.operatorSets[""] == nil || ModelLimits.opsets.contains(UInt64(version)) else {
            throw .unsupported(
                "\(path) uses operator set \(version); supported are \(ModelLimits.opsets.lowerBound) to "
                    + "\(ModelLimits.opsets.upperBound)"
            )
        }
        var importer = try OnnxImporter(model, file: path)
        return try importer.run(model, in: archive)
    }

    private mutating func run(
        _ model: ModelProto,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> ImportedGraph {
        let proto = model.graph
        // Before IR version 4 every initializer had to be named as an input too, and was no default.
        let given = Set(proto.initializers.map(\.name))
        let inputs = proto.inputs.filter { irVersion >= 4 || !given.contains($0.name) }
        let defaults = given.intersection(inputs.map(\.name))
        scopes = [NameScope(operatorSets: model.operatorSets)]
        bodies.append(Graph.Body(inputs: [], outputs: [], nodes: []))
        try addInitializers(proto)
        var ports: [Graph.Port] = []
        for input in inputs {
            let isDefault = defaults.contains(input.name)
            let value = isDefault ? scopes[0].values[input.name] ?? nil : try define(input.name, by: "an input")
            guard let value else { continue }
            ports.append(try port(input, value, hasDefault: isDefault))
        }
        let nodes = try addNodes(proto.nodes, in: archive)
        var outputs: [Graph.Port] = []
        for output in proto.outputs {
            guard let value = try lookUp(output.name, for: "the graph's output") else {
                throw .invalid("\(file): the graph's output \(output.name) has no value")
            }
            outputs.append(try port(output, value, nodes, hasDefault: false))
        }
        bodies[0] = Graph.Body(inputs: ports.map(\.value), outputs: outputs.map(\.value), nodes: nodes)
        let graph = Graph(
            valueCount: valueCount,
            constants: constants.constants,
            inputs: ports,
            outputs: outputs,
            bodies: bodies
        )
        do throws(GraphError) {
            try graph.validate()
        } catch {
            throw .invalid("\(file): \(error)")
        }
        return ImportedGraph(graph: graph, sources: constants.sources)
    }

    private func port(
        _ info: ValueInfoProto,
        _ value: Graph.ValueIndex,
        _ nodes: [Graph.Node] = [],
        hasDefault: Bool
    ) throws(ModelError) -> Graph.Port {
        // Classifiers of scikit-learn end with a list of maps from class to score: it is served as the scores themselves.
        if let node = nodes.last(where: { $0.outputs.contains(value) }), node.name == "ZipMap" {
            return Graph.Port(info.name, value, element: .f32, shape: [.open(""), Self.classCount(of: node)])
        }
        if let other = info.otherKind {
            throw .unsupported("\(file): \(info.name) is \(other), which is not supported")
        }
        let element = UInt8(exactly: info.dataType).flatMap { TensorElement(rawValue: $0) }
        guard element != nil || info.dataType == 0 else {
            throw .unsupported("\(file): \(info.name) is of \(DataTypes.name(info.dataType)), which is not supported")
        }
        return Graph.Port(
            info.name,
            value,
            kind: info.kind,
            element: element,
            shape: info.kind == .tensor ? info.shape : nil,
            hasDefault: hasDefault
        )
    }
}

extension OnnxImporter {
    private static func classCount(of zipMap: Graph.Node) -> Graph.Dimension {
        switch (zipMap.attributes["classlabels_int64s"], zipMap.attributes["classlabels_strings"]) {
        case (.integers(let labels)?, _) where !labels.isEmpty: .fixed(labels.count)
        case (_, .strings(let labels)?) where !labels.isEmpty: .fixed(labels.count)
        default: .open("")
        }
    }
}

/// What names a function of the model's own.
private struct FunctionName: Hashable {
    let domain: String
    let name: String
    let overload: String

    init(_ domain: String, _ name: String, _ overload: String) {
        (self.domain, self.name, self.overload) = (domain, name, overload)
    }
}

/// Names that nodes can read.
private struct NameScope {
    var values: [String: Graph.ValueIndex?] = [:]
    let operatorSets: [String: Int]
    /// What a function's nodes may refer to; nil in a graph, which sees the names around it.
    var attributes: [String: Attribute]?
    /// In front of the titles of its nodes.
    var prefix = ""
}

// MARK: Values

extension OnnxImporter {
    private mutating func newValue() throws(ModelError) -> Graph.ValueIndex {
        guard valueCount < GraphLimits.valuesMax else {
            throw .tooLarge("\(file) has more than \(GraphLimits.valuesMax) values")
        }
        valueCount += 1
        return valueCount - 1
    }

    private mutating func define(_ name: String, by writer: String) throws(ModelError) -> Graph.ValueIndex {
        let value = try newValue()
        try bind(name, to: value, by: writer)
        return value
    }

    private mutating func bind(
        _ name: String,
        to value: Graph.ValueIndex?,
        by writer: String
    ) throws(ModelError) {
        guard scopes[scopes.count - 1].values.updateValue(value, forKey: name) == nil else {
            throw .invalid("\(file): \(name) is written twice, the second time by \(writer)")
        }
    }

    /// nil for a name that stands for nothing.
    private func lookUp(_ name: String, for reader: String) throws(ModelError) -> Graph.ValueIndex? {
        guard !name.isEmpty else { return nil }
        for scope in scopes.reversed() {
            if let value = scope.values[name] { return value }
            if scope.attributes != nil { break }
        }
        throw .invalid("\(file): \(reader) reads \(name), which nothing before it writes; nodes should be in order")
    }

    private mutating func addConstant(
        _ name: String,
        _ source: TensorSource,
        by writer: String
    ) throws(ModelError) {
        constants.add(source, called: name, as: try define(name, by: writer))
    }

    private mutating func addInitializers(_ graph: GraphProto, except inputs: Set<String> = []) throws(ModelError) {
        for tensor in graph.initializers where !inputs.contains(tensor.name) {
            try addConstant(tensor.name, tensor.source, by: "an initializer")
        }
    }
}

// MARK: Nodes

extension OnnxImporter {
    private mutating func addNodes(
        _ protos: [NodeProto],
        in archive: borrowing RawSpan
    ) throws(ModelError) -> [Graph.Node] {
        var nodes: [Graph.Node] = []
        for proto in protos { try add(proto, to: &nodes, in: archive) }
        return nodes
    }

    private mutating func add(
        _ proto: NodeProto,
        to nodes: inout [Graph.Node],
        in archive: borrowing RawSpan
    ) throws(ModelError) {
        nodeCount += 1
        guard nodeCount <= GraphLimits.nodesMax else {
            throw .tooLarge("\(file) has more than \(GraphLimits.nodesMax) nodes once its functions are written out")
        }
        var inputs: [Graph.ValueIndex?] = []
        for name in proto.inputs { inputs.append(try lookUp(name, for: proto.title)) }
        let name = FunctionName(proto.domain, proto.type, proto.overload)
        if let function = functions[name] {
            return try inline(function, name, proto, inputs, to: &nodes, in: archive)
        }
        var attributes: [String: Attribute] = [:]
        for attribute in proto.attributes {
            attributes[attribute.name] = try value(of: attribute, proto, in: archive)
        }
        if proto.domain.isEmpty, proto.type == "Constant", proto.outputs.count == 1 {
            return try addConstant(proto, attributes)
        }
        let version = try version(of: proto)
        try checkSupport(of: proto, version)
        var outputs: [Graph.ValueIndex?] = []
        for name in proto.outputs {
            outputs.append(name.isEmpty ? nil : try define(name, by: proto.title))
        }
        nodes.append(
            Graph.Node(
                proto.type,
                domain: proto.domain,
                version: version,
                title: (scopes.last?.prefix ?? "") + proto.title,
                inputs: inputs,
                outputs: outputs,
                attributes: attributes
            )
        )
    }

    private func version(of proto: NodeProto) throws(ModelError) -> Int {
        let sets = scopes[scopes.count - 1].operatorSets
        if let version = sets[proto.domain] { return version }
        guard !proto.domain.isEmpty else { throw .invalid("\(file) names no operator set for \(proto.title)") }
        return 1
    }

    private func checkSupport(of proto: NodeProto, _ version: Int) throws(ModelError) {
        // Arithmetic did not broadcast by itself before operator set 7, and training was told from inference by a setting.
        let old: Set<String> = ["broadcast", "consumed_inputs", "is_test"]
        guard version >= 7 || !proto.domain.isEmpty || !proto.attributes.contains(where: { old.contains($0.name) })
        else {
            throw .unsupported(
                "\(file): \(proto.title) means what it did before operator set 7; convert the model "
                    + "(onnx.version_converter)"
            )
        }
        // Fused operators come from the compiler, which knows what it may ask of them.
        if proto.domain != "thaw",
            OperatorTable.find(proto.type, domain: proto.domain, version: version) != nil
        {
            return
        }
        let name = proto.domain.isEmpty ? proto.type : "\(proto.domain).\(proto.type)"
        let names = OperatorTable.names.filter { !$0.hasPrefix("thaw.") }
        if names.contains(name) {
            throw .unsupported("\(file): \(proto.title) is not supported in operator set \(version)")
        }
        throw .unsupported("\(file): \(proto.title) is not supported; supported are \(names.joined(separator: ", "))")
    }

    private mutating func addConstant(_ proto: NodeProto, _ attributes: [String: Attribute]) throws(ModelError) {
        let source: TensorSource
        switch attributes.first {
        case ("value", .tensor(let tensor))?:
            // The numbers of a large one stay in the archive.
            if case .tensor(let proto)? = proto.attributes.first?.value {
                source = proto.source
            } else {
                source = TensorSource(tensor)
            }
        case ("value_float", .float(let value))?: source = TensorSource(Tensor(scalar: value))
        case ("value_floats", .floats(let values))?: source = TensorSource(Tensor(values, shape: [values.count]))
        case ("value_int", .integer(let value))?: source = TensorSource(Tensor(scalar: Int64(value)))
        case ("value_ints", .integers(let values))?:
            source = TensorSource(Tensor(values.map { Int64($0) }, shape: [values.count]))
        case ("value_string", .string(let value))?: source = TensorSource(Tensor(strings: [value], shape: []))
        case ("value_strings", .strings(let values))?:
            source = TensorSource(Tensor(strings: values, shape: [values.count]))
        default:
            throw .unsupported("\(file): \(proto.title) has no value, or a sparse one")
        }
        try addConstant(proto.outputs[0], source, by: proto.title)
    }

    /// nil where a function's node refers to an attribute that nobody gave.
    private mutating func value(
        of attribute: AttributeProto,
        _ node: NodeProto,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> Attribute? {
        if !attribute.reference.isEmpty {
            let frame = scopes.last { $0.attributes != nil }
            return frame?.attributes?[attribute.reference]
        }
        switch attribute.value {
        case .float(let value): return .float(value)
        case .integer(let value): return .integer(Int(value))
        case .string(let range): return .string(try text(range, node, attribute, in: archive))
        case .tensor(let proto): return .tensor(proto.source.tensor(in: archive))
        case .floats(let values): return .floats(values)
        case .integers(let values): return .integers(values.map { Int($0) })
        case .strings(let ranges):
            var texts: [String] = []
            for range in ranges { texts.append(try text(range, node, attribute, in: archive)) }
            return .strings(texts)
        case .graph(let proto): return .graph(try addBody(proto, in: archive))
        // The type of an optional that may be empty: values carry their types themselves.
        case .other(13), .other(14): return nil
        case .other:
            throw .unsupported("\(file): \(node.title) has the attribute \(attribute.name) of an unsupported kind")
        }
    }

    private func text(
        _ range: Range<Int>,
        _ node: NodeProto,
        _ attribute: AttributeProto,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> String {
        guard let text = FileBytes.text(range, of: archive) else {
            throw .unsupported("\(file): \(node.title) has the attribute \(attribute.name), which is not UTF-8 text")
        }
        return text
    }

    private mutating func addBody(
        _ proto: GraphProto,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> Graph.BodyIndex {
        let index = bodies.count
        bodies.append(Graph.Body(inputs: [], outputs: [], nodes: []))
        let outer = scopes[scopes.count - 1]
        scopes.append(NameScope(operatorSets: outer.operatorSets, prefix: outer.prefix))
        defer { scopes.removeLast() }
        var inputs: [Graph.ValueIndex] = []
        for input in proto.inputs { inputs.append(try define(input.name, by: "a subgraph's input")) }
        try addInitializers(proto, except: Set(proto.inputs.map(\.name)))
        let nodes = try addNodes(proto.nodes, in: archive)
        var outputs: [Graph.ValueIndex] = []
        for output in proto.outputs {
            guard let value = try lookUp(output.name, for: "a subgraph's output") else {
                throw .invalid("\(file): a subgraph's output has no name")
            }
            outputs.append(value)
        }
        bodies[index] = Graph.Body(inputs: inputs, outputs: outputs, nodes: nodes)
        return index
    }

    private mutating func inline(
        _ function: FunctionProto,
        _ name: FunctionName,
        _ proto: NodeProto,
        _ inputs: [Graph.ValueIndex?],
        to nodes: inout [Graph.Node],
        in archive: borrowing RawSpan
    ) throws(ModelError) {
        guard !calls.contains(name), calls.count < ModelLimits.graphDepthMax else {
            throw .invalid("\(file): the function \(name.name) calls itself, or functions are nested too deep")
        }
        guard inputs.count <= function.inputs.count, proto.outputs.count <= function.outputs.count else {
            throw .invalid("\(file): \(proto.title) has more inputs or outputs than its function")
        }
        var attributes: [String: Attribute] = [:]
        for attribute in function.defaults { attributes[attribute.name] = try value(of: attribute, proto, in: archive) }
        for attribute in proto.attributes {
            if let given = try value(of: attribute, proto, in: archive) { attributes[attribute.name] = given }
        }
        calls.append(name)
        scopes.append(
            NameScope(
                operatorSets: function.operatorSets,
                attributes: attributes,
                prefix: (scopes.last?.prefix ?? "") + proto.title + " › "
            )
        )
        for (place, input) in function.inputs.enumerated() {
            try bind(input, to: place < inputs.count ? inputs[place] : nil, by: proto.title)
        }
        for inner in function.nodes { try add(inner, to: &nodes, in: archive) }
        var outputs: [Graph.ValueIndex?] = []
        for output in function.outputs.prefix(proto.outputs.count) {
            outputs.append(try lookUp(output, for: "the function \(name.name)"))
        }
        scopes.removeLast()
        calls.removeLast()
        for (output, value) in zip(proto.outputs, outputs) where !output.isEmpty {
            try bind(output, to: value, by: proto.title)
        }
    }
}

/// Constants under names that no other entry of a snapshot has.
struct ConstantTable {
    private(set) var constants: [Graph.Constant] = []
    private(set) var sources: [TensorSource] = []
    private var names = EntryNames()

    mutating func add(_ source: TensorSource, called name: String, as value: Graph.ValueIndex) {
        let isText = source.element == .string
        var strings: [String] = []
        if isText, case .tensor(let tensor) = source.numbers { strings = tensor.strings }
        constants.append(
            Graph.Constant(
                value,
                name: isText ? "" : names.unused(name),
                element: source.element,
                shape: source.shape,
                strings: strings
            )
        )
        sources.append(source)
    }
}

/// Names of a snapshot's entries, each given once.
struct EntryNames {
    private var names: Set<String> = ["task", "plan", "graph", "tokenizer"]
    /// How often a name was asked for, so that many equal ones are numbered without a search.
    private var uses: [String: Int] = [:]

    /// The name, or the name with a number where it is taken.
    mutating func unused(_ name: String) -> String {
        // A snapshot names entries with 255 bytes; some exporters write whole call paths.
        let stem = name.isEmpty || name.utf8.count > 240 ? "constant" : name
        var candidate = stem
        while !names.insert(candidate).inserted {
            uses[stem, default: 1] += 1
            candidate = "\(stem)#\(uses[stem, default: 1])"
        }
        return candidate
    }
}
