import CKernels

// Rows of numbers: reductions, softmax, products. Shapes that do not fit their spans are mistakes of ours and trap.

extension Elements {
    /// out[rows] from in[rows, columns].
    package static func reduce(
        _ reduction: Reduction,
        type: UInt8,
        _ input: borrowing Span<UInt8>,
        rows: Int,
        columns: Int,
        out: inout MutableSpan<UInt8>
    ) {
        precondition(input.count >= rows * columns * byteCount(type) && out.count >= rows * byteCount(type))
        precondition(rows >= 0 && columns >= 0)
        unsafe input.withUnsafeBufferPointer { input in
            unsafe out.withUnsafeMutableBufferPointer { out in
                guard let input = input.baseAddress, let out = out.baseAddress else { return }
                unsafe thaw_reduce(reduction.rawValue, Int32(type), input, out, Int64(rows), Int64(columns))
            }
        }
    }

    /// The place of each row's greatest or least element in in[rows, columns], the first or the last of equals.
    package static func place(
        ofGreatest isGreatest: Bool,
        last isLast: Bool,
        type: UInt8,
        _ input: borrowing Span<UInt8>,
        rows: Int,
        columns: Int,
        out: inout MutableSpan<Int64>
    ) {
        precondition(rows >= 0 && columns >= 1)
        precondition(input.count >= rows * columns * byteCount(type) && out.count >= rows)
        unsafe input.withUnsafeBufferPointer { input in
            unsafe out.withUnsafeMutableBufferPointer { out in
                guard let input = input.baseAddress, let out = out.baseAddress else { return }
                let (greatest, last): (Int32, Int32) = (isGreatest ? 1 : 0, isLast ? 1 : 0)
                unsafe thaw_arg(greatest, last, Int32(type), input, out, Int64(rows), Int64(columns))
            }
        }
    }

    /// out[rows, columns] = log(softmax) of each row.
    package static func logSoftmax(
        _ input: borrowing Span<Float>,
        rows: Int,
        columns: Int,
        out: inout MutableSpan<Float>
    ) {
        precondition(rows > 0 && columns > 0 && min(input.count, out.count) >= rows * columns)
        unsafe input.withUnsafeBufferPointer { input in
            unsafe out.withUnsafeMutableBufferPointer { out in
                guard let input = input.baseAddress, let out = out.baseAddress else { return }
                unsafe thaw_log_softmax(input, out, Int64(rows), Int64(columns))
            }
        }
    }

    /// A product of any number type: the bounds are checked here, once for all of them.
    private static func product<Scalar: BitwiseCopyable>(
        _ a: borrowing Span<Scalar>,
        _ b: borrowing Span<Scalar>,
        _ sizes: (rows: Int, inner: Int, columns: Int),
        _ out: inout MutableSpan<Scalar>,
        _ start: Int,
        _ kernel: (UnsafePointer<Scalar>, UnsafePointer<Scalar>, UnsafeMutablePointer<Scalar>, Int64, Int64, Int64) ->
            Void
    ) {
        let (rows, inner, columns) = sizes
        precondition(a.count >= rows * inner && b.count >= inner * columns)
        precondition(start >= 0 && out.count - start >= rows * columns)
        unsafe a.withUnsafeBufferPointer { a in
            unsafe b.withUnsafeBufferPointer { b in
                unsafe out.withUnsafeMutableBufferPointer { out in
                    guard let a = a.baseAddress, let b = b.baseAddress, let out = out.baseAddress else { return }
                    unsafe kernel(a, b, out + start, Int64(rows), Int64(inner), Int64(columns))
                }
            }
        }
    }

    /// out[rows, columns] = a[rows, inner] · b[inner, columns], from `start` on.
    package static func product(
        _ a: borrowing Span<Double>,
        _ b: borrowing Span<Double>,
        rows: Int,
        inner: Int,
        columns: Int,
        out: inout MutableSpan<Double>,
        at start: Int = 0
    ) {
        unsafe product(a, b, (rows, inner, columns), &out, start) { unsafe thaw_matmul_f64($0, $1, $2, $3, $4, $5) }
    }

