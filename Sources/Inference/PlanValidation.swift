package import Kernels

extension Plan.Weight {
    /// Numbers of four bytes that the snapshot holds for this weight, padding included; floats where it is plain.
    package var wordCount: Int {
        guard let format = layout.format else { return shape.reduce(1, *) }
        return Panels.wordCount(inner: shape[0], columns: shape[1], format: format)
    }
}

extension Plan.Layout {
    /// Of a product's weight; nil for floats that lie as they are.
    package var format: WeightFormat? {
        switch self {
        case .plain: nil
        case .panels16: .f32
        case .panels16BrainFloat: .bf16
        case .panels16Integer: .int8
        }
    }

    /// Panels of this format.
    package init(panelsOf format: WeightFormat) {
        self =
            switch format {
            case .f32: .panels16
            case .bf16: .panels16BrainFloat
            case .int8: .panels16Integer
            }
    }
}

extension Plan.Step {
    /// The value that the step writes.
    var out: Plan.ValueIndex {
        switch self {
        case .embed(_, _, _, let out), .layerNorm(_, _, _, _, _, let out), .linear(_, _, _, _, let out),
            .attention(_, _, _, let out), .pool(_, _, let out), .normalize(_, let out), .softmax(_, let out),
            .activate(_, _, let out):
            out
        }
    }

    /// The values that the step reads.
    var inputs: [Plan.ValueIndex] {
        switch self {
        case .embed: []
        case .layerNorm(let input, let residual, _, _, _, _): [input] + (residual.map { [$0] } ?? [])
        case .linear(let input, _, _, _, _), .attention(let input, _, _, _), .pool(let input, _, _),
            .normalize(let input, _), .softmax(let input, _), .activate(let input, _, _):
            [input]
        }
    }
}

extension Plan {
    /// The longest sequence that every step has places for; nil where nothing is embedded.
    package var sequenceLengthMax: Int? {
        let lengths: [Int] = steps.compactMap { step in
            switch step {
            case .embed(_, let positions, _, _): weights[positions].shape[0]
            case .attention(_, _, let places?, _): (weights[places].shape[1] + 1) / 2
            default: nil
            }
        }
        return lengths.min()
    }

    /// Checks every index, shape, layout and setting, and that each value is written once, before it is read.
    ///
    /// What passes here cannot make a kernel read or write outside its memory, whatever the call brings.
    package func validate() throws(PlanError) {
        guard max(values.count, weights.count, steps.count) <= PlanLimits.entriesMax else {
            throw .invalid("more than \(PlanLimits.entriesMax) values, weights or steps")
        }
        for (index, value) in values.enumerated() where !(1...PlanLimits.columnsMax).contains(value.columns) {
            throw .invalid("value \(index) has \(value.columns) columns, expected 1…\(PlanLimits.columnsMax)")
        }
        try validateWeights()
        var written = [Bool](repeating: false, count: values.count)
        for (index, step) in steps.enumerated() {
            for read in step.inputs where !(values.indices.contains(read) && written[read]) {
                throw .invalid("step \(index) reads value \(read) before it is written")
            }
            guard values.indices.contains(step.out), !written[step.out] else {
                throw .invalid("step \(index) writes value \(step.out), which is unknown or already written")
            }
            do throws(ShapeMismatch) {
                try check(step)
            } catch {
                throw .invalid("step \(index): \(error.reason)")
            }
            written[step.out] = true
        }
        guard values.indices.contains(output), written[output] else {
            throw .invalid("the output, value \(output), is never written")
        }
    }

    private func validateWeights() throws(PlanError) {
        var names: Set<String> = []
        for weight in weights {
            let nameBytes = weight.name.utf8.count
            guard (1...PlanLimits.nameBytesMax).contains(nameBytes), names.insert(weight.name).inserted else {
                throw .invalid("weight \"\(weight.name.prefix(64))\" has no name, a name too long, or one taken twice")
            }
            let isVector = weight.shape.count == 1
            guard isVector || weight.shape.count == 2, let rows = weight.shape.first, let columns = weight.shape.last,
                (1...PlanLimits.columnsMax).contains(columns),
                isVector || (1...PlanLimits.weightRowsMax).contains(rows)
            else {
                throw .weight(name: weight.name, reason: "shape \(weight.shape) is not one that a plan may have")
            }
            guard weight.layout == .plain || !isVector else {
                throw .weight(name: weight.name, reason: "a vector has no panels")
            }
        }
    }
}

