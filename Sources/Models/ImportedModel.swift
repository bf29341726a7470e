package import Inference

/// A model that was read and understood: what the snapshot of it will hold.
package struct ImportedModel: Sendable {
    package var plan: Plan
    /// How to make each of `plan.weights`, in the same order.
    package var sources: [WeightSource]
    /// The most tokens of one text; 0 for a model without texts.
    package var tokensMax: Int
    /// The tokenizer as a worker loads it; nil for a model without texts.
    package var tokenizer: [UInt8]?

    package init(plan: Plan, sources: [WeightSource], tokensMax: Int = 0, tokenizer: [UInt8]? = nil) {
        self.plan = plan
        self.sources = sources
        self.tokensMax = tokensMax
        self.tokenizer = tokenizer
    }
}