    /// The same of integers, wrapping.
    package static func product(
        _ a: borrowing Span<Int64>,
        _ b: borrowing Span<Int64>,
        rows: Int,
        inner: Int,
        columns: Int,
        out: inout MutableSpan<Int64>,
        at start: Int = 0
    ) {
        unsafe product(a, b, (rows, inner, columns), &out, start) { unsafe thaw_matmul_i64($0, $1, $2, $3, $4, $5) }
    }

    /// The same of 32-bit integers.
    package static func product(
        _ a: borrowing Span<Int32>,
        _ b: borrowing Span<Int32>,
        rows: Int,
        inner: Int,
        columns: Int,
        out: inout MutableSpan<Int32>,
        at start: Int = 0
    ) {
        unsafe product(a, b, (rows, inner, columns), &out, start) { unsafe thaw_matmul_i32($0, $1, $2, $3, $4, $5) }
    }
}

/// libm, for rooms that do not import it.
package enum Libm {
    package static func exp(_ x: Double) -> Double { thaw_exp(x) }
    package static func log(_ x: Double) -> Double { thaw_log(x) }
    package static func sin(_ x: Double) -> Double { thaw_sin(x) }
    package static func cos(_ x: Double) -> Double { thaw_cos(x) }
    package static func tanh(_ x: Double) -> Double { thaw_tanh(x) }
    package static func pow(_ x: Double, _ y: Double) -> Double { thaw_pow(x, y) }
}

// Kernels of f32 over spans, for callers whose memory is not a ``FloatBuffer``.
extension KernelSet {
    /// out[rows, columns] = a[rows, inner] · b[inner, columns], b walked by strides; `panels` is packed anew.
    ///
    /// `panels` holds ``Panels/floatCount(inner:columns:)`` floats.
    package func product(
        _ a: borrowing Span<Float>,
        at aStart: Int,
        _ b: borrowing Span<Float>,
        at bStart: Int,
        innerStride: Int,
        columnStride: Int,
        rows: Int,
        inner: Int,
        columns: Int,
        panels: inout MutableSpan<Float>,
        repack: Bool = true,
        out: inout MutableSpan<Float>,
        at outStart: Int
    ) {
        precondition(rows > 0 && inner > 0 && columns > 0 && min(aStart, bStart, outStart) >= 0)
        precondition(innerStride > 0 && columnStride > 0)
        precondition(aStart + rows * inner <= a.count && outStart + rows * columns <= out.count)
        precondition(bStart + (inner - 1) * innerStride + (columns - 1) * columnStride < b.count)
        precondition(panels.count >= Panels.floatCount(inner: inner, columns: columns))
        unsafe a.withUnsafeBufferPointer { a in
            unsafe b.withUnsafeBufferPointer { b in
                unsafe panels.withUnsafeMutableBufferPointer { panels in
                    unsafe out.withUnsafeMutableBufferPointer { out in
                        guard let a = a.baseAddress, let b = b.baseAddress, let panels = panels.baseAddress,
                            let out = out.baseAddress
                        else { return }
                        if repack {
                            unsafe thaw_pack_panels(
                                b + bStart,
                                Int64(innerStride),
                                Int64(columnStride),
                                Int64(inner),
                                Int64(columns),
                                panels
                            )
                        }
                        unsafe table.pointee.linear(
                            a + aStart,
                            Int64(inner),
                            panels,
                            nil,
                            out + outStart,
                            Int64(columns),
                            Int64(rows),
                            Int64(inner),
                            Int64(columns),
                            Activation.none.rawValue
                        )
                    }
                }
            }
        }
    }

