/// What an ONNX file says, taken apart but not yet understood.
///
/// Unknown fields are skipped, as protobuf asks.
struct OnnxModel {
    /// ValueInfoProto: a typed input or output.
    ///
    /// A dimension is nil where it is a symbol or missing.
    struct Port: Equatable {
        var name = ""
        var dataType: Int64 = 0
        /// nil where the file gives no shape.
        var shape: [Int?]?
    }

    let file: String
    var opset: UInt64 = 0
    var nodes: [OnnxNode] = []
    var initializers: [String: OnnxTensor] = [:]
    var inputs: [Port] = []
    var outputs: [Port] = []

    init(_ range: Range<Int>, in archive: borrowing RawSpan, file: String) throws(ModelError) {
        self.file = file
        var reader = ProtobufReader(range, file: file)
        var graph: Range<Int>?
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 7: graph = try field.range(reader)
            case 8: try readOpset(try field.range(reader), in: archive)
            case 25: throw .unsupported("\(file): functions of the model's own are not supported; export it inlined")
            default: continue
            }
        }
        guard let graph else {
            throw .invalid("\(file) is not an ONNX file: it holds no graph")
        }
        guard ModelLimits.opsets.contains(opset) else {
            throw .unsupported(
                "\(file) uses operator set \(opset); supported are \(ModelLimits.opsets.lowerBound) to "
                    + "\(ModelLimits.opsets.upperBound)"
            )
        }
        try readGraph(graph, in: archive)
    }

    private mutating func readOpset(_ range: Range<Int>, in archive: borrowing RawSpan) throws(ModelError) {
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
        if domain.isEmpty || domain == "ai.onnx" {
            opset = UInt64(bitPattern: version)
        }
    }

    private mutating func readGraph(_ range: Range<Int>, in archive: borrowing RawSpan) throws(ModelError) {
        var reader = ProtobufReader(range, file: file)
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: nodes.append(try OnnxNode(try field.range(reader), in: archive, file: file))
            case 5:
                let tensor = try OnnxTensor(try field.range(reader), in: archive, file: file)
                guard initializers.updateValue(tensor, forKey: tensor.name) == nil else {
                    throw .invalid("\(file): two initializers are called \(tensor.name)")
                }
            case 11: inputs.append(try Self.port(try field.range(reader), in: archive, file: file))
            case 12: outputs.append(try Self.port(try field.range(reader), in: archive, file: file))
            case 15:
                throw .unsupported("\(file): sparse initializers are not supported; save the model with dense ones")
            default: continue
            }
            guard nodes.count + initializers.count + inputs.count + outputs.count <= ModelLimits.nodesMax else {
                throw .tooLarge("\(file): the graph has more than \(ModelLimits.nodesMax) nodes and tensors")
            }
        }
    }

    private static func port(
        _ range: Range<Int>,
        in archive: borrowing RawSpan,
        file: String
    ) throws(ModelError) -> Port {
        var port = Port()
        var reader = ProtobufReader(range, file: file)
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: port.name = try field.text(reader, in: archive)
            case 2:
                var type = ProtobufReader(try field.range(reader), file: file)
                while let kind = try type.next(in: archive) {
                    guard kind.number == 1 else { continue }
                    try readTensorType(try kind.range(type), into: &port, in: archive, file: file)
                }
            default: continue
            }
        }
        return port
    }

    private static func readTensorType(
        _ range: Range<Int>,
        into port: inout Port,
        in archive: borrowing RawSpan,
        file: String
    ) throws(ModelError) {
        var reader = ProtobufReader(range, file: file)
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: port.dataType = try field.integer(reader)
            case 2:
                var dimensions: [Int?] = []
                var shape = ProtobufReader(try field.range(reader), file: file)
                while let item = try shape.next(in: archive) {
                    guard item.number == 1 else { continue }
                    guard dimensions.count < ModelLimits.dimensionsMax else {
                        throw .tooLarge("\(file): \(port.name) has more than \(ModelLimits.dimensionsMax) dimensions")
                    }
                    dimensions.append(try dimension(try item.range(shape), in: archive, file: file))
                }
                port.shape = dimensions
            default: continue
            }
        }
    }

    private static func dimension(
        _ range: Range<Int>,
        in archive: borrowing RawSpan,
        file: String
    ) throws(ModelError) -> Int? {
        var reader = ProtobufReader(range, file: file)
        var dimension: Int?
        while let field = try reader.next(in: archive) {
            guard field.number == 1 else { continue }
            dimension = Int(try field.integer(reader))
        }
        return dimension
    }
}
