/// What a tensor is made of; the number is what the index stores.
package enum ElementType: UInt8, CaseIterable, Sendable {
    case u8 = 0
    case i8 = 1
    case f16 = 2
    case bf16 = 3
    case i32 = 4
    case f32 = 5
    case i64 = 6
    case f64 = 7

    /// Bytes of one element, and planes of a chunk.
    package var byteCount: Int {
        switch self {
        case .u8, .i8: 1
        case .f16, .bf16: 2
        case .i32, .f32: 4
        case .i64, .f64: 8
        }
    }
}