    /// out[rows, columns] = softmax of each row.
    package func softmax(_ input: borrowing Span<Float>, rows: Int, columns: Int, out: inout MutableSpan<Float>) {
        precondition(rows > 0 && columns > 0 && min(input.count, out.count) >= rows * columns)
        unsafe input.withUnsafeBufferPointer { input in
            unsafe out.withUnsafeMutableBufferPointer { out in
                guard let input = input.baseAddress, let out = out.baseAddress else { return }
                unsafe table.pointee.softmax(input, out, Int64(columns), Int64(rows), Int64(columns))
            }
        }
    }

    /// Each element through `activation`.
    package func activate(_ input: borrowing Span<Float>, _ activation: Activation, out: inout MutableSpan<Float>) {
        precondition(input.count >= out.count)
        unsafe input.withUnsafeBufferPointer { input in
            unsafe out.withUnsafeMutableBufferPointer { out in
                guard let input = input.baseAddress, let start = out.baseAddress, out.count > 0 else { return }
                unsafe table.pointee.activate(input, start, Int64(out.count), activation.rawValue)
            }
        }
    }

    /// out[rows, columns] = (x − mean) / √(variance + epsilon) · scale + shift by row, x = input (+ residual).
    package func layerNorm(
        _ input: Span<Float>,
        residual: Span<Float>? = nil,
        scale: borrowing Span<Float>,
        shift: borrowing Span<Float>,
        epsilon: Float,
        rows: Int,
        columns: Int,
        out: inout MutableSpan<Float>
    ) {
        precondition(rows > 0 && columns > 0 && min(input.count, out.count) >= rows * columns)
        precondition(min(scale.count, shift.count) >= columns && (residual?.count ?? .max) >= rows * columns)
        let hasResidual = residual != nil
        // A span that is not there lends the input's address, which nobody then gets to see.
        let other = if let residual { residual } else { input }
        unsafe input.withUnsafeBufferPointer { input in
            unsafe other.withUnsafeBufferPointer { other in
                unsafe scale.withUnsafeBufferPointer { scale in
                    unsafe shift.withUnsafeBufferPointer { shift in
                        unsafe out.withUnsafeMutableBufferPointer { out in
                            guard let input = input.baseAddress, let scale = scale.baseAddress,
                                let shift = shift.baseAddress, let out = out.baseAddress
                            else { return }
                            unsafe table.pointee.layer_norm(
                                input,
                                hasResidual ? other.baseAddress : nil,
                                scale,
                                shift,
                                epsilon,
                                out,
                                Int64(rows),
                                Int64(columns)
                            )
                        }
                    }
                }
            }
        }
    }

    /// out[sequences · length, heads · width] = softmax(q kᵀ / √width) v within each sequence and head.
    ///
    /// `fused` is [sequences · length, 3 · heads · width], q, k and v side by side; `scratch` holds
    /// ``attentionScratchCount(lengthMax:width:)`` floats.
    package func attention(
        _ fused: borrowing Span<Float>,
        sequences: Int,
        length: Int,
        heads: Int,
        width: Int,
        scratch: inout MutableSpan<Float>,
        out: inout MutableSpan<Float>
    ) {
        precondition(sequences > 0 && length > 0 && heads > 0 && width > 0)
        let count = sequences * length * heads * width
        precondition(fused.count >= 3 * count && out.count >= count)
        precondition(scratch.count >= attentionScratchCount(lengthMax: length, width: width))
        unsafe fused.withUnsafeBufferPointer { fused in
            unsafe scratch.withUnsafeMutableBufferPointer { scratch in
                unsafe out.withUnsafeMutableBufferPointer { out in
                    guard let fused = fused.baseAddress, let scratch = scratch.baseAddress, let out = out.baseAddress
                    else { return }
                    for row in stride(from: 0, to: count, by: length * heads * width) {
                        unsafe table.pointee.attention(
                            fused + 3 * row,
                            nil,
                            0,
                            out + row,
                            scratch,
                            Int64(length),
                            Int64(heads),
                            Int64(width),
                            0,
                            Int64(heads)
                        )
                    }
                }
            }
        }
    }
}
