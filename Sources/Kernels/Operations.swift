import CKernels

// The operations. All matrices are row-major; sizes that do not fit their buffers are mistakes of ours and trap.

extension KernelSet {
    /// out[rows, columns] = activation(input[rows, inner] · weight[inner, columns] + bias[columns]).
    ///
    /// The weight lies in panels, see ``Panels``.
    package func linear(
        _ input: FloatBuffer,
        rows: Int,
        inner: Int,
        weight: WeightView,
        bias: WeightView?,
        columns: Int,
        activation: Activation,
        out: FloatBuffer
    ) {
        precondition(input !== out && rows > 0 && inner > 0 && columns > 0)
        precondition(input.count >= rows * inner && out.count >= rows * columns)
        precondition(weight.count == Panels.floatCount(inner: inner, columns: columns))
        precondition(bias.map { $0.count == columns } ?? true)
        if let second {
            return unsafe thaw_second_linear(
                second.shared,
                table,
                WeightFormat.f32.rawValue,
                input.base,
                Int64(inner),
                weight.base,
                bias?.base,
                out.base,
                Int64(columns),
                nil,
                Int64(rows),
                Int64(inner),
                Int64(columns),
                activation.rawValue
            )
        }
        unsafe table.pointee.linear(
            input.base,
            Int64(inner),
            weight.base,
            bias?.base,
            out.base,
            Int64(columns),
            Int64(rows),
            Int64(inner),
            Int64(columns),
            activation.rawValue
        )
    }

    /// Floats of scratch that a product in another format than f32 needs on one thread.
    package static func productScratchCount(rows: Int, inner: Int) -> Int {
        (Int(thaw_linear_scratch(Int64(rows), Int64(inner))) + 3) / MemoryLayout<Float>.size
    }

    /// Floats of scratch that it needs on all threads of these kernels.
    package func productScratchCount(rows: Int, inner: Int) -> Int {
        threads * Int(thaw_second_share(Int64(Self.productScratchCount(rows: rows, inner: inner))))
    }

    /// The product of ``linear(_:rows:inner:weight:bias:columns:activation:out:)`` with a weight in any format.
    ///
    /// `scratch` grows where the product needs more.
    package func linear(
        _ input: FloatBuffer,
        rows: Int,
        inner: Int,
        weight: WeightView,
        format: WeightFormat,
        bias: WeightView?,
        columns: Int,
        activation: Activation,
        scratch: FloatBuffer,
        out: FloatBuffer
    ) {
        guard format != .f32 else {
            return linear(
                input,
                rows: rows,
                inner: inner,
                weight: weight,
                bias: bias,
                columns: columns,
                activation: activation,
                out: out
            )
        }
        let kernel = unsafe format == .int8 ? table.pointee.linear_int8 : table.pointee.linear_bf16
        precondition(input !== out && scratch !== input && scratch !== out)
        precondition(rows > 0 && inner > 0 && inner <= format.innerMax && columns > 0)
        precondition(input.count >= rows * inner && out.count >= rows * columns)
        precondition(weight.count == Panels.wordCount(inner: inner, columns: columns, format: format))
        precondition(bias.map { $0.count == columns } ?? true)
        scratch.reserve(productScratchCount(rows: rows, inner: inner))
        if let second {
            return unsafe thaw_second_linear(
                second.shared,
                table,
                format.rawValue,
                input.base,
                Int64(inner),
                weight.base,
                bias?.base,
                out.base,
                Int64(columns),
                scratch.base,
                Int64(rows),
                Int64(inner),
                Int64(columns),
                activation.rawValue
            )
        }
        unsafe kernel(
            input.base,
            Int64(inner),
            weight.base,
            bias?.base,
            out.base,
            Int64(columns),
            scratch.base,
            Int64(rows),
            Int64(inner),
            Int64(columns),
            activation.rawValue
        )
    }

