/// What every part of an ONNX file is read with.
struct ProtoContext {
    /// Names the file in errors.
    let file: String
    let external: ExternalData?
}

/// A ModelProto: an ONNX file, taken apart but not yet understood.
///
/// Unknown fields are skipped, as protobuf asks.
struct ModelProto {
    private(set) var irVersion: Int64 = 0
    /// Operator sets by domain, "" for ONNX's own.
    private(set) var operatorSets: [String: Int] = [:]
    private(set) var graph: GraphProto
    private(set) var functions: [FunctionProto] = []

    init(_ range: Range<Int>, in archive: borrowing RawSpan, _ context: ProtoContext) throws(ModelError) {
        var reader = ProtobufReader(range, file: context.file)
        var graph: GraphProto?
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: irVersion = try field.integer(reader)
            case 7: graph = try GraphProto(try field.range(reader), in: archive, context, depth: 0)
            case 8: try Self.readOperatorSet(try field.range(reader), into: &operatorSets, in: archive, context.file)
            case 25:
                functions.append(try FunctionProto(try field.range(reader), in: archive, context))
                guard functions.count <= ModelLimits.functionsMax else {
                    throw .tooLarge("\(context.file) has more than \(ModelLimits.functionsMax) functions")
                }
            default: continue
            }
        }
        guard let graph else { throw .invalid("\(context.file) is not an ONNX file: it holds no graph") }
        self.graph = graph
    }

    static func readOperatorSet(
        _ range: Range<Int>,
        into sets: inout [String: Int],
        in archive: borrowing RawSpan,
        _ file: String
    ) throws(ModelError) {
        var reader = ProtobufReader(range, file: file)
        var domain = ""
        var version: Int64 = 0
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: domain = try field.text(reader, in: archive)
            case 2: version = try field.integer(reader)
            default: continue
            }
        }
        guard (0...Int64(UInt16.max)).contains(version), sets.count < ModelLimits.functionsMax else {
            throw reader.damaged("an operator set has the number \(version)")
        }
        sets[domain == "ai.onnx" ? "" : domain] = Int(version)
    }
}

/// A GraphProto: nodes with their constants, inputs and outputs.
struct GraphProto {
    private(set) var nodes: [NodeProto] = []
    private(set) var initializers: [TensorProto] = []
    private(set) var inputs: [ValueInfoProto] = []
    private(set) var outputs: [ValueInfoProto] = []

    /// - Parameter depth: graphs around this one.
    init(
        _ range: Range<Int>,
        in archive: borrowing RawSpan,
        _ context: ProtoContext,
        depth: Int
    ) throws(ModelError) {
        guard depth <= ModelLimits.graphDepthMax else {
            throw .tooLarge("\(context.file): graphs are nested deeper than \(ModelLimits.graphDepthMax)")
        }
        var reader = ProtobufReader(range, file: context.file)
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: nodes.append(try NodeProto(try field.range(reader), in: archive, context, depth: depth))
            case 5:
                initializers.append(
                    try TensorProto(
                        try field.range(reader),
                        in: archive,
                        file: context.file,
                        external: context.external
                    )
                )
            case 11: inputs.append(try ValueInfoProto(try field.range(reader), in: archive, context.file))
            case 12: outputs.append(try ValueInfoProto(try field.range(reader), in: archive, context.file))
            case 15:
                throw .unsupported(
                    "\(context.file): sparse initializers are not supported; save the model with dense ones"
                )
            default: continue
            }
            guard nodes.count + initializers.count + inputs.count + outputs.count <= ModelLimits.nodesMax else {
                throw .tooLarge("\(context.file): the graph has more than \(ModelLimits.nodesMax) nodes and tensors")
            }
        }
    }
}

/// A FunctionProto: nodes under a name, as an operator of the model's own.
struct FunctionProto {
    private(set) var name = ""
    private(set) var domain = ""
    private(set) var overload = ""
    private(set) var inputs: [String] = []
    private(set) var outputs: [String] = []
    /// What stands in for attributes that the calling node does not give.
    private(set) var defaults: [AttributeProto] = []
    private(set) var nodes: [NodeProto] = []
    private(set) var operatorSets: [String: Int] = [:]

    init(_ range: Range<Int>, in archive: borrowing RawSpan, _ context: ProtoContext) throws(ModelError) {
        var reader = ProtobufReader(range, file: context.file)
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: name = try field.text(reader, in: archive)
            case 4: inputs.append(try field.text(reader, in: archive))
            case 5: outputs.append(try field.text(reader, in: archive))
            case 7: nodes.append(try NodeProto(try field.range(reader), in: archive, context, depth: 1))
            case 9:
                try ModelProto.readOperatorSet(
                    try field.range(reader),
                    into: &operatorSets,
                    in: archive,
                    context.file
                )
            case 10: domain = try field.text(reader, in: archive)
            case 11:
                defaults.append(try AttributeProto(try field.range(reader), in: archive, context, depth: 1))
            case 13: overload = try field.text(reader, in: archive)
            default: continue
            }
            guard nodes.count + inputs.count + outputs.count + defaults.count <= ModelLimits.nodesMax else {
                throw .tooLarge("\(context.file): a function has more than \(ModelLimits.nodesMax) nodes")
            }
        }
        if domain == "ai.onnx" { domain = "" }
    }
}
