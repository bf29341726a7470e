import Graphs

/// A TensorProto: a constant, its numbers still where they lie.
package struct TensorProto: Sendable {
    package private(set) var name = ""
    package let source: TensorSource

    /// - Parameter external: finds the numbers of a tensor that lie in another file of the bundle.
    package init(
        _ range: Range<Int>,
        in archive: borrowing RawSpan,
        file: String,
        external: ExternalData? = nil
    ) throws(ModelError) {
        var fields = TensorFields()
        var reader = ProtobufReader(range, file: file)
        while let field = try reader.next(in: archive) {
            if field.number == 8 {
                name = try field.text(reader, in: archive)
            } else {
                try fields.read(field, reader, in: archive)
            }
        }
        source = try fields.source(called: "\(file): tensor \(name)", in: archive, external)
    }
}

/// The fields of a TensorProto while it is read.
private struct TensorFields {
    var dimensions: [Int64] = []
    var dataType: Int64 = 0
    var raw: Range<Int>?
    /// Packed floats or doubles.
    var packed: [(field: UInt64, range: Range<Int>)] = []
    /// Numbers that came one field each, as their bits.
    var single: [(field: UInt64, bits: UInt64)] = []
    var strings: [Range<Int>] = []
    /// Keys and values of external data.
    var entries: [String: String] = [:]
    var isExternal = false

    mutating func read(
        _ field: ProtobufReader.Field,
        _ reader: ProtobufReader,
        in archive: borrowing RawSpan
    ) throws(ModelError) {
        switch field.number {
        case 1:
            try field.appendIntegers(to: &dimensions, reader, in: archive, countMax: ModelLimits.dimensionsMax)
        case 2: dataType = try field.integer(reader)
        case 3: throw .unsupported("\(reader.file): a tensor is cut into segments, which no exporter writes")
        case 4, 5, 7, 10, 11: try readNumbers(field, reader)
        case 6: strings.append(try field.range(reader))
        case 9: raw = try field.range(reader)
        case 13: try readEntry(try field.range(reader), reader.file, in: archive)
        case 14: isExternal = try field.integer(reader) == 1
        default: break
        }
    }

    private mutating func readNumbers(
        _ field: ProtobufReader.Field,
        _ reader: ProtobufReader
    ) throws(ModelError) {
        switch field.value {
        case .bytes(let range): packed.append((field.number, range))
        case .varint(let bits), .fixed64(let bits): single.append((field.number, bits))
        case .fixed32(let bits): single.append((field.number, UInt64(bits)))
        }
        guard packed.count <= ModelLimits.tensorPiecesMax, single.count <= ModelLimits.columnsMax else {
            throw .unsupported("\(reader.file): a tensor has its numbers one field each; save the model again")
        }
    }

    private mutating func readEntry(
        _ range: Range<Int>,
        _ file: String,
        in archive: borrowing RawSpan
    ) throws(ModelError) {
        var reader = ProtobufReader(range, file: file)
        var (key, value) = ("", "")
        while let field = try reader.next(in: archive) {
            switch field.number {
            case 1: key = try field.text(reader, in: archive)
            case 2: value = try field.text(reader, in: archive)
            default: continue
            }
        }
        guard entries.count < 16 else { throw reader.damaged("a tensor has more than 16 words on where it lies") }
        entries[key] = value
    }

    /// `title` names file and tensor in errors.
    func source(
        called title: String,
        in archive: borrowing RawSpan,
        _ external: ExternalData?
    ) throws(ModelError) -> TensorSource {
        let shape = dimensions.map { Int(truncatingIfNeeded: $0) }
        guard let count = Shape.elementCount(shape) else {
            throw .invalid("\(title) has the impossible shape \(Shape.text(shape))")
        }
        guard let narrow = UInt8(exactly: dataType), let element = TensorElement(rawValue: narrow) else {
            throw .unsupported("\(title) is of \(DataTypes.name(dataType)), which is not supported")
        }
        if element == .string { return try texts(shape, count, title, in: archive) }
        if isExternal {
            guard let external else {
                throw .unsupported("\(title) keeps its numbers in another file, which is not supported here")
            }
            let range = try external.range(of: entries, byteCount: count * element.byteCount, title)
            return TensorSource(element, shape: shape, .archive(range))
        }
        if let raw {
            try check(raw.count, count * element.byteCount, "bytes", shape, title)
            return TensorSource(element, shape: shape, .archive(raw))
        }
        let wanted = Self.field(of: element)
        let ranges = packed.filter { $0.field == wanted }.map(\.range)
        guard single.isEmpty else {
            return try loose(element, shape, count, title, ranges.isEmpty)
        }
        switch element {
        case .f32, .f64: return try floats(ranges, element, shape, count, title, in: archive)
        default:
            try check(try Self.varintCount(ranges, title, in: archive), count, "numbers", shape, title)
            return TensorSource(element, shape: shape, .varints(ranges))
        }
    }

    private func check(
        _ found: Int,
        _ expected: Int,
        _ what: String,
        _ shape: [Int],
        _ title: String
    ) throws(ModelError) {
        guard found == expected else {
            throw .invalid("\(title) of shape \(Shape.text(shape)) should have \(expected) \(what), and has \(found)")
        }
    }

