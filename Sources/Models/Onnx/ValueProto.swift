package import Graphs

/// A value in a file of its own, as ONNX's test data has them: a TensorProto, SequenceProto or OptionalProto.
package enum ValueProto {
    /// Reads the value of a port of this kind.
    package static func read(
        _ kind: Graph.Port.Kind,
        _ range: Range<Int>,
        in bytes: borrowing RawSpan,
        file: String
    ) throws(ModelError) -> GraphValue {
        switch kind {
        case .tensor:
            return .tensor(try TensorProto(range, in: bytes, file: file).source.tensor(in: bytes))
        case .sequence: return .sequence(try sequence(range, in: bytes, file))
        case .optional: return try optional(range, in: bytes, file)
        }
    }

    private static func sequence(
        _ range: Range<Int>,
        in bytes: borrowing RawSpan,
        _ file: String
    ) throws(ModelError) -> [Tensor] {
        var reader = ProtobufReader(range, file: file)
        var tensors: [Tensor] = []
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 3:
                tensors.append(try TensorProto(try field.range(reader), in: bytes, file: file).source.tensor(in: bytes))
            case 4...7: throw .unsupported("\(file): a sequence of something else than tensors")
            default: continue
            }
        }
        return tensors
    }

    private static func optional(
        _ range: Range<Int>,
        in bytes: borrowing RawSpan,
        _ file: String
    ) throws(ModelError) -> GraphValue {
        var reader = ProtobufReader(range, file: file)
        while let field = try reader.next(in: bytes) {
            switch field.number {
            case 3: return try read(.tensor, try field.range(reader), in: bytes, file: file)
            case 5: return try read(.sequence, try field.range(reader), in: bytes, file: file)
            case 4, 6, 7: throw .unsupported("\(file): an optional of something else than tensors")
            default: continue
            }
        }
        return .none
    }
}
