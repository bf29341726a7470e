/// A TensorProto: a constant of the graph, its numbers still in the archive.
struct OnnxTensor: Equatable {
    /// TensorProto.DataType, as far as it matters here.
    enum DataType {
        static let float: Int64 = 1
        static let int32: Int64 = 6
        static let int64: Int64 = 7
        static let float16: Int64 = 10
        static let double: Int64 = 11
        static let bfloat16: Int64 = 16

        static let names: [Int64: String] = [
            1: "float", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string", 9: "bool",
            10: "float16", 11: "double", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128", 16: "bfloat16",
        ]

        static func name(_ type: Int64) -> String {
            names[type] ?? "type \(type)"
        }
    }

    var name = ""
    var dataType: Int64 = 0
    var shape: [Int] = []
    /// Floating-point numbers, one piece after the other; empty for other types.
    var floats: [StoredTensor] = []
    /// Integers of a shape or an axis list; empty for other types.
    var integers: [Int64] = []

    var isFloating: Bool { Self.element(dataType) != nil }

    var elementCount: Int { shape.reduce(1, *) }

    init(_ range: Range<Int>, in archive: borrowing RawSpan, file: String) throws(ModelError) {
        var reader = ProtobufReader(range, file: file)
        var dimensions: [Int64] = []
        var raw: Range<Int>?
        var pieces: [(range: Range<Int>, element: StoredElement)] = []
        var isExternal = false
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1:
                try field.appendIntegers(
                    to: &dimensions,
                    reader,
                    in: archive,
                    countMax: ModelLimits.dimensionsMax
                )
            case 2: dataType = try field.integer(reader)
            case 3: throw .unsupported("\(file): a tensor is cut into segments, which no exporter writes")
            case 4, 10:
                pieces.append((try Self.packed(field, reader), field.number == 4 ? .f32 : .f64))
                guard pieces.count <= ModelLimits.tensorPiecesMax else {
                    throw .unsupported("\(file): a tensor has its numbers one field each; save the model again")
                }
            case 5, 7:
                try field.appendIntegers(to: &integers, reader, in: archive, countMax: ModelLimits.columnsMax)
            case 8: name = try field.text(reader, in: archive)
            case 9: raw = try field.range(reader)
            case 13: isExternal = true
            case 14:
                if try field.integer(reader) == 1 { isExternal = true }
            default: continue
            }
        }
        guard !isExternal else {
            throw .unsupported(
                "\(file): tensor \(name) keeps its numbers in another file; save the model with all data inside "
                    + "the .onnx file (onnx.save_model(model, path, save_as_external_data=False))"
            )
        }
        try setShape(dimensions, file: file)
        try setNumbers(raw: raw, pieces: pieces, in: archive, file: file)
    }

    private mutating func setShape(_ dimensions: [Int64], file: String) throws(ModelError) {
        shape = dimensions.map { Int(truncatingIfNeeded: $0) }
        guard Shape.elementCount(shape) != nil else {
            throw .invalid("\(file): tensor \(name) has the impossible shape \(Shape.text(shape))")
        }
    }

    private mutating func setNumbers(
        raw: Range<Int>?,
        pieces: [(range: Range<Int>, element: StoredElement)],
        in archive: borrowing RawSpan,
        file: String
    ) throws(ModelError) {
        var found: Int
        if let element = Self.element(dataType) {
            // FLOAT16 and BFLOAT16 may also come as integers of a varint each; exporters write them raw.
            integers = []
            floats =
                if let raw {
                    [StoredTensor(range: raw, element: element, shape: shape)]
                } else {
                    pieces.filter { $0.element == element }.map {
                        StoredTensor(range: $0.range, element: element, shape: [$0.range.count / element.byteCount])
                    }
                }
            guard floats.allSatisfy({ $0.range.count % element.byteCount == 0 }) else {
                throw .invalid("\(file): tensor \(name) ends in the middle of a number")
            }
            found = floats.reduce(0) { $0 + $1.range.count / element.byteCount }
        } else if dataType == DataType.int64 || dataType == DataType.int32 {
            if let raw { integers = try Self.integers(raw, dataType, in: archive, file: file) }
            found = integers.count
        } else {
            // Of no use to any supported operator: whoever reads it is refused by name.
            integers = []
            return
        }
        guard found == elementCount else {
            throw .invalid(
                "\(file): tensor \(name) of shape \(Shape.text(shape)) should have \(elementCount) numbers, "
                    + "and has \(found)"
            )
        }
    }

    private static func packed(
        _ field: ProtobufReader.Field,
        _ reader: ProtobufReader
    ) throws(ModelError) -> Range<Int> {
        guard case .bytes(let range) = field.value else {
            throw .unsupported("\(reader.file): a tensor has its numbers one field each; save the model again")
        }
        return range
    }

    private static func integers(
        _ range: Range<Int>,
        _ dataType: Int64,
        in archive: borrowing RawSpan,
        file: String
    ) throws(ModelError) -> [Int64] {
        let size = dataType == DataType.int64 ? 8 : 4
        guard range.count <= ModelLimits.columnsMax * size else {
            // A table of integers; no supported operator reads one.
            throw .unsupported("\(file): a tensor of integers has \(range.count / size) numbers")
        }
        var integers: [Int64] = []
        var offset = range.lowerBound
        while offset <= range.upperBound - size {
            if size == 8, let number = FileBytes.integer(Int64.self, at: offset, in: archive) {
                integers.append(number)
            } else if let number = FileBytes.integer(Int32.self, at: offset, in: archive) {
                integers.append(Int64(number))
            }
            offset += size
        }
        return integers
    }

    static func element(_ dataType: Int64) -> StoredElement? {
        switch dataType {
        case DataType.float: .f32
        case DataType.double: .f64
        case DataType.float16: .f16
        case DataType.bfloat16: .bf16
        default: nil
        }
    }
}