    private func texts(
        _ shape: [Int],
        _ count: Int,
        _ title: String,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> TensorSource {
        try check(strings.count, count, "texts", shape, title)
        var texts: [String] = []
        texts.reserveCapacity(count)
        for range in strings {
            guard let text = FileBytes.text(range, of: archive) else {
                throw .unsupported("\(title) has a text that is not UTF-8")
            }
            texts.append(text)
        }
        return TensorSource(Tensor(strings: texts, shape: shape))
    }

    private func floats(
        _ ranges: [Range<Int>],
        _ element: TensorElement,
        _ shape: [Int],
        _ count: Int,
        _ title: String,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> TensorSource {
        let found = ranges.reduce(0) { $0 + $1.count }
        try check(found, count * element.byteCount, "bytes", shape, title)
        if ranges.count == 1 { return TensorSource(element, shape: shape, .archive(ranges[0])) }
        var bytes: [UInt8] = []
        for range in ranges { bytes += FileBytes.copy(range, of: archive) }
        return TensorSource(Tensor(element, shape: shape, copying: unsafe bytes.span.bytes))
    }

    /// Numbers that came one by one; few, or the file is refused.
    private func loose(
        _ element: TensorElement,
        _ shape: [Int],
        _ count: Int,
        _ title: String,
        _ isAll: Bool
    ) throws(ModelError) -> TensorSource {
        let wanted = Self.field(of: element)
        guard isAll, single.allSatisfy({ $0.field == wanted }) else {
            throw .invalid("\(title) mixes the fields of its numbers")
        }
        try check(single.count, count, "numbers", shape, title)
        var bytes: [UInt8] = []
        for (_, bits) in single {
            // As floats come as their bits and integers as two's complement, the low bytes are the number.
            for place in 0..<element.byteCount { bytes.append(UInt8(truncatingIfNeeded: bits >> UInt64(place * 8))) }
        }
        return TensorSource(Tensor(element, shape: shape, copying: unsafe bytes.span.bytes))
    }

    /// Walks all, so that whoever reads them later finds nothing malformed.
    private static func varintCount(
        _ ranges: [Range<Int>],
        _ title: String,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> Int {
        var count = 0
        for range in ranges {
            var reader = ProtobufReader(range, file: title)
            while reader.hasMore {
                _ = try reader.varint(in: archive)
                count += 1
            }
        }
        return count
    }

    /// The number of the field that holds elements of this type where they are not raw.
    private static func field(of element: TensorElement) -> UInt64 {
        switch element {
        case .f32: 4
        case .i32, .i16, .i8, .u16, .u8, .bool, .f16, .bf16: 5
        case .string: 6
        case .i64: 7
        case .f64: 10
        case .u32, .u64: 11
        }
    }
}

/// TensorProto.DataType in words.
package enum DataTypes {
    private static let names: [Int64: String] = [
        0: "no type", 1: "float", 2: "uint8", 3: "int8", 4: "uint16", 5: "int16", 6: "int32", 7: "int64", 8: "string",
        9: "bool", 10: "float16", 11: "double", 12: "uint32", 13: "uint64", 14: "complex64", 15: "complex128",
        16: "bfloat16", 17: "float8e4m3fn", 18: "float8e4m3fnuz", 19: "float8e5m2", 20: "float8e5m2fnuz", 21: "uint4",
        22: "int4", 23: "float4e2m1", 24: "float8e8m0", 25: "uint2", 26: "int2",
    ]

    /// Types that no tensor here can have.
    package static let refused = names.filter { $0.key > 13 && $0.key != 16 }.map(\.value)

    static func name(_ type: Int64) -> String { names[type] ?? "the unknown type \(type)" }
}

/// Files beside the model that hold numbers of its tensors.
package struct ExternalData: Sendable {
    /// Path inside the bundle → bytes of the archive.
    let files: ModelFiles
    /// The model's own folder; "" at the top.
    let directory: String

    /// The bytes that `entries` (location, offset, length) speak of; `byteCount` are wanted.
    func range(of entries: [String: String], byteCount: Int, _ title: String) throws(ModelError) -> Range<Int> {
        guard let location = entries["location"], !location.isEmpty else {
            throw .invalid("\(title) keeps its numbers in another file and does not say in which")
        }
        let parts = location.split(separator: "/", omittingEmptySubsequences: false)
        guard !location.hasPrefix("/"), !parts.contains(".."), !location.contains("\\") else {
            throw .invalid("\(title) keeps its numbers in \(location), which could leave the bundle")
        }
        let path = ModelFiles.path(directory, parts.filter { $0 != "." }.joined(separator: "/"))
        guard let file = files[path] else {
            throw .missing("\(title) keeps its numbers in \(path), which is missing from the bundle")
        }
        guard let offset = Int(entries["offset"] ?? "0"), let length = Int(entries["length"] ?? "\(byteCount)") else {
            throw .invalid("\(title) keeps its numbers at an offset or of a length that is no number")
        }
        guard length == byteCount else {
            throw .invalid("\(title) should have \(byteCount) bytes, and has \(length) in \(path)")
        }
        guard offset >= 0, length <= file.count, offset <= file.count - length else {
            throw .invalid("\(title) lies beyond the end of \(path), at \(offset) of \(file.count) bytes")
        }
        return file.lowerBound + offset..<file.lowerBound + offset + length
    }
}
