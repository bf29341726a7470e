import Kernels

/// Scaled dot-product attention, and rotary positions; computed in f32.
enum AttentionOperators {
    static let operators: [Operator] = [
        Operator("Attention", attention),
        Operator("RotaryEmbedding", rotaryEmbedding),
    ]

    static func attention(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let attention = try ScaledAttention(call)
        let (output, captured) = try attention.run(call)
        let element = attention.element
        var result = output
        if attention.isFlat {
            let flat = try call.transposed(output, [0, 2, 1, 3])
            result = flat.reshaped([flat.shape[0], flat.shape[1], flat.shape[2] * flat.shape[3]])
        }
        var values: [GraphValue] = [.tensor(try call.cast(result, to: element))]
        values.append(.tensor(try call.cast(attention.keys, to: element)))
        values.append(.tensor(try call.cast(attention.values, to: element)))
        if let captured { values.append(.tensor(try call.cast(captured, to: element))) }
        return values
    }

    private static func rotaryEmbedding(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let given = try call.tensor(0)
        let isFlat = given.rank == 3
        let heads = isFlat ? try call.integer("num_heads", or: 0) : given.rank == 4 ? given.shape[1] : 0
        guard heads > 0, !isFlat || given.shape[2] % heads == 0 else {
            throw .input("\(given.shape) does not divide into \(heads) heads")
        }
        // [batch, steps, heads, width]
        let shape = isFlat ? [given.shape[0], given.shape[1], heads, given.shape[2] / heads] : given.shape
        let tensor = isFlat ? given.reshaped(shape) : try call.transposed(given, [0, 2, 1, 3])
        let (batches, steps, width) = (tensor.shape[0], tensor.shape[1], tensor.shape[3])
        let asked = try call.integer("rotary_embedding_dim", or: 0)
        let turned = asked == 0 ? width : asked
        guard turned > 0, turned <= width, turned % 2 == 0 else {
            throw .input("\(turned) of \(width) columns cannot be turned")
        }
        let isInterleaved = try call.integer("interleaved", or: 0) != 0
        let half = turned / 2
        let (cosines, sines) = try (call.tensor(1).floats(), call.tensor(2).floats())
        var rows = Array(0..<batches * steps)
        let tableRows = cosines.count / half
        if let positions = call.optionalTensor(3) {
            rows = try GatherOperators.indices(positions, size: tableRows)
        }
        guard rows.count == batches * steps, tableRows >= (rows.max() ?? -1) + 1, sines.count == cosines.count,
            cosines.count % half == 0
        else { throw .input("the tables of cosines and sines do not fit \(batches) × \(steps) positions") }
        var values = try tensor.floats()
        for (token, row) in rows.enumerated() {
            for head in 0..<heads {
                let start = (token * heads + head) * width
                for pair in 0..<half {
                    let first = start + (isInterleaved ? 2 * pair : pair)
                    let second = isInterleaved ? first + 1 : first + half
                    let (cosine, sine) = (cosines[row * half + pair], sines[row * half + pair])
                    let (x, y) = (values[first], values[second])
                    values[first] = cosine * x - sine * y
                    values[second] = sine * x + cosine * y
                }
            }
        }
        let result = try call.cast(Tensor(values, shape: tensor.shape), to: given.element)
        return [.tensor(isFlat ? result.reshaped(given.shape) : try call.transposed(result, [0, 2, 1, 3]))]
    }
}

/// One attention node: queries, keys and values in heads, and what hides keys from queries.
struct ScaledAttention {
    let element: TensorElement
    /// Whether heads lay side by side in rows: [batch, steps, heads · width].
    let isFlat: Bool
    /// [batch, heads, steps, width] in f32; keys and values with the past in front.
    let queries: Tensor
    let keys: Tensor
    let values: Tensor
    private let scale: Float
    private let softcap: Float
    private let mask: Tensor?
    private let isCausal: Bool
    private let window: (left: Int, right: Int)
    private let pastLength: Int
    private let validLengths: [Int]?
    /// Which intermediate result the fourth output is: 0 products, 1 capped, 2 with masks, 3 probabilities.
    private let capture: Int?

