import Kernels

/// RNN, GRU and LSTM, computed in f32.
enum RecurrentOperators {
    static let operators: [Operator] = [
        Operator("RNN") { (call) throws(GraphError) in try run(.rnn, call) },
        Operator("GRU") { (call) throws(GraphError) in try run(.gru, call) },
        Operator("LSTM") { (call) throws(GraphError) in try run(.lstm, call) },
    ]

    private static func run(
        _ cell: RecurrentCell,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> [GraphValue] {
        let layer = try RecurrentLayer(cell, call)
        let (steps, batches, hidden) = (layer.steps, layer.batches, layer.hidden)
        let directions = layer.directions
        var outputs = [Float](repeating: 0, count: steps * directions * batches * hidden)
        var (lastHidden, lastCell): ([Float], [Float]) = ([], [])
        for direction in 0..<directions {
            let state = try layer.run(direction: direction, call) { step, batch, values in
                let start = ((step * directions + direction) * batches + batch) * hidden
                outputs.replaceSubrange(start..<start + hidden, with: values)
            }
            lastHidden += state.hidden
            lastCell += state.cell
        }
        let element = try call.tensor(0).element
        var all = Tensor(outputs, shape: [steps, directions, batches, hidden])
        var last = [Tensor(lastHidden, shape: [directions, batches, hidden])]
        if cell == .lstm { last.append(Tensor(lastCell, shape: [directions, batches, hidden])) }
        if layer.isBatchFirst {
            all = try call.transposed(all, [2, 0, 1, 3])
            for index in last.indices { last[index] = try call.transposed(last[index], [1, 0, 2]) }
        }
        var values: [GraphValue] = [.tensor(try call.cast(all, to: element))]
        for tensor in last { values.append(.tensor(try call.cast(tensor, to: element))) }
        return values
    }
}

/// How many gates, and how they make the next state.
enum RecurrentCell {
    case rnn
    case gru
    case lstm

    var gates: Int {
        switch self {
        case .rnn: 1
        case .gru: 3
        case .lstm: 4
        }
    }

    /// The functions of one direction where the node names none.
    var activations: [String] {
        switch self {
        case .rnn: ["Tanh"]
        case .gru: ["Sigmoid", "Tanh"]
        case .lstm: ["Sigmoid", "Tanh", "Tanh"]
        }
    }
}

/// One node's weights and settings, brought into one form: time first, f32.
struct RecurrentLayer {
    let cell: RecurrentCell
    let steps: Int
    let batches: Int
    let hidden: Int
    let directions: Int
    let isBatchFirst: Bool
    private let isReverse: Bool
    private let input: Tensor
    private let weights: Tensor
    private let recurrence: Tensor
    private let bias: [Float]?
    private let lengths: [Int]
    private let initialHidden: [Float]?
    private let initialCell: [Float]?
    private let peepholes: [Float]?
    private let clip: Float?
    private let appliesResetAfter: Bool
    private let couplesForget: Bool
    private let functions: [@Sendable (Float) -> Float]

    init(_ cell: RecurrentCell, _ call: borrowing OperatorCall) throws(GraphError) {
        self.cell = cell
        isBatchFirst = try call.integer("layout", or: 0) != 0
        let given = try call.cast(call.tensor(0), to: .f32)
        guard given.rank == 3 else { throw .input("\(given.shape) is not steps, batch and features") }
        input = isBatchFirst ? try call.transposed(given, [1, 0, 2]) : given
        (weights, recurrence) = try (call.cast(call.tensor(1), to: .f32), call.cast(call.tensor(2), to: .f32))
        (steps, batches) = (input.shape[0], input.shape[1])
        let direction = try call.string("direction", or: "forward")
        directions = direction == "bidirectional" ? 2 : 1
        isReverse = direction == "reverse"
        hidden = recurrence.shape.last ?? 0
        guard hidden > 0, weights.shape == [directions, cell.gates * hidden, input.shape[2]],
            recurrence.shape == [directions, cell.gates * hidden, hidden]
        else { throw .input("weights \(weights.shape) and \(recurrence.shape) do not fit input \(given.shape)") }
        bias = try Self.floats(call, 3, count: directions * 2 * cell.gates * hidden)
        let longest = input.shape[0]
        lengths = try call.integers(4) ?? [Int](repeating: longest, count: batches)
        guard lengths.count == batches, lengths.allSatisfy({ $0 >= 0 && $0 <= longest }) else {
            throw .input("the lengths do not fit \(batches) sequences of \(steps)")
        }
        let stateCount = directions * batches * hidden
        initialHidden = try Self.state(call, 5, count: stateCount, isBatchFirst: isBatchFirst)
        let isLSTM = cell == .lstm
        initialCell = isLSTM ? try Self.state(call, 6, count: stateCount, isBatchFirst: isBatchFirst) : nil
        peepholes = isLSTM ? try Self.floats(call, 7, count: directions * 3 * hidden) : nil
        clip = try call.float("clip")
        appliesResetAfter = try call.integer("linear_before_reset", or: 0) != 0
        couplesForget = try call.integer("input_forget", or: 0) != 0
        functions = try Self.functions(cell, directions: directions, call)
    }

