/// What a tensor is made of; the numbers are those of ONNX's `TensorProto.DataType`.
package enum TensorElement: UInt8, CaseIterable, Sendable {
    case f32 = 1
    case u8 = 2
    case i8 = 3
    case u16 = 4
    case i16 = 5
    case i32 = 6
    case i64 = 7
    case string = 8
    case bool = 9
    case f16 = 10
    case f64 = 11
    case u32 = 12
    case u64 = 13
    case bf16 = 16

    /// Bytes of one element; 0 for text, which lies elsewhere.
    package var byteCount: Int {
        switch self {
        case .string: 0
        case .u8, .i8, .bool: 1
        case .u16, .i16, .f16, .bf16: 2
        case .f32, .i32, .u32: 4
        case .f64, .i64, .u64: 8
        }
    }

    package var isFloating: Bool {
        switch self {
        case .f16, .bf16, .f32, .f64: true
        default: false
        }
    }
}

/// A number type of Swift that lies in a tensor's memory as it is.
///
/// Every bit pattern is a value: memory that came from a file or a caller is never a trap.
package protocol TensorScalar: BitwiseCopyable, Sendable {
    static var element: TensorElement { get }
}

extension Float: TensorScalar { package static var element: TensorElement { .f32 } }
extension Double: TensorScalar { package static var element: TensorElement { .f64 } }
extension Float16: TensorScalar { package static var element: TensorElement { .f16 } }
extension Int8: TensorScalar { package static var element: TensorElement { .i8 } }
extension Int16: TensorScalar { package static var element: TensorElement { .i16 } }
extension Int32: TensorScalar { package static var element: TensorElement { .i32 } }
extension Int64: TensorScalar { package static var element: TensorElement { .i64 } }
extension UInt8: TensorScalar { package static var element: TensorElement { .u8 } }
extension UInt16: TensorScalar { package static var element: TensorElement { .u16 } }
extension UInt32: TensorScalar { package static var element: TensorElement { .u32 } }
extension UInt64: TensorScalar { package static var element: TensorElement { .u64 } }

/// A truth value in a tensor: one byte, of which anything but 0 is true.
///
/// Swift's own `Bool` may not hold any other bits than those of 0 and 1.
package struct TensorBool: TensorScalar, Equatable, ExpressibleByBooleanLiteral {
    package let byte: UInt8

    package init(_ value: Bool) { byte = value ? 1 : 0 }
    package init(booleanLiteral value: Bool) { self.init(value) }

    package var value: Bool { byte != 0 }

    package static var element: TensorElement { .bool }

    package static func == (left: Self, right: Self) -> Bool { left.value == right.value }
}

/// The upper half of a `Float`.
package struct BFloat16: TensorScalar, Equatable {
    package let bitPattern: UInt16

    package init(bitPattern: UInt16) { self.bitPattern = bitPattern }

    /// Rounds to the nearest, ties to even, as processors do; a NaN stays one.
    package init(_ value: Float) {
        let bits = value.bitPattern
        guard !value.isNaN else {
            bitPattern = UInt16(truncatingIfNeeded: bits >> 16) | 0x40
            return
        }
        bitPattern = UInt16(truncatingIfNeeded: (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16)
    }

    package var float: Float { Float(bitPattern: UInt32(bitPattern) << 16) }

    package static var element: TensorElement { .bf16 }

    /// As floats are: no NaN equals any.
    package static func == (left: Self, right: Self) -> Bool { left.float == right.float }
}