    /// out[rows, columns] = (x − mean) / √(variance + epsilon) · scale + shift by row, x = input (+ residual).
    package func layerNorm(
        _ input: FloatBuffer,
        residual: FloatBuffer?,
        scale: WeightView,
        shift: WeightView,
        epsilon: Float,
        rows: Int,
        columns: Int,
        out: FloatBuffer
    ) {
        precondition(input !== out && residual !== out && rows > 0 && columns > 0)
        precondition(min(input.count, out.count, residual?.count ?? .max) >= rows * columns)
        precondition(scale.count == columns && shift.count == columns)
        if let second {
            return unsafe thaw_second_layer_norm(
                second.shared,
                table,
                input.base,
                residual?.base,
                scale.base,
                shift.base,
                epsilon,
                out.base,
                Int64(rows),
                Int64(columns)
            )
        }
        unsafe table.pointee.layer_norm(
            input.base,
            residual?.base,
            scale.base,
            shift.base,
            epsilon,
            out.base,
            Int64(rows),
            Int64(columns)
        )
    }

    /// Floats of scratch that ``attention(_:sequenceLengths:heads:width:isRounded:scratch:out:)`` needs.
    package func attentionScratchCount(lengthMax: Int, width: Int) -> Int {
        threads * Int(thaw_second_share(thaw_attention_scratch(Int64(lengthMax), Int64(width))))
    }

    /// out[tokens, heads · width] = softmax(q kᵀ / √width) v within each sequence and head.
    ///
    /// `fused` is [tokens, 3 · heads · width], q, k and v side by side; tokens = the sum of the lengths. `scratch` grows
    /// where the longest sequence needs more. With `isRounded` its two products may be computed in bfloat16: where the
    /// processor has instructions for it.
    package func attention(
        _ fused: FloatBuffer,
        sequenceLengths: [Int],
        heads: Int,
        width: Int,
        isRounded: Bool = false,
        scratch: FloatBuffer,
        out: FloatBuffer
    ) {
        precondition(fused !== out && fused !== scratch && out !== scratch && heads > 0 && width > 0)
        let columns = heads * width
        let tokens = totalled(sequenceLengths)
        precondition(fused.count >= tokens * 3 * columns && out.count >= tokens * columns)
        scratch.reserve(attentionScratchCount(lengthMax: sequenceLengths.max() ?? 0, width: width))
        let kernel = unsafe isRounded ? table.pointee.attention_bf16 : table.pointee.attention
        var row = 0
        for length in sequenceLengths {
            let (from, to) = unsafe (fused.base + row * 3 * columns, out.base + row * columns)
            let (length64, heads64, width64) = (Int64(length), Int64(heads), Int64(width))
            if let second {
                let rounds: Int32 = isRounded ? 1 : 0
                let (shared, scratch) = unsafe (second.shared, scratch.base)
                unsafe thaw_second_attention(shared, table, rounds, from, to, scratch, length64, heads64, width64)
            } else {
                unsafe kernel(from, to, scratch.base, length64, heads64, width64, 0, heads64)
            }
            row += length
        }
    }

    /// out[tokens, columns] = words[id] + positions[place in its sequence] + types[0].
    package func embed(
        ids: [Int32],
        sequenceLengths: [Int],
        words: WeightView,
        positions: WeightView,
        types: WeightView,
        columns: Int,
        out: FloatBuffer
    ) {
        precondition(columns > 0 && totalled(sequenceLengths) == ids.count && out.count >= ids.count * columns)
        precondition(ids.allSatisfy { $0 >= 0 && Int($0) < words.count / columns })
        precondition((sequenceLengths.max() ?? 0) <= positions.count / columns && types.count >= columns)
        unsafe ids.withUnsafeBufferPointer { ids in
            guard let start = ids.baseAddress else { return }
            var row = 0
            for length in sequenceLengths {
                unsafe table.pointee.embed(
                    start + row,
                    words.base,
                    positions.base,
                    types.base,
                    out.base + row * columns,
                    Int64(length),
                    Int64(columns)
                )
                row += length
            }
        }
    }

