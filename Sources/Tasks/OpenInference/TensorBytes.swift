import Graphs

/// Tensors in the binary tensor extension: little-endian and packed; a text is its length in four bytes, then its bytes.
enum TensorBytes {
    static func tensor(
        _ bytes: ArraySlice<UInt8>,
        _ element: TensorElement,
        shape: [Int],
        path: String
    ) throws(TaskFailure) -> Tensor {
        let count = shape.reduce(1, *)
        guard element != .string else {
            return Tensor(strings: try strings(bytes, count: count, path: path), shape: shape)
        }
        guard bytes.count == count * element.byteCount else {
            let expected = "\(count * element.byteCount) bytes for shape \(shape) of \(element.openInferenceName)"
            throw .invalid(path, "expected \(expected), got \(bytes.count)")
        }
        return Tensor(element, shape: shape, copying: bytes.span)
    }

    private static func strings(
        _ bytes: ArraySlice<UInt8>,
        count: Int,
        path: String
    ) throws(TaskFailure) -> [String] {
        // Each has four bytes at least: nothing is reserved for what cannot be there.
        guard count <= bytes.count / 4 else {
            throw .invalid(path, "\(bytes.count) bytes are too few for \(count) values of BYTES")
        }
        var strings: [String] = []
        strings.reserveCapacity(count)
        var rest = bytes
        for index in 0..<count {
            guard rest.count >= 4 else { throw .invalid(path, "the bytes end within value \(index)") }
            let length = rest.prefix(4).reversed().reduce(0) { $0 << 8 | Int($1) }
            rest = rest.dropFirst(4)
            guard length <= rest.count else { throw .invalid(path, "the bytes end within value \(index)") }
            guard let text = String(validating: rest.prefix(length), as: UTF8.self) else {
                throw .invalid(path, "value \(index) of BYTES is not UTF-8 text")
            }
            strings.append(text)
            rest = rest.dropFirst(length)
        }
        guard rest.isEmpty else { throw .invalid(path, "\(rest.count) bytes are left after \(count) values of BYTES") }
        return strings
    }

    static func append(_ tensor: Tensor, to bytes: inout [UInt8]) {
        guard tensor.element == .string else {
            return tensor.withElements(as: UInt8.self) { span in
                unsafe span.withUnsafeBufferPointer { unsafe bytes.append(contentsOf: $0) }
            }
        }
        for text in tensor.strings {
            let length = UInt32(text.utf8.count)
            for shift: UInt32 in [0, 8, 16, 24] { bytes.append(UInt8(truncatingIfNeeded: length >> shift)) }
            bytes.append(contentsOf: text.utf8)
        }
    }

    static func byteCount(of tensor: Tensor) -> Int {
        guard tensor.element == .string else { return tensor.byteCount }
        return tensor.strings.reduce(0) { $0 + 4 + $1.utf8.count }
    }
}
