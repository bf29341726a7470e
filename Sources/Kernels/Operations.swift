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

    /// out[tokens, heads · width] = softmax(q kᵀ / √width + p) v within each sequence and head.
    ///
    /// `fused` is [tokens, 3 · heads · width], q, k and v side by side; tokens = the sum of the lengths. `places` is
    /// [heads, 2 · n − 1], n at least the longest sequence: what a token that stands `d` places behind another adds to
    /// its score stands at n − 1 + d. `scratch` grows where the longest sequence needs more. With `isRounded` its two
    /// products may be computed in bfloat16: where the processor has instructions for it.
    package func attention(
        _ fused: FloatBuffer,
        sequenceLengths: [Int],
        heads: Int,
        width: Int,
        places: WeightView? = nil,
        isRounded: Bool = false,
        scratch: FloatBuffer,
        out: FloatBuffer
    ) {
        precondition(fused !== out && fused !== scratch && out !== scratch && heads > 0 && width > 0)
        let columns = heads * width
        let tokens = totalled(sequenceLengths)
        let lengthMax = sequenceLengths.max() ?? 0
        precondition(fused.count >= tokens * 3 * columns && out.count >= tokens * columns)
        scratch.reserve(attentionScratchCount(lengthMax: lengthMax, width: width))
        let placesCount = (places?.count ?? 0) / heads
        precondition(places == nil || placesCount * heads == places?.count && (placesCount + 1) / 2 >= lengthMax)
        let kernel = unsafe isRounded ? table.pointee.attention_bf16 : table.pointee.attention
        let middle = unsafe places.map { unsafe $0.base + placesCount / 2 }
        let stride = Int64(placesCount)
        var row = 0
        for length in sequenceLengths {
            let (from, to) = unsafe (fused.base + row * 3 * columns, out.base + row * columns)
            let (length64, heads64, width64) = (Int64(length), Int64(heads), Int64(width))
            if let second {
                let rounds: Int32 = isRounded ? 1 : 0
                let (shared, scratch) = unsafe (second.shared, scratch.base)
                unsafe thaw_second_attention(
                    shared,
                    table,
                    rounds,
                    from,
                    middle,
                    stride,
                    to,
                    scratch,
                    length64,
                    heads64,
                    width64
                )
            } else {
                unsafe kernel(from, middle, stride, to, scratch.base, length64, heads64, width64, 0, heads64)
            }
            row += length
        }
    }

    /// out[tokens, columns] = words[id] + positions[place in its sequence] + types[type of the id].
    ///
    /// - Parameter typeIDs: one for each id; nil where all of them are 0.
    package func embed(
        ids: [Int32],
        typeIDs: [Int32]? = nil,
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
        precondition((typeIDs ?? []).allSatisfy { $0 >= 0 && Int($0) < types.count / columns })
        precondition(typeIDs.map { $0.count == ids.count } ?? true)
        unsafe ids.withUnsafeBufferPointer { ids in
            unsafe (typeIDs ?? []).withUnsafeBufferPointer { typeIDs in
                guard let start = ids.baseAddress else { return }
                var row = 0
                for length in sequenceLengths {
                    unsafe table.pointee.embed(
                        start + row,
                        typeIDs.isEmpty ? nil : typeIDs.baseAddress.map { unsafe $0 + row },
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
    }

    /// out[sequences, parts · columns] = what each part makes of a sequence's rows of input[tokens, columns], side by
    /// side.
    package func pool(
        _ input: FloatBuffer,
        sequenceLengths: [Int],
        columns: Int,
        _ parts: [Pooling],
        out: FloatBuffer
    ) {
        precondition(input !== out && columns > 0 && out.count >= sequenceLengths.count * parts.count * columns)
        precondition(input.count >= totalled(sequenceLengths) * columns)
        var (row, place) = (0, 0)
        for length in sequenceLengths {
            let (rows, width) = (Int64(length), Int64(columns))
            let source = unsafe UnsafePointer(input.base) + row * columns
            for part in parts {
                let target = unsafe out.base + place
                switch part {
                case .mean: unsafe table.pointee.pool_sum(source, target, Float(length), rows, width)
                case .rootMean:
                    unsafe table.pointee.pool_sum(source, target, Float(length).squareRoot(), rows, width)
                case .greatest: unsafe table.pointee.pool_greatest(source, target, rows, width)
                case .first: unsafe target.update(from: source, count: columns)
                case .last: unsafe target.update(from: source + (length - 1) * columns, count: columns)
                }
                place += columns
            }
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
}
