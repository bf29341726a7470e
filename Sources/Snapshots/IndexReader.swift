/// Takes the index apart; every read is bounds-checked and says where it failed.
struct IndexReader {
    private let bytes: [UInt8]
    private(set) var offset = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    var remainingCount: Int { bytes.count - offset }

    mutating func read<Value: FixedWidthInteger & UnsignedInteger & BitwiseCopyable>(
        _: Value.Type
    ) throws(SnapshotError) -> Value {
        let count = Value.bitWidth / 8
        try need(count)
        defer { offset += count }
        // Any bits are an integer, and the bytes are there.
        return unsafe Value(littleEndian: bytes.span.bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self))
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
        unsafe Swift.withUnsafeBytes(of: value.littleEndian) { unsafe append(contentsOf: $0) }
    }
}