    init(_ call: borrowing OperatorCall) throws(GraphError) {
        let query = try call.tensor(0)
        element = query.element
        isFlat = query.rank == 3
        let (queryHeads, keyHeads) = try (call.integer("q_num_heads", or: 0), call.integer("kv_num_heads", or: 0))
        queries = try Self.heads(query, count: queryHeads, call)
        var (keys, values) = try (
            Self.heads(call.tensor(1), count: keyHeads, call), Self.heads(call.tensor(2), count: keyHeads, call)
        )
        var past = 0
        if let pastKeys = call.optionalTensor(4), let pastValues = call.optionalTensor(5) {
            guard pastKeys.rank == 4, pastValues.rank == 4 else { throw .input("a past is not in four dimensions") }
            past = pastKeys.shape[2]
            keys = try MovementOperators.join([call.cast(pastKeys, to: .f32), keys], axis: 2, call)
            values = try MovementOperators.join([call.cast(pastValues, to: .f32), values], axis: 2, call)
        }
        (self.keys, self.values, pastLength) = (keys, values, past)
        let heads = keys.shape[1]
        guard keys.shape[0] == queries.shape[0], values.shape[..<3] == keys.shape[..<3],
            keys.shape[3] == queries.shape[3], heads > 0, queries.shape[1] % heads == 0
        else {
            throw .input("queries \(queries.shape), keys \(keys.shape) and values \(values.shape) do not fit")
        }
        scale = try call.float("scale") ?? 1 / Float(max(queries.shape[3], 1)).squareRoot()
        softcap = try call.float("softcap", or: 0)
        mask = call.optionalTensor(3)
        isCausal = try call.integer("is_causal", or: 0) != 0
        window = try (call.integer("left_window_size", or: -1), call.integer("right_window_size", or: -1))
        validLengths = try call.integers(6)
        guard validLengths?.count ?? keys.shape[0] == keys.shape[0] else {
            throw .input("there is not one length for each of \(keys.shape[0]) sequences")
        }
        capture = call.outputCount > 3 ? try call.integer("qk_matmul_output_mode", or: 0) : nil
    }

    private static func heads(
        _ tensor: Tensor,
        count: Int,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let floats = try call.cast(tensor, to: .f32)
        guard tensor.rank == 3 else {
            guard tensor.rank == 4 else { throw .input("\(tensor.shape) is not batch, heads, steps and width") }
            return floats
        }
        guard count > 0, tensor.shape[2] % count == 0 else {
            throw .input("\(tensor.shape) does not divide into \(count) heads")
        }
        let shape = [tensor.shape[0], tensor.shape[1], count, tensor.shape[2] / count]
        return try call.transposed(floats.reshaped(shape), [0, 2, 1, 3])
    }

    /// [batch, heads, steps, width of values], and the intermediate result that was asked for.
    func run(_ call: borrowing OperatorCall) throws(GraphError) -> (Tensor, Tensor?) {
        let (batches, heads, rows) = (queries.shape[0], queries.shape[1], queries.shape[2])
        let (columns, width, valueWidth) = (keys.shape[2], queries.shape[3], values.shape[3])
        let shape = [batches, heads, rows, valueWidth]
        let scoreShape = [batches, heads, rows, columns]
        let scoreCount = try OperatorCall.elementCount(scoreShape)
        guard scoreCount > 0, valueWidth > 0, width > 0 else {
            return try (call.expanded(Tensor(scalar: Float(0)), to: shape), nil)
        }
        let bias = try biases(call)
        let group = heads / keys.shape[1]
        var captured = [Float](repeating: 0, count: capture == nil ? 0 : scoreCount)
        let output = try call.make(Float.self, shape) { (out) throws(GraphError) in
            let panelCount = max(
                Panels.floatCount(inner: width, columns: columns),
                Panels.floatCount(inner: columns, columns: valueWidth)
            )
            try call.withScratch(of: Float.self, count: panelCount) { (panels) throws(GraphError) in
                var scores = [Float](repeating: 0, count: rows * columns)
                for pair in 0..<batches * heads {
                    let (batch, head) = (pair / heads, pair % heads)
                    let source = batch * keys.shape[1] + head / group
                    multiply(queries, pair, keys, source, transposes: true, &panels, into: &scores)
                    finish(&scores, batch: batch, head: head, bias) { stage, values in
                        guard stage == capture else { return }
                        captured.replaceSubrange(pair * rows * columns..<(pair + 1) * rows * columns, with: values)
                    }
                    values.withElements(as: Float.self) { right in
                        KernelSet.best.product(
                            scores.span,
                            at: 0,
                            right,
                            at: source * columns * valueWidth,
                            innerStride: valueWidth,
                            columnStride: 1,
                            rows: rows,
                            inner: columns,
                            columns: valueWidth,
                            panels: &panels,
                            out: &out,
                            at: pair * rows * valueWidth
                        )
                    }
                }
            }
        }
        return (output, capture == nil ? nil : Tensor(captured, shape: scoreShape))
    }

