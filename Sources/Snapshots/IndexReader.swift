/// Takes the index apart; every read is bounds-checked and says where it failed.
struct IndexReader {
    private let bytes: [UInt8]
    private(set) var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var remainingCount: Int { bytes.count - offset }

    mutating func read<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type) throws(SnapshotError) -> Value {
        let count = Value.bitWidth / 8
        try need(count)
        var value: Value = 0
        for index in 0..<count {
            value |= Value(truncatingIfNeeded: bytes[offset + index]) << Value(index * 8)
        }
        offset += count
        return value
    }

    mutating func readBytes(count: Int) throws(SnapshotError) -> [UInt8] {
        try need(count)
        defer { offset += count }
        return Array(bytes[offset..<offset + count])
    }

    /// One byte of length, then UTF-8.
    mutating func readText() throws(SnapshotError) -> String {
        let start = offset
        let text = try readBytes(count: Int(try read(UInt8.self)))
        guard let text = String(validating: text, as: UTF8.self) else {
            throw .malformed("a name is not UTF-8", offset: start)
        }
        return text
    }

    private func need(_ count: Int) throws(SnapshotError) {
        guard count <= remainingCount else {
            throw .malformed("it ends where \(count) bytes more are needed", offset: offset)
        }
    }
}

extension [UInt8] {
    mutating func append(littleEndian value: some FixedWidthInteger & UnsignedInteger) {
        for index in 0..<(value.bitWidth / 8) {
            append(UInt8(truncatingIfNeeded: value >> (index * 8)))
        }
    }
}
