import FoundationEssentials

/// The checksums that S3's clients send of what they upload: reflected CRCs, of a table.
struct CyclicChecksum: Sendable {
    enum Kind: String, CaseIterable, Sendable {
        case crc32
        case crc32c
        case crc64nvme

        /// Reflected.
        fileprivate var polynomial: UInt64 {
            switch self {
            case .crc32: 0xEDB8_8320
            case .crc32c: 0x82F6_3B78
            case .crc64nvme: 0x9A6C_9329_AC4B_C9B5
            }
        }

        fileprivate var byteCount: Int { self == .crc64nvme ? 8 : 4 }
        fileprivate var mask: UInt64 { self == .crc64nvme ? .max : 0xFFFF_FFFF }
    }

    private let kind: Kind
    private let table: [UInt64]
    private var state: UInt64

    init(_ kind: Kind) {
        self.kind = kind
        state = kind.mask
        table = (0..<256).map { index in
            (0..<8).reduce(UInt64(index)) { value, _ in
                value & 1 == 1 ? value >> 1 ^ kind.polynomial : value >> 1
            }
        }
    }

    mutating func update(_ bytes: borrowing RawSpan) {
        var value = state
        let entries = table
        let table = entries.span
        for index in 0..<bytes.byteCount {
            let byte = unsafe UInt64(bytes.unsafeLoad(fromByteOffset: index, as: UInt8.self))
            value = value >> 8 ^ table[Int((value ^ byte) & 0xFF)]
        }
        state = value
    }

    /// In base64, as the header has it.
    var text: String {
        let value = state ^ kind.mask
        let bytes = (0..<kind.byteCount).reversed().map { UInt8(truncatingIfNeeded: value >> (8 * $0)) }
        return Data(bytes).base64EncodedString()
    }
}