    /// Products of all queries with all keys of one head.
    private func multiply(
        _ a: Tensor,
        _ aIndex: Int,
        _ b: Tensor,
        _ bIndex: Int,
        transposes: Bool,
        _ panels: inout MutableSpan<Float>,
        into scores: inout [Float]
    ) {
        let (rows, columns, width) = (a.shape[2], b.shape[2], a.shape[3])
        a.withElements(as: Float.self) { left in
            b.withElements(as: Float.self) { right in
                var out = scores.mutableSpan
                KernelSet.best.product(
                    left,
                    at: aIndex * rows * width,
                    right,
                    at: bIndex * columns * width,
                    innerStride: 1,
                    columnStride: width,
                    rows: rows,
                    inner: width,
                    columns: columns,
                    panels: &panels,
                    out: &out,
                    at: 0
                )
            }
        }
    }

    /// What is added to scores [batch, heads, rows, columns]: the mask with its strides, padded by −∞.
    private struct Biases {
        var values: [Float] = []
        var strides = [0, 0, 0, 0]
        var columns = Int.max
    }

    private func biases(_ call: borrowing OperatorCall) throws(GraphError) -> Biases {
        guard let mask else { return Biases() }
        var shape = [queries.shape[0], queries.shape[1], queries.shape[2], keys.shape[2]]
        let columns = mask.shape.last ?? 1
        guard columns <= shape[3] else { throw .input("a mask \(mask.shape) is wider than \(shape[3]) keys") }
        if columns != 1 || shape[3] == 1 { shape[3] = columns }
        guard try Broadcasting.shape([shape, mask.shape]) == shape else {
            throw .input("a mask \(mask.shape) does not fit scores \(shape)")
        }
        let values =
            mask.element == .bool
            ? mask.array(of: TensorBool.self).map { $0.value ? 0 : -Float.infinity } : try mask.floats()
        return Biases(values: values, strides: Broadcasting.strides(of: mask.shape, in: shape), columns: shape[3])
    }

    /// Whether positions alone let the query in `row` see the key in `column`.
    private func sees(row: Int, column: Int, batch: Int) -> Bool {
        if let validLengths, column >= validLengths[batch] { return false }
        let offset = validLengths.map { $0[batch] - queries.shape[2] } ?? pastLength
        let distance = row + offset - column
        if isCausal, distance < 0 { return false }
        if window.left >= 0, distance > window.left { return false }
        return window.right < 0 || -distance <= window.right
    }

    /// Scores of one head to probabilities in place; `note` is shown each stage.
    private func finish(
        _ scores: inout [Float],
        batch: Int,
        head: Int,
        _ bias: Biases,
        note: (Int, [Float]) -> Void
    ) {
        let (rows, columns) = (queries.shape[2], keys.shape[2])
        for index in scores.indices { scores[index] *= scale }
        note(0, scores)
        if softcap != 0 {
            for index in scores.indices {
                scores[index] = softcap * Float(Libm.tanh(Double(scores[index] / softcap)))
            }
        }
        note(1, scores)
        var hidden = [Bool](repeating: true, count: rows)
        for row in 0..<rows {
            let start = batch * bias.strides[0] + head * bias.strides[1] + row * bias.strides[2]
            for column in 0..<columns {
                var added: Float = 0
                if !bias.values.isEmpty {
                    added = column < bias.columns ? bias.values[start + column * bias.strides[3]] : -.infinity
                }
                if !sees(row: row, column: column, batch: batch) { added = -.infinity }
                if added > -.infinity { hidden[row] = false }
                scores[row * columns + column] += added
            }
        }
        note(2, scores)
        let plain = scores
        var out = scores.mutableSpan
        KernelSet.best.softmax(plain.span, rows: rows, columns: columns, out: &out)
        for row in 0..<rows where hidden[row] {
            for column in 0..<columns { scores[row * columns + column] = 0 }
        }
        note(3, scores)
    }
}
