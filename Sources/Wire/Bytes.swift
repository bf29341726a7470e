/// Why bytes from the other side of the sandbox were refused.
package enum WireError: Error, Equatable {
    /// Fewer bytes than the fixed part of the message needs.
    case truncated
    /// A kind, code or flag that this version does not define.
    case unknownKind(UInt8)
    /// A length beyond ``WireLimits``.
    case tooLong(Int)
    /// Text that is not UTF-8.
    case notText
    /// Bytes left over after the message.
    case trailingBytes(Int)
    /// The other side speaks another version of the contract.
    case version(UInt16)
}

extension WireError: CustomStringConvertible {
    /// What came, to stand after "it sent".
    package var description: String {
        switch self {
        case .truncated: "a message that ends too early"
        case .unknownKind(let kind): "a frame or message of an unknown kind, \(kind)"
        case .tooLong(let count): "a part of \(count) bytes, more than the contract allows"
        case .notText: "text that is not UTF-8"
        case .trailingBytes(let count): "\(count) bytes after the end of a message"
        case .version(let version): "version \(version) of the contract, and this side speaks \(WireLimits.version)"
        }
    }
}

/// Appends little-endian integers, text and blobs to a message.
package struct ByteWriter {
    package private(set) var bytes: [UInt8] = []

    package init() {}

    package mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        var rest = value
        for _ in 0..<(Value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: rest))
            rest = Value.bitWidth > 8 ? rest >> 8 : 0
        }
    }

    package mutating func append(blob: [UInt8]) {
        append(UInt32(blob.count))
        bytes.append(contentsOf: blob)
    }

    package mutating func append(text: String) {
        append(blob: Array(text.utf8))
    }
}

/// Takes a message apart; every read is bounds-checked.
package struct ByteReader {
    private let bytes: [UInt8]
    private var position = 0

    package init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    package var remainingCount: Int { bytes.count - position }

    package mutating func read<Value: FixedWidthInteger>(_: Value.Type) throws(WireError) -> Value {
        let count = Value.bitWidth / 8
        guard remainingCount >= count else { throw .truncated }
        var value: Value = 0
        for index in 0..<count {
            value |= Value(truncatingIfNeeded: bytes[position + index]) << Value(index * 8)
        }
        position += count
        return value
    }

    /// - Parameter countMax: the longest blob that the caller accepts.
    package mutating func readBlob(countMax: Int) throws(WireError) -> [UInt8] {
        let count = Int(try read(UInt32.self))
        guard count <= countMax else { throw .tooLong(count) }
        guard remainingCount >= count else { throw .truncated }
        defer { position += count }
        return Array(bytes[position..<position + count])
    }

    package mutating func readText(countMax: Int) throws(WireError) -> String {
        guard let text = String(validating: try readBlob(countMax: countMax), as: UTF8.self) else { throw .notText }
        return text
    }

    /// Call last: a message with bytes left over is not the message we think it is.
    package func finish() throws(WireError) {
        guard remainingCount == 0 else { throw .trailingBytes(remainingCount) }
    }
}
