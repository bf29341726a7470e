/// Appends little-endian integers and arrays of them: the compiled form of a tokenizer.
struct CompiledWriter {
    private(set) var bytes: [UInt8] = []

    mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        for index in 0..<Value.bitWidth / 8 {
            bytes.append(UInt8(truncatingIfNeeded: value >> Value(index * 8)))
        }
    }

    /// A count, then the values.
    mutating func append<Value: FixedWidthInteger>(_ values: [Value]) {
        append(UInt32(values.count))
        for value in values { append(value) }
    }
}

/// Takes compiled bytes apart, every read bounds-checked: a place in `bytes` that the caller hands in each time.
struct CompiledReader {
    private var position = 0

    mutating func read<Value: FixedWidthInteger & BitwiseCopyable>(
        _: Value.Type,
        from bytes: RawSpan
    ) throws(TokenizerError) -> Value {
        let count = MemoryLayout<Value>.size
        guard bytes.byteCount - position >= count else { throw .notCompiled("it ends too early") }
        defer { position += count }
        // Any bits are an integer, and the bytes are there.
        return unsafe Value(littleEndian: bytes.unsafeLoadUnaligned(fromByteOffset: position, as: Value.self))
    }

    mutating func readArray<Value: FixedWidthInteger & BitwiseCopyable>(
        of _: Value.Type,
        from bytes: RawSpan
    ) throws(TokenizerError) -> [Value] {
        let count = Int(try read(UInt32.self, from: bytes))
        let size = MemoryLayout<Value>.size
        guard count <= (bytes.byteCount - position) / size else { throw .notCompiled("it ends too early") }
        defer { position += count * size }
        // As above: inside `bytes` by the guard. Values lie as the processor has them, so one copy takes them all.
        let source = bytes.extracting(position..<position + count * size)
        return unsafe [Value](unsafeUninitializedCapacity: count) { values, valueCount in
            unsafe source.withUnsafeBytes { unsafe UnsafeMutableRawBufferPointer(values).copyMemory(from: $0) }
            valueCount = count
            guard 1.littleEndian != 1 else { return }
            for index in 0..<count { unsafe values[index] = Value(littleEndian: values[index]) }
        }
    }

    /// Call last: bytes left over mean that this is something else.
    func finish(_ bytes: RawSpan) throws(TokenizerError) {
        guard position == bytes.byteCount else {
            throw .notCompiled("\(bytes.byteCount - position) bytes are left over")
        }
    }
}
