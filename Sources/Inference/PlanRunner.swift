package import Kernels

/// Follows a plan, call after call, on one thread or with the second one that its kernels bring.
///
/// Made in the template and used in its forks: ``reserve(tokens:sequences:)`` maps all memory that calls up to that
/// size need, so that a call allocates only its result. Memory that a call never reaches is never touched.
package final class PlanRunner {
    package let plan: Plan
    private let kernels: KernelSet
    private let weights: [WeightView]
    private let assignment: BufferAssignment
    private let buffers: [FloatBuffer]
    private let attentionScratch = FloatBuffer(count: 0)
    private let productScratch = FloatBuffer(count: 0)
    private let rows: RowSource?
    /// Values that come from a product of narrower numbers: what attends to them need not be more exact.
    private let rounded: Set<Plan.ValueIndex>

    /// Brings rows of a weight into memory before they are read; answers a sentence where it cannot.
    package typealias RowSource = (_ weight: Plan.Weight, _ rows: [Int32]) -> String?

    /// Asks `lookup` for the numbers of each weight by name: they must outlive the runner; nil where there are none.
    ///
    /// Tables that a call reads by its ids may be incomplete: `rows` is asked for the rows of each call before they are
    /// read.
    /// - Throws: ``PlanError`` where the plan is not consistent or a weight is missing or of another size.
    package init(
        plan: Plan,
        kernels: KernelSet = .best,
        rows: RowSource? = nil,
        weight lookup: (_ name: String) -> WeightView?
    ) throws(PlanError) {
        try plan.validate()
        var weights: [WeightView] = []
        for weight in plan.weights {
            guard let view = lookup(weight.name) else {
                throw .weight(name: weight.name, reason: "the plan needs it, but the snapshot does not hold it")
            }
            guard view.count == weight.wordCount else {
                let reason = "expected \(weight.wordCount * 4) bytes for shape \(weight.shape), got \(view.count * 4)"
                throw .weight(name: weight.name, reason: reason)
            }
            weights.append(view)
        }
        self.plan = plan
        self.kernels = kernels
        self.rows = rows
        self.weights = weights
        rounded = plan.rounded
        assignment = BufferAssignment(plan)
        buffers = assignment.valuesOfBuffer.map { _ in FloatBuffer(count: 0) }
    }

    /// Maps the memory that calls of up to so many tokens and sequences need.
    package func reserve(tokens: Int, sequences: Int) {
        for (buffer, values) in zip(buffers, assignment.valuesOfBuffer) {
            let counts = values.map { value in
                plan.values[value].columns * (plan.values[value].rows == .tokens ? tokens : sequences)
            }
            buffer.reserve(counts.max() ?? 0)
        }
        for case .attention(_, let heads, _, let out) in plan.steps {
            let width = plan.values[out].columns / heads
            let lengthMax = min(tokens, plan.sequenceLengthMax ?? tokens)
            attentionScratch.reserve(kernels.attentionScratchCount(lengthMax: lengthMax, width: width))
        }
        for case .linear(let input, let weight, _, _, _) in plan.steps where plan.weights[weight].layout != .panels16 {
            let rows = plan.values[input].rows == .tokens ? tokens : sequences
            let inner = plan.values[input].columns
            productScratch.reserve(kernels.productScratchCount(rows: rows, inner: inner))
        }
    }

    /// Runs the plan.
    /// - Parameters:
    ///   - ids: the tokens of all sequences, one sequence after the other, special ones included.
    ///   - types: which row of the table of types each id takes; nil where all take the first.
    ///   - sequenceLengths: how many ids each sequence has, each ≥ 1.
    /// - Returns: the output, [tokens or sequences, columns].
    /// - Throws: ``PlanError/input(_:)`` where lengths and ids do not fit each other or the plan's tables.
    package func run(
        ids: [Int32],
        types: [Int32]? = nil,
        sequenceLengths: [Int]
    ) throws(PlanError) -> [Float] {
        try check(ids: ids, types: types, sequenceLengths: sequenceLengths)
        try bringRows(ids)
        let call = Call(ids: ids, types: types, sequenceLengths: sequenceLengths)
        reserve(tokens: call.tokens, sequences: call.sequences)
        return run(call)
    }

    /// Asks for what the checked ids will read.
    private func bringRows(_ ids: [Int32]) throws(PlanError) {
        guard let rows else { return }
        for case .embed(let words, _, _, _) in plan.steps {
            let weight = plan.weights[words]
            if let reason = rows(weight, ids) { throw .weight(name: weight.name, reason: reason) }
        }
    }

    private func check(ids: [Int32], types: [Int32]?, sequenceLengths: [Int]) throws(PlanError) {
        guard (1...PlanLimits.rowsMax).contains(ids.count) else {
            throw .input("expected 1…\(PlanLimits.rowsMax) token ids, got \(ids.count)")
        }
        var rest = ids.count
        let lengthMax = plan.sequenceLengthMax ?? ids.count
        for length in sequenceLengths {
            guard (1...lengthMax).contains(length) else {
                throw .input("a sequence of \(length) tokens, expected 1…\(lengthMax)")
            }
            guard length <= rest else { throw .input("the sequences are longer than the \(ids.count) ids") }
            rest -= length
        }
        guard rest == 0 else { throw .input("\(rest) ids belong to no sequence") }
        guard types.map({ $0.count == ids.count }) ?? true else {
            throw .input("\(types?.count ?? 0) types for \(ids.count) ids")
        }
        for case .embed(let words, _, let table, _) in plan.steps {
            let vocabulary = plan.weights[words].shape[0]
            for id in ids where id < 0 || Int(id) >= vocabulary {
                throw .input("token id \(id) is not in the vocabulary of \(vocabulary)")
            }
            let typesCount = plan.weights[table].shape[0]
            for type in types ?? [] where type < 0 || Int(type) >= typesCount {
                throw .input("type \(type) is none of the model's \(typesCount)")
            }
        }
    }
}

