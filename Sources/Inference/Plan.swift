/// A model of token ids, ready to run: steps in order over numbered values and named weights.
///
/// The packer writes a plan once per deploy; the worker follows it for each call. A value is a matrix of `Float`,
/// row-major, whose row count is known only at the call: one row per token, or one per sequence.
package struct Plan: Equatable, Sendable {
    /// What a row of a value stands for.
    package enum Rows: UInt8, Sendable {
        /// One row per token of all sequences of the call, one sequence after the other, no padding.
        case tokens = 0
        /// One row per sequence.
        case sequences = 1
    }

    /// The shape of a value: rows are counted at the call, columns are fixed.
    package struct Value: Equatable, Sendable {
        package var rows: Rows
        package var columns: Int

        package init(rows: Rows, columns: Int) {
            self.rows = rows
            self.columns = columns
        }
    }

    /// Index into ``values``.
    package typealias ValueIndex = Int
    /// Index into ``weights``.
    package typealias WeightIndex = Int

    /// How a weight's numbers lie in the snapshot.
    package enum Layout: UInt8, CaseIterable, Sendable {
        /// Row-major floats, as in the model file.
        case plain = 0
        /// Panels of 16 columns for ``Step/linear``: see `Kernels/Panels.swift`.
        case panels16 = 1
        /// The same in bfloat16.
        case panels16BrainFloat = 2
        /// The same in integers of 8 bits, scales and sums behind each panel.
        case panels16Integer = 3
    }

    /// A tensor that the snapshot holds under `name`.
    package struct Weight: Equatable, Sendable {
        package var name: String
        /// Logical shape: `[columns]` for a vector, `[rows, columns]` for a table, `[inner, columns]` for a product.
        package var shape: [Int]
        package var layout: Layout

        package init(name: String, shape: [Int], layout: Layout) {
            self.name = name
            self.shape = shape
            self.layout = layout
        }
    }

    package enum Activation: UInt8, Sendable {
        case none = 0
        case relu = 1
        /// x · Φ(x) with the exact error function, as BERT uses it.
        case gelu = 2
        case tanh = 3
        case sigmoid = 4
    }

    /// How a sequence's rows become one.
    package enum Pooling: UInt8, CaseIterable, Sendable {
        case mean = 0
        /// Their sum over the square root of their number.
        case rootMean = 1
        case greatest = 2
        case first = 3
        case last = 4
    }

    /// One operation.
    ///
    /// Shapes: T = tokens, S = sequences, R = either.
    package enum Step: Equatable, Sendable {
        /// out[T, C] = words[id] + positions[place in its sequence] + types[type of the id]; ids and types come with the
        /// call.
        case embed(words: WeightIndex, positions: WeightIndex, types: WeightIndex, out: ValueIndex)
        /// out[R, C] = (x − mean) / √(variance + epsilon) · scale + shift over each row of x = input (+ residual).
        case layerNorm(
            input: ValueIndex,
            residual: ValueIndex?,
            scale: WeightIndex,
            shift: WeightIndex,
            epsilon: Float,
            out: ValueIndex
        )
        /// out[R, N] = activation(input[R, K] · weight[K, N] + bias[N]); the weight is in panels, whose
        /// format is the arithmetic of the product.
        case linear(
            input: ValueIndex,
            weight: WeightIndex,
            bias: WeightIndex?,
            activation: Activation,
            out: ValueIndex
        )
        /// out[T, heads · d] = softmax(q kᵀ / √d + p) v within each sequence and head. `fused`[T, 3 · heads · d] holds
        /// q, k and v side by side; `places`[heads, 2 · n − 1] holds p of a token that stands d places behind another
        /// at n − 1 + d, none where p is 0. Where a product of narrower numbers wrote them, attention is as narrow as
        /// bfloat16 on a processor that has it.
        case attention(fused: ValueIndex, heads: Int, places: WeightIndex?, out: ValueIndex)
        /// out[S, parts · C] = what each part makes of the sequence's rows of input[T, C], side by side.
        case pool(input: ValueIndex, [Pooling], out: ValueIndex)
        /// out = input / max(‖row‖₂, 1e-12), row by row.
        case normalize(input: ValueIndex, out: ValueIndex)
        /// Softmax of each row.
        case softmax(input: ValueIndex, out: ValueIndex)
        case activate(input: ValueIndex, Activation, out: ValueIndex)
    }

    package var values: [Value]
    package var weights: [Weight]
    package var steps: [Step]
    /// The value that the caller reads.
    package var output: ValueIndex

    package init(values: [Value], weights: [Weight], steps: [Step], output: ValueIndex) {
        self.values = values
        self.weights = weights
        self.steps = steps
        self.output = output
    }
}
