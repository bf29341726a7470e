package import Inference
import Kernels

/// An imported model in memory, ready to run: for whoever measures it before it is written.
package final class HeldModel {
    package let model: ImportedModel
    /// Of each weight of the plan.
    private let memory: [FloatBuffer]
    private let runner: PlanRunner

    /// Makes every weight; those that `other` holds in the same layout are shared with it.
    package init(
        _ model: ImportedModel,
        in archive: borrowing RawSpan,
        sharing other: HeldModel? = nil
    ) throws(PlanError) {
        self.model = model
        var memory: [FloatBuffer] = []
        var places: [String: Int] = [:]
        for (index, weight) in model.plan.weights.enumerated() {
            if let other, other.model.plan.weights[index] == weight {
                memory.append(other.memory[index])
            } else {
                memory.append(model.sources[index].withBytes(in: archive) { FloatBuffer(bytes: $0) })
            }
            places[weight.name] = index
        }
        self.memory = memory
        runner = try PlanRunner(plan: model.plan) { name in
            // This object keeps both, and nothing writes the memory again.
            places[name].map { unsafe WeightView(constant: memory[$0]) }
        }
    }

    /// Calls `body` with a weight's numbers as the snapshot keeps them.
    package func withBytes<Result, Failure: Error>(
        of weight: Plan.WeightIndex,
        _ body: (borrowing RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try memory[weight].withBytes(body)
    }

    /// See ``PlanRunner/run(ids:types:sequenceLengths:)``.
    package func run(
        ids: [Int32],
        types: [Int32]? = nil,
        sequenceLengths: [Int]
    ) throws(PlanError) -> [Float] {
        try runner.run(ids: ids, types: types, sequenceLengths: sequenceLengths)
    }
}
