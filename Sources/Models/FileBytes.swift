/// Reads from the archive.
///
/// Every range that reaches this file was checked against the archive when it was made; the spans check it once more.
@safe package enum FileBytes {
    /// The little-endian integer at `offset`; nil where it would reach beyond the end.
    package static func integer<Value: FixedWidthInteger & BitwiseCopyable>(
        _ type: Value.Type,
        at offset: Int,
        in bytes: borrowing RawSpan
    ) -> Value? {
        let size = MemoryLayout<Value>.size
        guard offset >= 0, bytes.byteCount >= size, offset <= bytes.byteCount - size else { return nil }
        // Any bits are an integer.
        return Value(littleEndian: unsafe bytes.unsafeLoadUnaligned(fromByteOffset: offset, as: Value.self))
    }

    package static func copy(_ range: Range<Int>, of bytes: borrowing RawSpan) -> [UInt8] {
        let part = bytes.extracting(range)
        return unsafe part.withUnsafeBytes { unsafe Array($0) }
    }

    /// Text, if it is UTF-8.
    package static func text(_ range: Range<Int>, of bytes: borrowing RawSpan) -> String? {
        let part = bytes.extracting(range)
        return unsafe part.withUnsafeBytes { unsafe String(validating: $0, as: UTF8.self) }
    }

    /// Appends the numbers of `tensor` to `floats`, widened or narrowed to `Float`.
    static func append(_ tensor: StoredTensor, of bytes: borrowing RawSpan, to floats: inout [Float]) {
        let count = tensor.range.count / tensor.element.byteCount
        let part = bytes.extracting(tensor.range)
        let converted = unsafe part.withUnsafeBytes { source in
            unsafe [Float](unsafeUninitializedCapacity: count) { target, initializedCount in
                unsafe convert(source, as: tensor.element, into: target, count: count)
                initializedCount = count
            }
        }
        if floats.isEmpty { floats = converted } else { floats.append(contentsOf: converted) }
    }

    private static func convert(
        _ source: UnsafeRawBufferPointer,
        as element: StoredElement,
        into target: UnsafeMutableBufferPointer<Float>,
        count: Int
    ) {
        switch element {
        case .f32:
            unsafe UnsafeMutableRawBufferPointer(target).copyMemory(from: source)
        case .f64:
            for index in 0..<count {
                let bits = unsafe source.loadUnaligned(fromByteOffset: index * 8, as: UInt64.self)
                unsafe target.initializeElement(at: index, to: Float(Double(bitPattern: UInt64(littleEndian: bits))))
            }
        case .f16:
            for index in 0..<count {
                let bits = unsafe source.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
                unsafe target.initializeElement(at: index, to: Float(Float16(bitPattern: UInt16(littleEndian: bits))))
            }
        case .bf16:
            for index in 0..<count {
                let bits = unsafe source.loadUnaligned(fromByteOffset: index * 2, as: UInt16.self)
                let wide = UInt32(UInt16(littleEndian: bits)) << 16
                unsafe target.initializeElement(at: index, to: Float(bitPattern: wide))
            }
        }
    }
}
