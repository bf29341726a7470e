package import Graphs
package import Kernels

/// How to make one constant of a graph, when it is needed and not before: a model's numbers are never held all at once.
package struct TensorSource: Sendable {
    package enum Numbers: Sendable {
        /// Bytes of the archive, little-endian, at any alignment; as many as element and shape say.
        case archive(Range<Int>)
        /// Packed varints of the archive, one range after the other; as many as the shape says.
        case varints([Range<Int>])
        /// At hand: small, or worked out.
        case tensor(Tensor)
        /// A product's weight of `inner` × `columns` floats as the kernel reads it; column-major means `[columns, inner]`.
        indirect case panels(TensorSource, inner: Int, columns: Int, isColumnMajor: Bool, format: WeightFormat)
        /// Made of other constants.
        indirect case made([TensorSource], @Sendable ([Tensor]) -> Tensor)
    }

    package let element: TensorElement
    package let shape: [Int]
    package let numbers: Numbers

    package init(_ element: TensorElement, shape: [Int], _ numbers: Numbers) {
        self.element = element
        self.shape = shape
        self.numbers = numbers
    }

    package init(_ tensor: Tensor) {
        self.init(tensor.element, shape: tensor.shape, .tensor(tensor))
    }

    /// `source` as the weight of a product.
    static func panels(
        of source: TensorSource,
        inner: Int,
        columns: Int,
        isColumnMajor: Bool,
        format: WeightFormat
    ) -> TensorSource {
        let words = Panels.wordCount(inner: inner, columns: columns, format: format)
        let (element, perWord): (TensorElement, Int) =
            switch format {
            case .f32: (.f32, 1)
            case .bf16: (.bf16, 2)
            case .int8: (.i8, 4)
            }
        return TensorSource(
            element,
            shape: [words * perWord],
            .panels(source, inner: inner, columns: columns, isColumnMajor: isColumnMajor, format: format)
        )
    }

    package var count: Int { shape.reduce(1, *) }
    package var byteCount: Int { count * element.byteCount }

    /// A copy of it in memory.
    package func tensor(in archive: borrowing RawSpan) -> Tensor {
        switch numbers {
        case .archive(let range):
            let part = archive.extracting(range)
            return Tensor(element, shape: shape, copying: part)
        case .varints(let ranges): return varints(ranges, in: archive)
        case .tensor(let tensor): return tensor
        case .panels(let source, let inner, let columns, let isColumnMajor, let format):
            let floats = source.tensor(in: archive).array(of: Float.self)
            guard format != .f32 else {
                let panels = Panels.pack(floats, inner: inner, columns: columns, isColumnMajor: isColumnMajor)
                return Tensor(panels, shape: shape)
            }
            let panels = Panels.pack(
                floats,
                inner: inner,
                columns: columns,
                isColumnMajor: isColumnMajor,
                format: format
            )
            return Tensor(element, shape: shape, copying: unsafe panels.span.bytes)
        case .made(let sources, let make):
            var parts: [Tensor] = []
            for source in sources { parts.append(source.tensor(in: archive)) }
            return make(parts)
        }
    }

    /// Calls `body` with the bytes as a snapshot keeps them; texts have none.
    package func withBytes<Result, Failure: Error>(
        in archive: borrowing RawSpan,
        _ body: (borrowing RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        if case .archive(let range) = numbers { return try body(archive.extracting(range)) }
        return try tensor(in: archive).withElements(as: UInt8.self) { (bytes) throws(Failure) in
            // Bytes of bytes: there is no padding.
            try body(unsafe bytes.bytes)
        }
    }

    private func varints(_ ranges: [Range<Int>], in archive: borrowing RawSpan) -> Tensor {
        switch element {
        case .bool: numbers(ranges, in: archive) { TensorBool($0 != 0) }
        case .u8: numbers(ranges, in: archive) { UInt8(truncatingIfNeeded: $0) }
        case .i8: numbers(ranges, in: archive) { Int8(truncatingIfNeeded: $0) }
        case .u16: numbers(ranges, in: archive) { UInt16(truncatingIfNeeded: $0) }
        case .i16: numbers(ranges, in: archive) { Int16(truncatingIfNeeded: $0) }
        case .u32: numbers(ranges, in: archive) { UInt32(truncatingIfNeeded: $0) }
        case .i32: numbers(ranges, in: archive) { Int32(truncatingIfNeeded: $0) }
        case .u64: numbers(ranges, in: archive) { $0 }
        case .i64: numbers(ranges, in: archive) { Int64(bitPattern: $0) }
        case .f16: numbers(ranges, in: archive) { Float16(bitPattern: UInt16(truncatingIfNeeded: $0)) }
        case .bf16: numbers(ranges, in: archive) { BFloat16(bitPattern: UInt16(truncatingIfNeeded: $0)) }
        case .f32, .f64, .string: preconditionFailure("\(element) is not written as varints")
        }
    }

    private func numbers<Scalar: TensorScalar>(
        _ ranges: [Range<Int>],
        in archive: borrowing RawSpan,
        _ convert: (UInt64) -> Scalar
    ) -> Tensor {
        var values: [Scalar] = []
        values.reserveCapacity(count)
        for range in ranges {
            var reader = ProtobufReader(range, file: "")
            // The file was walked when the source was made: nothing is malformed any more.
            while reader.hasMore, let value = try? reader.varint(in: archive) { values.append(convert(value)) }
        }
        return Tensor(values, shape: shape)
    }
}
