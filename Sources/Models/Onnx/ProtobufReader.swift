/// Walks the fields of one protobuf message (proto2 wire format) inside the archive, in order, without recursion:
/// a nested message is a range, which the caller may walk with a reader of its own.
struct ProtobufReader {
    enum Value: Equatable {
        case varint(UInt64)
        case fixed64(UInt64)
        case fixed32(UInt32)
        /// A string, a blob, a nested message or packed numbers.
        case bytes(Range<Int>)
    }

    struct Field: Equatable {
        var number: UInt64
        var value: Value
    }

    /// Names the file in errors.
    let file: String
    fileprivate var position: Int
    fileprivate let end: Int

    init(_ range: Range<Int>, file: String) {
        position = range.lowerBound
        end = range.upperBound
        self.file = file
    }

    /// The next field; nil at the message's end.
    mutating func next(in archive: borrowing RawSpan) throws(ModelError) -> Field? {
        guard position < end else { return nil }
        let key = try varint(in: archive)
        guard key >> 3 != 0 else { throw damaged("a field has number 0") }
        let value: Value
        switch key & 7 {
        case 0: value = .varint(try varint(in: archive))
        case 1: value = .fixed64(try fixed(UInt64.self, in: archive))
        case 2: value = .bytes(try range(in: archive))
        case 5: value = .fixed32(try fixed(UInt32.self, in: archive))
        default: throw damaged("a field has wire type \(key & 7)")
        }
        return Field(number: key >> 3, value: value)
    }

    /// A number of up to 64 bits in groups of 7, lowest first.
    mutating func varint(in archive: borrowing RawSpan) throws(ModelError) -> UInt64 {
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let byte = try fixed(UInt8.self, in: archive)
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 {
                guard shift < 63 || byte <= 1 else { break }
                return result
            }
        }
        throw damaged("a number has more than 64 bits")
    }

    private mutating func fixed<Number: FixedWidthInteger & BitwiseCopyable>(
        _ type: Number.Type,
        in archive: borrowing RawSpan
    ) throws(ModelError) -> Number {
        let size = MemoryLayout<Number>.size
        guard end - position >= size, let number = FileBytes.integer(type, at: position, in: archive) else {
            throw damaged("it ends in the middle of a field")
        }
        position += size
        return number
    }

    private mutating func range(in archive: borrowing RawSpan) throws(ModelError) -> Range<Int> {
        let count = try varint(in: archive)
        guard let count = Int(exactly: count), count <= end - position else {
            throw damaged("it ends in the middle of a field of \(count) bytes")
        }
        defer { position += count }
        return position..<position + count
    }

    func damaged(_ what: String) -> ModelError {
        .invalid("\(file) is not an intact ONNX file: at byte \(position) of the archive, \(what)")
    }
}

extension ProtobufReader.Field {
    /// The field's bytes; another wire type is an error.
    func range(_ reader: ProtobufReader) throws(ModelError) -> Range<Int> {
        guard case .bytes(let range) = value else { throw reader.damaged("field \(number) has the wrong wire type") }
        return range
    }

    /// The field's text, bounded.
    func text(_ reader: ProtobufReader, in archive: borrowing RawSpan) throws(ModelError) -> String {
        let range = try range(reader)
        guard range.count <= ModelLimits.nameBytesMax else {
            throw .tooLarge("\(reader.file): a name has \(range.count) bytes; at most \(ModelLimits.nameBytesMax)")
        }
        guard let text = FileBytes.text(range, of: archive) else {
            throw reader.damaged("field \(number) is not UTF-8 text")
        }
        return text
    }

    /// The field's number, from two's complement.
    func integer(_ reader: ProtobufReader) throws(ModelError) -> Int64 {
        guard case .varint(let bits) = value else { throw reader.damaged("field \(number) has the wrong wire type") }
        return Int64(bitPattern: bits)
    }

    /// The field's float.
    func float(_ reader: ProtobufReader) throws(ModelError) -> Float {
        guard case .fixed32(let bits) = value else { throw reader.damaged("field \(number) has the wrong wire type") }
        return Float(bitPattern: bits)
    }

    /// Appends one integer, or all of a packed field.
    func appendIntegers(
        to integers: inout [Int64],
        _ reader: ProtobufReader,
        in archive: borrowing RawSpan,
        countMax: Int
    ) throws(ModelError) {
        switch value {
        case .varint(let bits):
            integers.append(Int64(bitPattern: bits))
        case .bytes(let range):
            var packed = ProtobufReader(range, file: reader.file)
            while packed.hasMore, integers.count <= countMax {
                integers.append(Int64(bitPattern: try packed.varint(in: archive)))
            }
        default:
            throw reader.damaged("field \(number) has the wrong wire type")
        }
        guard integers.count <= countMax else {
            throw .tooLarge("\(reader.file): a list has more than \(countMax) numbers")
        }
    }
}

extension ProtobufReader {
    var hasMore: Bool { position < end }
}
