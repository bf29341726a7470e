import Graphs
import JSON

/// Tensors from JSON: numbers, truth values and texts, flat or nested, in row-major order.
struct TensorJSON {
    private let element: TensorElement
    /// Where the values stand in the request, for the caller.
    private let path: String
    private var values: [JSON] = []

    /// - Parameter shape: has been checked to be one.
    static func tensor(_ data: JSON, _ element: TensorElement, shape: [Int], path: String) throws(TaskFailure) -> Tensor
    {
        var reader = TensorJSON(element: element, path: path)
        try reader.flatten(data)
        let count = shape.reduce(1, *)
        guard reader.values.count == count else {
            throw .invalid(path, "expected \(count) values for shape \(shape), got \(reader.values.count)")
        }
        return try reader.tensor(shape)
    }

    private init(element: TensorElement, path: String) {
        self.element = element
        self.path = path
    }

    /// Nests as deep as the parser let the text.
    private mutating func flatten(_ value: JSON) throws(TaskFailure) {
        guard let items = value.arrayValue else {
            values.append(value)
            return
        }
        for item in items { try flatten(item) }
    }

    private func tensor(_ shape: [Int]) throws(TaskFailure) -> Tensor {
        switch element {
        case .string: Tensor(strings: try map { $0.stringValue }, shape: shape)
        case .bool: Tensor(try map { Self.bool($0).map { TensorBool($0) } }, shape: shape)
        case .u8: Tensor(try integers(UInt8.self), shape: shape)
        case .i8: Tensor(try integers(Int8.self), shape: shape)
        case .u16: Tensor(try integers(UInt16.self), shape: shape)
        case .i16: Tensor(try integers(Int16.self), shape: shape)
        case .u32: Tensor(try integers(UInt32.self), shape: shape)
        case .i32: Tensor(try integers(Int32.self), shape: shape)
        case .u64: Tensor(try integers(UInt64.self), shape: shape)
        case .i64: Tensor(try integers(Int64.self), shape: shape)
        // Beyond the range of the type the model would be fed infinity.
        case .f32: Tensor(try map { $0.doubleValue.map { Float($0) }.flatMap { $0.isFinite ? $0 : nil } }, shape: shape)
        case .f64: Tensor(try map { $0.doubleValue }, shape: shape)
        case .f16:
            Tensor(try map { $0.doubleValue.map { Float16($0) }.flatMap { $0.isFinite ? $0 : nil } }, shape: shape)
        case .bf16: Tensor(try map { $0.doubleValue.map { BFloat16(Float($0)) } }, shape: shape)
        }
    }

    private static func bool(_ value: JSON) -> Bool? {
        switch value {
        case .bool(let flag): flag
        case .integer(0): false
        case .integer(1): true
        default: nil
        }
    }

    private func integers<Value: FixedWidthInteger>(_: Value.Type) throws(TaskFailure) -> [Value] {
        try map { value in
            if let integer = value.integerValue { return Value(exactly: integer) }
            // 3.0 is an integer to those who write all numbers with a point.
            return value.doubleValue.flatMap { Value(exactly: $0) }
        }
    }

    private func map<Value>(_ convert: (JSON) -> Value?) throws(TaskFailure) -> [Value] {
        var result: [Value] = []
        result.reserveCapacity(values.count)
        for (index, value) in values.enumerated() {
            guard let converted = convert(value) else {
                throw .invalid(path, "value \(index) is \(value.kindName) that is no \(element.openInferenceName)")
            }
            result.append(converted)
        }
        return result
    }
}

extension JSONWriter {
    /// Writes an element of a tensor that ``JSONValues`` has opened.
    mutating func value(_ values: JSONValues, _ index: Int) throws(TaskFailure) {
        switch values {
        case .strings(let texts): string(texts[index])
        case .bools(let bools): bool(bools[index].value)
        case .signed(let numbers): integer(numbers[index])
        case .unsigned(let numbers): integer(numbers[index])
        case .floats(let floats):
            do throws(JSONError) {
                try number(floats[index])
            } catch {
                throw .model("the model answered \(floats[index]), which JSON cannot say; ask for binary data")
            }
        case .doubles(let doubles):
            do throws(JSONError) {
                try number(doubles[index])
            } catch {
                throw .model("the model answered \(doubles[index]), which JSON cannot say; ask for binary data")
            }
        }
    }
}

/// The elements of a tensor in the few kinds that JSON knows.
enum JSONValues {
    case strings([String])
    case bools([TensorBool])
    case signed([Int64])
    case unsigned([UInt64])
    case floats([Float])
    case doubles([Double])

    init(_ tensor: Tensor) {
        switch tensor.element {
        case .string: self = .strings(tensor.strings)
        case .bool: self = .bools(tensor.array())
        case .i8: self = .signed(tensor.array(of: Int8.self).map { Int64($0) })
        case .i16: self = .signed(tensor.array(of: Int16.self).map { Int64($0) })
        case .i32: self = .signed(tensor.array(of: Int32.self).map { Int64($0) })
        case .i64: self = .signed(tensor.array())
        case .u8: self = .unsigned(tensor.array(of: UInt8.self).map { UInt64($0) })
        case .u16: self = .unsigned(tensor.array(of: UInt16.self).map { UInt64($0) })
        case .u32: self = .unsigned(tensor.array(of: UInt32.self).map { UInt64($0) })
        case .u64: self = .unsigned(tensor.array())
        case .f32: self = .floats(tensor.array())
        case .f64: self = .doubles(tensor.array())
        case .f16: self = .floats(tensor.array(of: Float16.self).map { Float($0) })
        case .bf16: self = .floats(tensor.array(of: BFloat16.self).map(\.float))
        }
    }
}