/// The rows of one call.
private struct Call {
    let ids: [Int32]
    let types: [Int32]?
    let sequenceLengths: [Int]

    var tokens: Int { ids.count }
    var sequences: Int { sequenceLengths.count }
}

extension PlanRunner {
    private func buffer(_ value: Plan.ValueIndex) -> FloatBuffer {
        buffers[assignment.bufferOfValue[value]]
    }

    private func run(_ call: Call) -> [Float] {
        kernels.second?.wake()
        for step in plan.steps {
            run(step, call)
        }
        let output = plan.values[plan.output]
        return buffer(plan.output).read(rows(output, call) * output.columns)
    }

    private func rows(_ value: Plan.Value, _ call: Call) -> Int {
        value.rows == .tokens ? call.tokens : call.sequences
    }

    private func run(_ step: Plan.Step, _ call: Call) {
        let out = buffer(step.out)
        let (rows, columns) = (rows(plan.values[step.out], call), plan.values[step.out].columns)
        switch step {
        case .embed(let words, let positions, let types, _):
            kernels.embed(
                ids: call.ids,
                typeIDs: call.types,
                sequenceLengths: call.sequenceLengths,
                words: weights[words],
                positions: weights[positions],
                types: weights[types],
                columns: columns,
                out: out
            )
        case .layerNorm(let input, let residual, let scale, let shift, let epsilon, _):
            kernels.layerNorm(
                buffer(input),
                residual: residual.map(buffer),
                scale: weights[scale],
                shift: weights[shift],
                epsilon: epsilon,
                rows: rows,
                columns: columns,
                out: out
            )
        case .linear(let input, let weight, let bias, let activation, _):
            kernels.linear(
                buffer(input),
                rows: rows,
                inner: plan.values[input].columns,
                weight: weights[weight],
                format: plan.weights[weight].layout.format ?? .f32,
                bias: bias.map { weights[$0] },
                columns: columns,
                activation: activation.kernel,
                scratch: productScratch,
                out: out
            )
        case .attention(let fused, let heads, let places, _):
            kernels.attention(
                buffer(fused),
                sequenceLengths: call.sequenceLengths,
                heads: heads,
                width: columns / heads,
                places: places.map { weights[$0] },
                isRounded: rounded.contains(fused),
                scratch: attentionScratch,
                out: out
            )
        case .pool(let input, let parts, _):
            kernels.pool(
                buffer(input),
                sequenceLengths: call.sequenceLengths,
                columns: plan.values[input].columns,
                parts.map(\.kernel),
                out: out
            )
        case .normalize(let input, _):
            kernels.normalize(buffer(input), rows: rows, columns: columns, out: out)
        case .softmax(let input, _):
            kernels.softmax(buffer(input), rows: rows, columns: columns, out: out)
        case .activate(let input, let activation, _):
            kernels.activate(buffer(input), activation.kernel, count: rows * columns, out: out)
        }
    }
}

extension Plan {
    /// The values that products in another format than f32 write.
    fileprivate var rounded: Set<ValueIndex> {
        var values: Set<ValueIndex> = []
        for case .linear(_, let weight, _, _, let out) in steps where weights[weight].layout != .panels16 {
            values.insert(out)
        }
        return values
    }
}

extension Plan.Activation {
    /// The plan's numbers are part of the snapshot format, the kernels' are not: hence two types.
    fileprivate var kernel: Activation {
        switch self {
        case .none: .none
        case .relu: .relu
        case .gelu: .gelu
        case .tanh: .tanh
        case .sigmoid: .sigmoid
        }
    }
}

extension Plan.Pooling {
    fileprivate var kernel: Pooling {
        switch self {
        case .mean: .mean
        case .rootMean: .rootMean
        case .greatest: .greatest
        case .first: .first
        case .last: .last
        }
    }
}
