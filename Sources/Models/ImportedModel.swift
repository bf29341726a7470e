package import Inference
package import Kernels

/// A model that was read and understood: what the snapshot of it will hold.
package struct ImportedModel: Sendable {
    package var plan: Plan
    /// How to make each of `plan.weights`, in the same order.
    package var sources: [WeightSource]
    /// The most tokens of one text; 0 for a model without texts.
    package var tokensMax: Int
    /// The tokenizer as a worker loads it; nil for a model without texts.
    package var tokenizer: [UInt8]?
    /// What it gives.
    package var task = TextTask.embed
    /// Names of the classes, in the order of the scores; nil where the model names none.
    package var labels: [String]?

    package init(plan: Plan, sources: [WeightSource], tokensMax: Int = 0, tokenizer: [UInt8]? = nil) {
        self.plan = plan
        self.sources = sources
        self.tokensMax = tokensMax
        self.tokenizer = tokenizer
    }

    /// The same model with the weights of its products in another format.
    ///
    /// A product that the format does not hold stays as it is.
    package func with(_ format: WeightFormat) -> ImportedModel {
        var changed = self
        for index in plan.weights.indices {
            guard case .panels(let inner, let columns, let isColumnMajor, _) = sources[index].arrangement,
                inner <= format.innerMax
            else { continue }
            changed.plan.weights[index].layout = Plan.Layout(panelsOf: format)
            changed.sources[index].arrangement = .panels(
                inner: inner,
                columns: columns,
                isColumnMajor: isColumnMajor,
                format: format
            )
        }
        return changed
    }
}