/// What is wrong with a step; ``Plan/validate()`` adds which one.
private struct ShapeMismatch: Error {
    let reason: String
}

extension Plan {
    /// The indices of values are known to be good.
    private func check(_ step: Step) throws(ShapeMismatch) {
        let out = values[step.out]
        switch step {
        case .embed(let words, let positions, let types, _):
            try require(out.rows == .tokens, "embed writes a row per token")
            for table in [words, positions, types] {
                let weight = try weight(table, .plain)
                try require(weight.shape.count == 2 && weight.shape.last == out.columns, "a table of other columns")
            }
        case .layerNorm(let input, let residual, let scale, let shift, let epsilon, _):
            try require(values[input] == out && values[residual ?? input] == out, "layer norm changes no shape")
            try require(epsilon.isFinite && epsilon >= 0, "epsilon is \(epsilon)")
            for vector in [scale, shift] {
                try require(try weight(vector, .plain).shape == [out.columns], "scale and shift need a column each")
            }
        case .linear(let input, let weight, let bias, _, _):
            try require(values[input].rows == out.rows, "a product keeps its rows")
            let panels = try self.panels(weight)
            let shape = panels.weight.shape
            try require(shape == [values[input].columns, out.columns], "the weight's shape \(shape) does not fit")
            try require(shape[0] <= panels.format.innerMax, "\(shape[0]) numbers are too many for a sum of integers")
            if let bias {
                try require(try self.weight(bias, .plain).shape == [out.columns], "the bias needs a float per column")
            }
        case .attention(let fused, let heads, let places, _):
            try require(values[fused].rows == .tokens && out.rows == .tokens, "attention works on tokens")
            try require(heads >= 1 && out.columns % heads == 0, "\(out.columns) columns, but \(heads) heads")
            try require(values[fused].columns == 3 * out.columns, "q, k and v are not 3 × \(out.columns) columns")
            guard let places else { return }
            let shape = try weight(places, .plain).shape
            try require(
                shape.count == 2 && shape[0] == heads && !shape[1].isMultiple(of: 2),
                "places of shape \(shape) are not an odd number for each of \(heads) heads"
            )
        case .pool(let input, let parts, _):
            try require(values[input].rows == .tokens && out.rows == .sequences, "pooling makes tokens a sequence")
            try require((1...PlanLimits.poolingPartsMax).contains(parts.count), "pooling has \(parts.count) parts")
            try require(values[input].columns * parts.count == out.columns, "pooling keeps its columns")
        case .normalize(let input, _), .softmax(let input, _), .activate(let input, _, _):
            try require(values[input] == out, "input and output differ in shape")
        }
    }

    private func require(_ holds: Bool, _ reason: @autoclosure () -> String) throws(ShapeMismatch) {
        guard holds else { throw ShapeMismatch(reason: reason()) }
    }

    private func weight(_ index: WeightIndex) throws(ShapeMismatch) -> Weight {
        guard weights.indices.contains(index) else { throw ShapeMismatch(reason: "there is no weight \(index)") }
        return weights[index]
    }

    private func panels(_ index: WeightIndex) throws(ShapeMismatch) -> (weight: Weight, format: WeightFormat) {
        let weight = try weight(index)
        guard let format = weight.layout.format else {
            throw ShapeMismatch(reason: "weight \"\(weight.name)\" lies as \(weight.layout), expected panels")
        }
        return (weight, format)
    }

    private func weight(_ index: WeightIndex, _ layout: Layout) throws(ShapeMismatch) -> Weight {
        let weight = try weight(index)
        guard weight.layout == layout else {
            throw ShapeMismatch(reason: "weight \"\(weight.name)\" lies as \(weight.layout), expected \(layout)")
        }
        return weight
    }
}
