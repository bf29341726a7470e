import CKernels

extension KernelSet {
    /// out[rows, columns] = activation(input[rows, inner] · panels + bias), for callers whose memory is not a
    /// ``FloatBuffer``; an empty `bias` is none.
    ///
    /// `scratch` has ``productScratchCount(rows:inner:)`` floats, none for f32.
    package func linear(
        _ input: borrowing Span<Float>,
        rows: Int,
        inner: Int,
        panels: borrowing Span<UInt8>,
        format: WeightFormat,
        bias: borrowing Span<Float>,
        columns: Int,
        activation: Activation,
        scratch: inout MutableSpan<Float>,
        out: inout MutableSpan<Float>
    ) {
        precondition(rows > 0 && inner > 0 && columns > 0 && input.count >= rows * inner && out.count >= rows * columns)
        precondition(inner <= format.innerMax && (bias.count >= columns || bias.isEmpty))
        precondition(panels.count == 4 * Panels.wordCount(inner: inner, columns: columns, format: format))
        precondition(format == .f32 || scratch.count >= Self.productScratchCount(rows: rows, inner: inner))
        unsafe input.withUnsafeBufferPointer { input in
            unsafe panels.withUnsafeBytes { panels in
                unsafe bias.withUnsafeBufferPointer { bias in
                    unsafe scratch.withUnsafeMutableBufferPointer { scratch in
                        unsafe out.withUnsafeMutableBufferPointer { out in
                            guard let input = input.baseAddress, let out = out.baseAddress,
                                let weight = unsafe panels.baseAddress?.assumingMemoryBound(to: Float.self)
                            else { return }
                            let vector = bias.isEmpty ? nil : bias.baseAddress
                            let (stride, width) = (Int64(inner), Int64(columns))
                            if format == .f32 {
                                return unsafe table.pointee.linear(
                                    input,
                                    stride,
                                    weight,
                                    vector,
                                    out,
                                    width,
                                    Int64(rows),
                                    stride,
                                    width,
                                    activation.rawValue
                                )
                            }
                            guard let scratch = scratch.baseAddress else { return }
                            let kernel = unsafe format == .int8 ? table.pointee.linear_int8 : table.pointee.linear_bf16
                            unsafe kernel(
                                input,
                                stride,
                                weight,
                                vector,
                                out,
                                width,
                                scratch,
                                Int64(rows),
                                stride,
                                width,
                                activation.rawValue
                            )
                        }
                    }
                }
            }
        }
    }
}