    private static func floats(
        _ call: borrowing OperatorCall,
        _ index: Int,
        count: Int
    ) throws(GraphError) -> [Float]? {
        guard let tensor = call.optionalTensor(index) else { return nil }
        guard tensor.count == count else { throw .input("input \(index) has \(tensor.count) elements, not \(count)") }
        return try tensor.floats()
    }

    private static func state(
        _ call: borrowing OperatorCall,
        _ index: Int,
        count: Int,
        isBatchFirst: Bool
    ) throws(GraphError) -> [Float]? {
        guard let tensor = call.optionalTensor(index) else { return nil }
        guard tensor.rank == 3, tensor.count == count else { throw .input("a state \(tensor.shape) does not fit") }
        return try isBatchFirst ? call.transposed(tensor, [1, 0, 2]).floats() : tensor.floats()
    }

    private static func functions(
        _ cell: RecurrentCell,
        directions: Int,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> [@Sendable (Float) -> Float] {
        let standard = (0..<directions).flatMap { _ in cell.activations }
        let names = try call.strings("activations") ?? standard
        guard names.count == standard.count else { throw .invalid("\(names.count) activations, not \(standard.count)") }
        var alphas = try (call.floats("activation_alpha") ?? [])[...]
        var betas = try (call.floats("activation_beta") ?? [])[...]
        var functions: [@Sendable (Float) -> Float] = []
        for name in names {
            functions.append(try RecurrentActivation.function(name, alphas: &alphas, betas: &betas))
        }
        return functions
    }

    /// Runs one direction, tells each step's hidden state to `emit`, and answers the last states.
    func run(
        direction: Int,
        _ call: borrowing OperatorCall,
        emit: (_ step: Int, _ batch: Int, _ values: ArraySlice<Float>) -> Void
    ) throws(GraphError) -> (hidden: [Float], cell: [Float]) {
        let size = cell.gates * hidden
        let range = direction * batches * hidden..<(direction + 1) * batches * hidden
        var state = initialHidden.map { Array($0[range]) } ?? [Float](repeating: 0, count: batches * hidden)
        var memory = initialCell.map { Array($0[range]) } ?? [Float](repeating: 0, count: batches * hidden)
        guard steps > 0, batches > 0 else { return (state, memory) }
        let inputs = try projected(direction, call)
        let backwards = isReverse || direction == 1
        let turned = try part(recurrence, direction, call)
        var gates = [Float](repeating: 0, count: batches * size)
        let panelCount = Panels.floatCount(inner: hidden, columns: size)
        try call.withScratch(of: Float.self, count: panelCount) { (panels) throws(GraphError) in
            for step in 0..<steps {
                multiply(state, turned, columns: size, panels: &panels, repack: step == 0, into: &gates)
                for batch in 0..<batches where step < lengths[batch] {
                    let time = backwards ? lengths[batch] - 1 - step : step
                    let row = (time * batches + batch) * size
                    update(
                        direction,
                        inputs: inputs[row..<row + size],
                        recurrent: gates[batch * size..<(batch + 1) * size],
                        state: &state,
                        memory: &memory,
                        batch: batch,
                        turned
                    )
                    emit(time, batch, state[batch * hidden..<(batch + 1) * hidden])
                }
            }
        }
        return (state, memory)
    }

    private func multiply(
        _ rows: [Float],
        _ matrix: Tensor,
        columns: Int,
        panels: inout MutableSpan<Float>,
        repack: Bool,
        into gates: inout [Float]
    ) {
        matrix.withElements(as: Float.self) { right in
            var out = gates.mutableSpan
            KernelSet.best.product(
                rows.span,
                at: 0,
                right,
                at: 0,
                innerStride: 1,
                columnStride: hidden,
                rows: batches,
                inner: hidden,
                columns: columns,
                panels: &panels,
                repack: repack,
                out: &out,
                at: 0
            )
        }
    }

    /// One direction of a stack of weights.
    private func part(_ tensor: Tensor, _ direction: Int, _ call: borrowing OperatorCall) throws(GraphError) -> Tensor {
        let view = StridedView(tensor.shape).sliced(axis: 0, from: direction, count: 1)
        return try call.materialise(tensor, view, as: Array(tensor.shape.dropFirst()))
    }

    /// What the inputs give to all gates at all steps, with the biases that no reset gate stands before.
    private func projected(_ direction: Int, _ call: borrowing OperatorCall) throws(GraphError) -> [Float] {
        let size = cell.gates * hidden
        let flat = input.reshaped([steps * batches, input.shape[2]])
        let product = try MatrixProduct.multiply(flat, part(weights, direction, call), transposesB: true, call)
        var values = product.array(of: Float.self)
        guard let bias else { return values }
        let start = direction * 2 * size
        for row in 0..<steps * batches {
            for gate in 0..<size {
                let isHeld = cell == .gru && gate >= 2 * hidden && appliesResetAfter
                values[row * size + gate] += bias[start + gate] + (isHeld ? 0 : bias[start + size + gate])
            }
        }
        return values
    }

    private func clipped(_ value: Float) -> Float {
        guard let clip else { return value }
        return min(max(value, -clip), clip)
    }

    /// The next state of one sequence.
    private func update(
        _ direction: Int,
        inputs: ArraySlice<Float>,
        recurrent: ArraySlice<Float>,
        state: inout [Float],
        memory: inout [Float],
        batch: Int,
        _ matrix: Tensor
    ) {
        let (x, h) = (inputs.startIndex, recurrent.startIndex)
        let own = batch * hidden
        let count = cell.activations.count
        let function = { (index: Int, value: Float) in functions[direction * count + index](clipped(value)) }
        switch cell {
        case .rnn:
            for unit in 0..<hidden { state[own + unit] = function(0, inputs[x + unit] + recurrent[h + unit]) }
        case .gru:
            updateGRU(direction, inputs, recurrent, &state, own, matrix, function)
        case .lstm:
            for unit in 0..<hidden {
                let peek = { (gate: Int, value: Float) in
                    peepholes.map { $0[(direction * 3 + gate) * hidden + unit] * value } ?? 0
                }
                let sum = { (gate: Int) in inputs[x + gate * hidden + unit] + recurrent[h + gate * hidden + unit] }
                let old = memory[own + unit]
                let opened = function(0, sum(0) + peek(0, old))
                let kept = couplesForget ? 1 - opened : function(0, sum(2) + peek(2, old))
                let next = kept * old + opened * function(1, sum(3))
                memory[own + unit] = next
                state[own + unit] = function(0, sum(1) + peek(1, next)) * functions[direction * count + 2](next)
            }
        }
    }

    private func updateGRU(
        _ direction: Int,
        _ inputs: ArraySlice<Float>,
        _ recurrent: ArraySlice<Float>,
        _ state: inout [Float],
        _ own: Int,
        _ matrix: Tensor,
        _ function: (Int, Float) -> Float
    ) {
        let (x, h) = (inputs.startIndex, recurrent.startIndex)
        let old = Array(state[own..<own + hidden])
        let reset = (0..<hidden).map { function(0, inputs[x + hidden + $0] + recurrent[h + hidden + $0]) }
        let held = bias.map { Array($0[(direction * 6 + 5) * hidden..<(direction * 6 + 6) * hidden]) }
        let gated = zip(reset, old).map { $0 * $1 }
        matrix.withElements(as: Float.self) { weights in
            for unit in 0..<hidden {
                let update = function(0, inputs[x + unit] + recurrent[h + unit])
                var before = inputs[x + 2 * hidden + unit]
                if appliesResetAfter {
                    before += reset[unit] * (recurrent[h + 2 * hidden + unit] + (held?[unit] ?? 0))
                } else {
                    let row = (2 * hidden + unit) * hidden
                    for place in 0..<hidden { before += gated[place] * weights[row + place] }
                }
                state[own + unit] = (1 - update) * function(1, before) + update * old[unit]
            }
        }
    }
}

/// The functions that recurrent nodes name.
enum RecurrentActivation {
    /// Takes the settings that the function has from the lists.
    static func function(
        _ name: String,
        alphas: inout ArraySlice<Float>,
        betas: inout ArraySlice<Float>
    ) throws(GraphError) -> @Sendable (Float) -> Float {
        func alpha(_ standard: Float) -> Float { alphas.popFirst() ?? standard }
        func beta(_ standard: Float) -> Float { betas.popFirst() ?? standard }
        switch name.lowercased() {
        case "tanh": return { Float(Libm.tanh(Double($0))) }
        case "sigmoid": return { Float(1 / (1 + Libm.exp(-Double($0)))) }
        case "relu": return { max($0, 0) }
        case "softsign": return { $0 / (1 + abs($0)) }
        case "softplus": return { max($0, 0) + Float(Libm.log(1 + Libm.exp(-Double(abs($0))))) }
        case "affine":
            let (a, b) = (alpha(1), beta(0))
            return { a * $0 + b }
        case "leakyrelu":
            let a = alpha(0.01)
            return { $0 < 0 ? a * $0 : $0 }
        case "thresholdedrelu":
            let a = alpha(1)
            return { $0 > a ? $0 : 0 }
        case "scaledtanh":
            let (a, b) = (alpha(1), beta(1))
            return { a * Float(Libm.tanh(Double(b * $0))) }
        case "hardsigmoid":
            let (a, b) = (alpha(0.2), beta(0.5))
            return { min(max(a * $0 + b, 0), 1) }
        case "elu":
            let a = alpha(1)
            return { $0 < 0 ? a * Float(Libm.exp(Double($0)) - 1) : $0 }
        default: throw .unsupported("the activation \(name) of a recurrent node is not known")
        }
    }
}
