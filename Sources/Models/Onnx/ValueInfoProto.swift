import Graphs

/// A ValueInfoProto: a typed input or output.
struct ValueInfoProto {
    private(set) var name = ""
    private(set) var kind = Graph.Port.Kind.tensor
    /// TensorProto.DataType; 0 where the file does not say.
    private(set) var dataType: Int64 = 0
    /// nil where the file gives no shape.
    private(set) var shape: [Graph.Dimension]?
    /// What a map or a sparse tensor is called in errors.
    private(set) var otherKind: String?

    init(_ range: Range<Int>, in archive: borrowing RawSpan, _ file: String) throws(ModelError) {
        var reader = ProtobufReader(range, file: file)
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: name = try field.text(reader, in: archive)
            case 2: try readType(try field.range(reader), in: archive, file, depth: 0)
            default: continue
            }
        }
    }

    /// A TypeProto.
    private mutating func readType(
        _ range: Range<Int>,
        in archive: borrowing RawSpan,
        _ file: String,
        depth: Int
    ) throws(ModelError) {
        guard depth < 4 else { throw .unsupported("\(file): \(name) has a type of types of types") }
        var reader = ProtobufReader(range, file: file)
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: try readTensor(try field.range(reader), in: archive, file)
            case 4, 9:
                if depth == 0 { kind = field.number == 4 ? .sequence : .optional }
                var inner = ProtobufReader(try field.range(reader), file: file)
                while let element = try inner.next(in: archive) {
                    guard element.number == 1 else { continue }
                    try readType(try element.range(inner), in: archive, file, depth: depth + 1)
                }
            case 5: otherKind = "a map"
            case 7: otherKind = "an opaque type"
            case 8: otherKind = "a sparse tensor"
            default: continue
            }
        }
    }

    private mutating func readTensor(
        _ range: Range<Int>,
        in archive: borrowing RawSpan,
        _ file: String
    ) throws(ModelError) {
        var reader = ProtobufReader(range, file: file)
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: dataType = try field.integer(reader)
            case 2:
                var dimensions: [Graph.Dimension] = []
                var shape = ProtobufReader(try field.range(reader), file: file)
                while let item = try shape.next(in: archive) {
                    guard item.number == 1 else { continue }
                    guard dimensions.count < ModelLimits.dimensionsMax else {
                        throw .tooLarge("\(file): \(name) has more than \(ModelLimits.dimensionsMax) dimensions")
                    }
                    dimensions.append(try dimension(try item.range(shape), in: archive, file))
                }
                self.shape = dimensions
            default: continue
            }
        }
    }

    private func dimension(
        _ range: Range<Int>,
        in archive: borrowing RawSpan,
        _ file: String
    ) throws(ModelError) -> Graph.Dimension {
        var reader = ProtobufReader(range, file: file)
        var dimension = Graph.Dimension.open("")
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1:
                // Some exporters write −1 for what a call chooses.
                let size = try field.integer(reader)
                dimension = (0...Int64(ModelLimits.elementsMax)).contains(size) ? .fixed(Int(size)) : .open("")
            case 2:
                // Paddle's exporter calls every dimension "?", of whatever size.
                let name = try field.text(reader, in: archive)
                dimension = .open(name == "?" ? "" : name)
            default: continue
            }
        }
        return dimension
    }
}
