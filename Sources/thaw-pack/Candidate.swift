import Graphs
import Inference
import Kernels
import Manifests
import Models

/// A model in one precision and in memory, to be measured.
enum Candidate {
    case plan(HeldModel)
    case graph(HeldGraph)

    /// Memory that `other` has in the same layout is shared with it, where the engine can.
    init(
        _ model: EngineModel,
        in archive: borrowing RawSpan,
        sharing other: Candidate? = nil
    ) throws(PackRefusal) {
        switch model {
        case .plan(let model):
            var shared: HeldModel?
            if case .plan(let held)? = other { shared = held }
            do throws(PlanError) {
                self = .plan(try HeldModel(model, in: archive, sharing: shared))
            } catch {
                throw PackRefusal(kind: .invalid, message: "the model cannot be run: \(error)")
            }
        case .graph(let model):
            do throws(GraphError) {
                self = .graph(try HeldGraph(model, in: archive))
            } catch {
                throw PackRefusal(kind: .invalid, message: "the model cannot be run: \(error)")
            }
        }
    }

    var model: EngineModel {
        switch self {
        case .plan(let held): .plan(held.model)
        case .graph(let held): .graph(held.model)
        }
    }

    /// What the model gives for one input.
    func run(_ input: GoldenSet.Input) throws(PackRefusal) -> [Float] {
        do {
            switch (self, input) {
            case (.plan(let held), .tokens(let ids, let types)):
                return try held.run(ids: ids, types: types, sequenceLengths: [ids.count])
            case (.plan, .numbers): throw PlanError.input("a model of texts takes no numbers")
            case (.graph(let held), .numbers(let numbers)): return try held.run(input: numbers)
            case (.graph, .tokens): throw GraphError.input("a graph takes no texts")
            }
        } catch {
            throw PackRefusal(kind: .invalid, message: "the model cannot be run on the inputs that test it: \(error)")
        }
    }
}

extension EngineModel {
    func with(_ format: WeightFormat) -> EngineModel {
        switch self {
        case .plan(let model): .plan(model.with(format))
        case .graph(let model): .graph(model.with(format))
        }
    }

    /// The tokenizer as a worker loads it; nil for a model without texts.
    var tokenizer: [UInt8]? {
        if case .plan(let model) = self { model.tokenizer } else { nil }
    }

    /// Whether the texts of a pair are of two types.
    var tellsTypes: Bool {
        guard case .plan(let model) = self else { return false }
        return model.plan.steps.contains { step in
            if case .embed(_, _, let types, _) = step { model.plan.weights[types].shape[0] > 1 } else { false }
        }
    }

    /// Whether it is asked for pairs of texts.
    var takesPairs: Bool {
        if case .plan(let model) = self { model.task == .rank } else { false }
    }

    /// The most tokens of one text.
    var tokensMax: Int {
        if case .plan(let model) = self { model.tokensMax } else { 0 }
    }

    /// Numbers of one example; nil where that is not one list of floats.
    var inputCount: Int? {
        switch self {
        case .plan: 0
        case .graph(let model): model.onlyInput?.count
        }
    }
}