    /// out[sequences, columns] = mean of each sequence's rows of input[tokens, columns].
    package func meanPool(_ input: FloatBuffer, sequenceLengths: [Int], columns: Int, out: FloatBuffer) {
        precondition(input !== out && columns > 0 && out.count >= sequenceLengths.count * columns)
        precondition(input.count >= totalled(sequenceLengths) * columns)
        var row = 0
        for (sequence, length) in sequenceLengths.enumerated() {
            unsafe table.pointee.mean(
                input.base + row * columns,
                out.base + sequence * columns,
                Int64(length),
                Int64(columns)
            )
            row += length
        }
    }

    /// out[sequences, columns] = first row of each sequence of input[tokens, columns].
    package func firstPool(_ input: FloatBuffer, sequenceLengths: [Int], columns: Int, out: FloatBuffer) {
        precondition(input !== out && columns > 0 && out.count >= sequenceLengths.count * columns)
        precondition(input.count >= totalled(sequenceLengths) * columns)
        var row = 0
        for (sequence, length) in sequenceLengths.enumerated() {
            unsafe (out.base + sequence * columns).update(from: input.base + row * columns, count: columns)
            row += length
        }
    }

    /// The sum of lengths of sequences, none of which is empty.
    private func totalled(_ sequenceLengths: [Int]) -> Int {
        precondition(sequenceLengths.allSatisfy { $0 > 0 })
        return sequenceLengths.reduce(0, +)
    }
}

// Row by row and element by element; `out` may be the very buffer that is read.
extension KernelSet {
    /// out[rows, columns] = input / max(‖row‖₂, 1e-12).
    package func normalize(_ input: FloatBuffer, rows: Int, columns: Int, out: FloatBuffer) {
        precondition(rows > 0 && columns > 0 && min(input.count, out.count) >= rows * columns)
        unsafe table.pointee.normalize(input.base, out.base, Int64(rows), Int64(columns))
    }

    /// out[rows, columns] = softmax of each row.
    package func softmax(_ input: FloatBuffer, rows: Int, columns: Int, out: FloatBuffer) {
        precondition(rows > 0 && columns > 0 && min(input.count, out.count) >= rows * columns)
        unsafe table.pointee.softmax(input.base, out.base, Int64(columns), Int64(rows), Int64(columns))
    }

    /// The first `count` floats, each through `activation`.
    package func activate(_ input: FloatBuffer, _ activation: Activation, count: Int, out: FloatBuffer) {
        precondition(count >= 0 && min(input.count, out.count) >= count)
        unsafe table.pointee.activate(input.base, out.base, Int64(count), activation.rawValue)
    }

    /// out[i] = left[i] ∘ right[i] for the first `count` floats.
    package func combine(
        _ left: FloatBuffer,
        _ arithmetic: Arithmetic,
        _ right: FloatBuffer,
        count: Int,
        out: FloatBuffer
    ) {
        precondition(count >= 0 && min(left.count, right.count, out.count) >= count)
        unsafe table.pointee.combine(left.base, right.base, out.base, Int64(count), arithmetic.rawValue)
    }

    /// out[rows, columns] = left ∘ constant, the constant being one float or a row of `columns`.
    package func combine(
        _ left: FloatBuffer,
        _ arithmetic: Arithmetic,
        constant: WeightView,
        rows: Int,
        columns: Int,
        out: FloatBuffer
    ) {
        precondition(rows > 0 && columns > 0 && min(left.count, out.count) >= rows * columns)
        precondition(constant.count == columns || constant.count == 1)
        if constant.count == 1 {
            let (value, count) = unsafe (constant.base.pointee, Int64(rows * columns))
            unsafe table.pointee.combine_scalar(left.base, value, out.base, count, arithmetic.rawValue)
            return
        }
        for row in 0..<rows {
            unsafe table.pointee.combine(
                left.base + row * columns,
                constant.base,
                out.base + row * columns,
                Int64(columns),
                arithmetic.rawValue
            )
        }
    }
}
