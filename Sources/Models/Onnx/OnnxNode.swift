/// A NodeProto: one operator of the graph.
struct OnnxNode: Equatable {
    /// AttributeProto, as far as the supported operators use it.
    enum Attribute: Equatable {
        case float(Float)
        case integer(Int64)
        case text(String)
        case tensor(OnnxTensor)
        case floats([Float])
        case integers([Int64])
        /// A subgraph, a list of texts or something newer: named when an operator asks for it.
        case other
    }

    var name = ""
    /// With its domain in front where that is not the default one: `ai.onnx.ml.Scaler`.
    var type = ""
    /// An empty name stands for an input that is not given.
    var inputs: [String] = []
    var outputs: [String] = []
    var attributes: [String: Attribute] = [:]

    init(_ range: Range<Int>, in archive: borrowing RawSpan, file: String) throws(ModelError) {
        var reader = ProtobufReader(range, file: file)
        var domain = ""
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: inputs.append(try field.text(reader, in: archive))
            case 2: outputs.append(try field.text(reader, in: archive))
            case 3: name = try field.text(reader, in: archive)
            case 4: type = try field.text(reader, in: archive)
            case 5:
                let (name, attribute) = try Self.attribute(try field.range(reader), in: archive, file: file)
                attributes[name] = attribute
            case 7: domain = try field.text(reader, in: archive)
            default: continue
            }
            guard inputs.count + outputs.count + attributes.count <= ModelLimits.tensorPiecesMax else {
                throw .tooLarge("\(file): a node has more than \(ModelLimits.tensorPiecesMax) inputs and outputs")
            }
        }
        if !domain.isEmpty, domain != "ai.onnx" {
            type = "\(domain).\(type)"
        }
    }

    /// How errors call the node: `Gemm "/fc1/Gemm"`.
    var title: String {
        name.isEmpty ? "\(type) (writing \(outputs.first ?? "nothing"))" : "\(type) \"\(name)\""
    }

    private static func attribute(
        _ range: Range<Int>,
        in archive: borrowing RawSpan,
        file: String
    ) throws(ModelError) -> (String, Attribute) {
        var name = ""
        var attribute = Attribute.other
        var floats: [Float] = []
        var integers: [Int64] = []
        var type: Int64 = 0
        var reader = ProtobufReader(range, file: file)
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: name = try field.text(reader, in: archive)
            case 2: attribute = .float(try field.float(reader))
            case 3: attribute = .integer(try field.integer(reader))
            case 4: attribute = Self.text(try field.range(reader), in: archive)
            case 5: attribute = .tensor(try OnnxTensor(try field.range(reader), in: archive, file: file))
            case 7: try appendFloats(field, to: &floats, reader, in: archive)
            case 8: try field.appendIntegers(to: &integers, reader, in: archive, countMax: ModelLimits.columnsMax)
            case 20: type = try field.integer(reader)
            default: continue
            }
        }
        if type == 6 || !floats.isEmpty { attribute = .floats(floats) }
        if type == 7 || !integers.isEmpty { attribute = .integers(integers) }
        return (name, attribute)
    }

    /// A long or binary text is none that a supported operator knows.
    private static func text(_ range: Range<Int>, in archive: borrowing RawSpan) -> Attribute {
        guard range.count <= ModelLimits.nameBytesMax, let text = FileBytes.text(range, of: archive) else {
            return .other
        }
        return .text(text)
    }

    private static func appendFloats(
        _ field: ProtobufReader.Field,
        to floats: inout [Float],
        _ reader: ProtobufReader,
        in archive: borrowing RawSpan
    ) throws(ModelError) {
        if case .bytes(let range) = field.value {
            guard range.count % 4 == 0, range.count / 4 <= ModelLimits.columnsMax else {
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
        guard floats.count <= ModelLimits.columnsMax else {
            throw .tooLarge("\(reader.file): a list has more than \(ModelLimits.columnsMax) floats")
        }
    }
}
