/// A NodeProto: one operator of a graph.
struct NodeProto {
    var name = ""
    var type = ""
    /// "" for ONNX's own.
    var domain = ""
    var overload = ""
    /// An empty name stands for an input that is not given.
    var inputs: [String] = []
    var outputs: [String] = []
    var attributes: [AttributeProto] = []

    init(
        _ range: Range<Int>,
        in archive: borrowing RawSpan,
        _ context: ProtoContext,
        depth: Int
    ) throws(ModelError) {
        var reader = ProtobufReader(range, file: context.file)
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: inputs.append(try field.text(reader, in: archive))
            case 2: outputs.append(try field.text(reader, in: archive))
            case 3: name = try field.text(reader, in: archive)
            case 4: type = try field.text(reader, in: archive)
            case 5:
                attributes.append(
                    try AttributeProto(try field.range(reader), in: archive, context, depth: depth)
                )
            case 7: domain = try field.text(reader, in: archive)
            case 8: overload = try field.text(reader, in: archive)
            default: continue
            }
            guard inputs.count + outputs.count + attributes.count <= ModelLimits.tensorPiecesMax else {
                throw .tooLarge(
                    "\(context.file): a node has more than \(ModelLimits.tensorPiecesMax) inputs and outputs"
                )
            }
        }
        if domain == "ai.onnx" { domain = "" }
    }

    /// How errors call the node: `Gemm "/fc1/Gemm"`.
    var title: String {
        let type = domain.isEmpty ? type : "\(domain).\(type)"
        let output = outputs.first { !$0.isEmpty } ?? "nothing"
        return name.isEmpty ? "\(type) (writing \(output))" : "\(type) \"\(name)\""
    }
}

/// An AttributeProto: a setting of a node.
struct AttributeProto {
    enum Value {
        case float(Float)
        case integer(Int64)
        case string(Range<Int>)
        case tensor(TensorProto)
        case graph(GraphProto)
        case floats([Float])
        case integers([Int64])
        case strings([Range<Int>])
        /// A kind that no operator here has, by the number of AttributeProto.AttributeType.
        case other(Int64)
    }

    private(set) var name = ""
    /// Inside a function: the attribute of the calling node that stands for this one.
    private(set) var reference = ""
    private(set) var value = Value.other(0)

    private var floats: [Float] = []
    private var integers: [Int64] = []
    private var strings: [Range<Int>] = []

    init(
        _ range: Range<Int>,
        in archive: borrowing RawSpan,
        _ context: ProtoContext,
        depth: Int
    ) throws(ModelError) {
        var type: Int64 = 0
        var reader = ProtobufReader(range, file: context.file)
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: name = try field.text(reader, in: archive)
            case 20: type = try field.integer(reader)
            case 21: reference = try field.text(reader, in: archive)
            default: try read(field, reader, in: archive, context, depth)
            }
        }
        switch type {
        case 6: value = .floats(floats)
        case 7: value = .integers(integers)
        case 8: value = .strings(strings)
        case 0:
            // Files of before IR version 3 do not say.
            if !floats.isEmpty { value = .floats(floats) }
            if !integers.isEmpty { value = .integers(integers) }
            if !strings.isEmpty { value = .strings(strings) }
        case 1...5: setAbsent(type)
        default: value = .other(type)
        }
    }

    /// Writers of proto3 leave out what is zero.
    private mutating func setAbsent(_ type: Int64) {
        guard case .other = value else { return }
        switch type {
        case 1: value = .float(0)
        case 2: value = .integer(0)
        case 3: value = .string(0..<0)
        default: value = .other(type)
        }
    }

    private mutating func read(
        _ field: ProtobufReader.Field,
        _ reader: ProtobufReader,
        in archive: borrowing RawSpan,
        _ context: ProtoContext,
        _ depth: Int
    ) throws(ModelError) {
        switch field.number {
        case 2: value = .float(try field.float(reader))
        case 3: value = .integer(try field.integer(reader))
        case 4: value = .string(try field.range(reader))
        case 5:
            value = .tensor(
                try TensorProto(try field.range(reader), in: archive, file: context.file, external: context.external)
            )
        case 6: value = .graph(try GraphProto(try field.range(reader), in: archive, context, depth: depth + 1))
        case 7: try appendFloats(field, reader, in: archive)
        case 8:
            try field.appendIntegers(to: &integers, reader, in: archive, countMax: ModelLimits.attributeNumbersMax)
        case 9:
            strings.append(try field.range(reader))
            guard strings.count <= ModelLimits.attributeNumbersMax else {
                throw .tooLarge("\(reader.file): a list has more than \(ModelLimits.attributeNumbersMax) texts")
            }
        default: break
        }
    }

    private mutating func appendFloats(
        _ field: ProtobufReader.Field,
        _ reader: ProtobufReader,
        in archive: borrowing RawSpan
    ) throws(ModelError) {
        if case .bytes(let range) = field.value {
            guard range.count % 4 == 0, range.count / 4 <= ModelLimits.attributeNumbersMax else {
                throw reader.damaged("a list of floats has \(range.count) bytes")
            }
            FileBytes.append(
                StoredTensor(range: range, element: .f32, shape: [range.count / 4]),
                of: archive,
                to: &floats
            )
        } else {
            floats.append(try field.float(reader))
        }
        guard floats.count <= ModelLimits.attributeNumbersMax else {
            throw .tooLarge("\(reader.file): a list has more than \(ModelLimits.attributeNumbersMax) floats")
        }
    }
}
