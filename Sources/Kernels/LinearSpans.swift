import CKernels

extension KernelSet {
    /// out[rows, columns] = activation(input[rows, inner] · panels + bias), for callers whose memory is not a
    /// ``FloatBuffer``; an empty `bias` is none.
    package func linear(
        _ input: borrowing Span<Float>,
        rows: Int,
        inner: Int,
        panels: borrowing Span<Float>,
        bias: borrowing Span<Float>,
        columns: Int,
        activation: Activation,
        out: inout MutableSpan<Float>
    ) {
        precondition(rows > 0 && inner > 0 && columns > 0 && input.count >= rows * inner && out.count >= rows * columns)
        precondition(panels.count >= Panels.floatCount(inner: inner, columns: columns))
        precondition(bias.count >= columns || bias.isEmpty)
        unsafe input.withUnsafeBufferPointer { input in
            unsafe panels.withUnsafeBufferPointer { panels in
                unsafe bias.withUnsafeBufferPointer { bias in
                    unsafe out.withUnsafeMutableBufferPointer { out in
                        guard let input = input.baseAddress, let panels = panels.baseAddress, let out = out.baseAddress
                        else { return }
                        unsafe table.pointee.linear(
                            input,
                            Int64(inner),
                            panels,
                            bias.isEmpty ? nil : bias.baseAddress,
                            out,
                            Int64(columns),
                            Int64(rows),
                            Int64(inner),
                            Int64(columns),
                            activation.rawValue
                        )
                    }
                }
            }
        }
    }
}
