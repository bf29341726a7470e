import Inference
import Testing

struct PlanValidationTests {
    /// One mistake, and a word that its message must hold.
    struct Mistake: Sendable, CustomTestStringConvertible {
        let testDescription: String
        let word: String
        let plan: Plan

        init(_ description: String, _ word: String, _ plan: Plan = .encoder, _ change: (inout Plan) -> Void) {
            testDescription = description
            self.word = word
            self.plan = plan.changed(change)
        }
    }

    static let mistakes = [
        Mistake("no columns", "columns") { $0.values[0].columns = 0 },
        Mistake("columns beyond measure", "columns") { $0.values[0].columns = 1 << 21 },
        Mistake("too many steps", "4096") { $0.steps += [Plan.Step](repeating: $0.steps[0], count: 5000) },
        Mistake("a name twice", "twice") { $0.weights[1].name = "words" },
        Mistake("a nameless weight", "name") { $0.weights[1].name = "" },
        Mistake("a weight of three dimensions", "shape") { $0.weights[0].shape = [1, 6, 8] },
        Mistake("a weight of none", "shape") { $0.weights[0].shape = [] },
        Mistake("a negative dimension", "shape") { $0.weights[0].shape = [-6, 8] },
        Mistake("a vector in panels", "panels") { $0.weights[4].layout = .panels16 },
        Mistake("a product in rows", "expected panels") { $0.weights[3].layout = .plain },
        Mistake("a vector in panels of integers", "panels") { $0.weights[4].layout = .panels16Integer },
        Mistake("a sum of integers too long", "too many") { plan in
            plan.values[5].columns = 70_000
            plan.weights[8].shape = [8, 70_000]
            plan.weights[9].shape = [70_000]
            plan.weights[10] = Plan.Weight(name: "down", shape: [70_000, 8], layout: .panels16Integer)
        },
        Mistake("a table in panels", "plain") { $0.weights[0].layout = .panels16 },
        Mistake("an unknown weight", "no weight") { $0.steps[0] = .embed(words: 0, positions: 1, types: 11, out: 0) },
        Mistake("a table of other columns", "table") { $0.weights[2].shape = [2, 9] },
        Mistake("embedding into sequences", "per token") { $0.values[0].rows = .sequences },
        Mistake("a value read before written", "before") { $0.steps.swapAt(1, 2) },
        Mistake("a value that does not exist", "before") { $0.steps[9] = .normalize(input: 99, out: 9) },
        Mistake("a negative value", "before") { $0.steps[9] = .normalize(input: -1, out: 9) },
        Mistake("an unknown result", "unknown") { $0.steps[9] = .normalize(input: 8, out: 10) },
        Mistake("a value written twice", "already") { $0.steps[9] = .normalize(input: 8, out: 8) },
        Mistake("an output never written", "output") { $0.steps.removeLast() },
        Mistake("an unknown output", "output") { $0.output = 77 },
        Mistake("heads that do not divide", "heads") {
            $0.steps[2] = .attention(fused: 1, heads: 3, places: nil, out: 2)
        },
        Mistake("no heads", "heads") { $0.steps[2] = .attention(fused: 1, heads: 0, places: nil, out: 2) },
        Mistake("q, k and v of other columns", "q, k") {
            $0.steps[2] = .attention(fused: 0, heads: 2, places: nil, out: 2)
        },
        Mistake("a product of another shape", "fit") { $0.weights[5].shape = [8, 9] },
        Mistake("a bias too long", "bias") { $0.weights[4].shape = [25] },
        Mistake("a residual of another shape", "shape") {
            $0.steps[4] = .layerNorm(input: 3, residual: 1, scale: 6, shift: 7, epsilon: 1e-5, out: 4)
        },
        Mistake("an epsilon that is no number", "epsilon") {
            $0.steps[4] = .layerNorm(input: 3, residual: 0, scale: 6, shift: 7, epsilon: .nan, out: 4)
        },
        Mistake("pooling into tokens", "pooling") { $0.values[8].rows = .tokens },
        Mistake("a product that loses its rows", "rows") { $0.values[3].rows = .sequences },
        Mistake("places of other heads", "places", PlanEncodingTests.everyStep) { $0.weights[11].shape = [3, 7] },
        Mistake("places without a middle", "places", PlanEncodingTests.everyStep) { $0.weights[11].shape = [2, 8] },
        Mistake("places in a list", "places", PlanEncodingTests.everyStep) { $0.weights[11].shape = [14] },
        Mistake("pooling by nothing", "parts") { $0.steps[8] = .pool(input: 7, [], out: 8) },
        Mistake("pooling into other columns", "columns") { $0.steps[8] = .pool(input: 7, [.mean, .last], out: 8) },
        Mistake("an activation that changes the shape", "shape", .classifier) { $0.values[3].columns = 5 },
    ]

    @Test(arguments: mistakes)
    func `a plan that contradicts itself is refused, and the message says why`(_ mistake: Mistake) {
        let error = #expect(throws: PlanError.self) { try mistake.plan.validate() }
        #expect(error?.description.contains(mistake.word) == true, "\(error?.description ?? "")")
    }

    @Test(arguments: [Plan.encoder, .classifier])
    func `a plan that holds together passes`(_ plan: Plan) throws {
        try plan.validate()
    }

    @Test func `the longest sequence is what the positions reach`() {
        #expect(Plan.encoder.sequenceLengthMax == 4)
        let fewPlaces = PlanEncodingTests.everyStep.changed { $0.weights[11].shape = [2, 5] }
        #expect(fewPlaces.sequenceLengthMax == 3)
    }

    @Test func `the size of a weight counts the padding of its panels`() {
        #expect(Plan.encoder.weights[0].wordCount == 48)
        #expect(Plan.encoder.weights[3].wordCount == 8 * 32)
    }
}
