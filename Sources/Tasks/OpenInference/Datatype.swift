package import Graphs

extension TensorElement {
    /// The datatype's name in the Open Inference Protocol.
    package var openInferenceName: String {
        switch self {
        case .bool: "BOOL"
        case .u8: "UINT8"
        case .u16: "UINT16"
        case .u32: "UINT32"
        case .u64: "UINT64"
        case .i8: "INT8"
        case .i16: "INT16"
        case .i32: "INT32"
        case .i64: "INT64"
        case .f16: "FP16"
        case .bf16: "BF16"
        case .f32: "FP32"
        case .f64: "FP64"
        case .string: "BYTES"
        }
    }

    package init?(openInferenceName name: String) {
        guard let element = Self.allCases.first(where: { $0.openInferenceName == name }) else { return nil }
        self = element
    }
}
