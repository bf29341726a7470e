import Foundation
import Inference
import Kernels
import Testing

struct PlanRunnerTests {
    @Test(arguments: KernelSet.runnable)
    func `a small classifier gives what a hand computes`(_ kernels: KernelSet) throws {
        let held = HeldWeights()
        held["words"] = [1, 2, 0, 0, 0, 0, 5, 5, 5]
        held["positions"] = [Float](repeating: 0, count: 6)
        held["types"] = [0, 0, 0, 0, 1, 0]
        // Columns: x0, −x1, x2, x0 + x1.
        let first: [Float] = [1, 0, 0, 1, 0, -1, 0, 1, 0, 0, 1, 0]
        held["first"] = Panels.pack(first, inner: 3, columns: 4, isColumnMajor: false)
        held["first.bias"] = [0, 0, 0.5, 0]
        let second: [Float] = [1, 0, 0, 1, 0, 1, 0.5, 0]
        held["second"] = Panels.pack(second, inner: 4, columns: 2, isColumnMajor: false)
        let runner = try PlanRunner(plan: .classifier, kernels: kernels) { held.views[$0] }
        let scores = try runner.run(ids: [0, 1, 0], types: [0, 0, 1], sequenceLengths: [1, 1, 1])
        // Row 0: x = 1, 2, 0 → 1, −2, 0.5, 3 → 1, 0, 0.5, 3 → softmax(2.5, 0.5).
        // Row 1: 0 → 0, 0, 0.5, 0 → softmax(0, 0.5). Row 2, of type 1: 1, 3, 0 → 1, 0, 0.5, 4 → softmax(3, 0.5).
        let expected = [2, -2, -0.5, 0.5, 2.5, -2.5].map { 1 / (1 + exp(-$0)) }
        #expect(scores.count == 6)
        for (score, value) in zip(scores, expected) {
            #expect(abs(Double(score) - value) < 1e-6)
        }
    }

    @Test(arguments: KernelSet.runnable)
    func `an encoder gives what doubles say, and a batch what its sequences give alone`(_ kernels: KernelSet) throws {
        let held = HeldWeights.random(for: .encoder, seed: 7)
        let runner = try PlanRunner(plan: .encoder, kernels: kernels) { held.views[$0] }
        let sequences: [[Int32]] = [[1, 5, 2, 0], [3], [4, 4]]
        let batch = try runner.run(ids: sequences.flatMap { $0 }, sequenceLengths: sequences.map(\.count))
        #expect(batch.count == 3 * 8)
        for (index, ids) in sequences.enumerated() {
            let expected = EncoderOracle(weights: held.plain).embedding(ids)
            let alone = try runner.run(ids: ids, sequenceLengths: [ids.count])
            for i in 0..<8 {
                #expect(abs(Double(alone[i]) - expected[i]) < 2e-6)
                #expect(abs(Double(batch[index * 8 + i]) - expected[i]) < 2e-6)
            }
        }
    }

    @Test(arguments: KernelSet.runnable, [WeightFormat.bf16, .int8])
    func `an encoder of narrower weights gives nearly what doubles say`(
        _ kernels: KernelSet,
        _ format: WeightFormat
    ) throws {
        let plan = Plan.encoder.with(format)
        let held = HeldWeights.random(for: plan, seed: 7)
        let runner = try PlanRunner(plan: plan, kernels: kernels) { held.views[$0] }
        let sequences: [[Int32]] = [[1, 5, 2, 0], [3], [4, 4]]
        let batch = try runner.run(ids: sequences.flatMap { $0 }, sequenceLengths: sequences.map(\.count))
        for (index, ids) in sequences.enumerated() {
            let expected = EncoderOracle(weights: held.plain).embedding(ids)
            let cosine = (0..<8).reduce(0) { $0 + Double(batch[index * 8 + $1]) * expected[$1] }
            // Vectors of length one: a cosine of 0.999 is an angle of 2.6 degrees.
            #expect(cosine > 0.999)
            let alone = try runner.run(ids: ids, sequenceLengths: [ids.count])
            #expect(zip(alone, batch[(index * 8)...]).allSatisfy { abs($0 - $1) < 1e-6 })
        }
    }

    @Test func `reserving room changes no result`() throws {
        let held = HeldWeights.random(for: .encoder, seed: 8)
        let (plain, roomy) = (
            try PlanRunner(plan: .encoder) { held.views[$0] }, try PlanRunner(plan: .encoder) { held.views[$0] }
        )
        roomy.reserve(tokens: 100, sequences: 50)
        let result = try plain.run(ids: [1, 2, 3], sequenceLengths: [1, 2])
        #expect(try roomy.run(ids: [1, 2, 3], sequenceLengths: [1, 2]) == result)
        // What an earlier, longer call left behind is not seen.
        _ = try roomy.run(ids: [5, 5, 5, 5, 5, 5], sequenceLengths: [3, 3])
        #expect(try roomy.run(ids: [1, 2, 3], sequenceLengths: [1, 2]) == result)
    }

    @Test func `a weight that is missing or of another size is named`() throws {
        let held = HeldWeights.random(for: .encoder, seed: 9)
        let missing = PlanError.weight(name: "up", reason: "the plan needs it, but the snapshot does not hold it")
        #expect(throws: missing) {
            try PlanRunner(plan: .encoder) { $0 == "up" ? nil : held.views[$0] }
        }
        let short = PlanError.weight(name: "up", reason: "expected 512 bytes for shape [8, 11], got 32")
        #expect(throws: short) {
            try PlanRunner(plan: .encoder) { held.views[$0 == "up" ? "shift" : $0] }
        }
    }

    @Test func `a plan that contradicts itself makes no runner`() {
        let held = HeldWeights.random(for: .encoder, seed: 9)
        #expect(throws: PlanError.self) {
            try PlanRunner(plan: Plan.encoder.changed { $0.steps.swapAt(1, 2) }) { held.views[$0] }
        }
    }

    @Test func `ids and lengths that do not fit are refused, and the next call works`() throws {
        let held = HeldWeights.random(for: .encoder, seed: 10)
        let runner = try PlanRunner(plan: .encoder) { held.views[$0] }
        let bad: [(ids: [Int32], lengths: [Int], word: String)] = [
            ([6], [1], "vocabulary of 6"), ([-1], [1], "vocabulary of 6"), ([], [], "got 0"), ([1], [], "no sequence"),
            ([1, 2], [1], "no sequence"), ([1], [2], "longer"), ([1], [0, 1], "expected 1…4"),
            ([1], [-1, 2], "expected 1…4"), ([1, 1, 1, 1, 1], [5], "expected 1…4"), ([1], [1, .max], "expected 1…4"),
        ]
        for call in bad {
            let error = #expect(throws: PlanError.self) {
                try runner.run(ids: call.ids, sequenceLengths: call.lengths)
            }
            #expect(error?.description.contains(call.word) == true, "\(error?.description ?? "")")
        }
        #expect(throws: PlanError.input("type 2 is none of the model's 2")) {
            try runner.run(ids: [1, 1], types: [0, 2], sequenceLengths: [2])
        }
        #expect(throws: PlanError.input("1 types for 2 ids")) {
            try runner.run(ids: [1, 1], types: [0], sequenceLengths: [2])
        }
        #expect(try runner.run(ids: [1], sequenceLengths: [1]).count == 8)
    }

    @Test func `an altered plan that is accepted runs within its memory`() throws {
        var generator = SeededGenerator(state: 12)
        let originals = [PlanEncodingTests.everyStep.encoded(), Plan.classifier.encoded()]
        var ran = 0
        for mutant in 0..<2500 {
            var bytes = originals[mutant % 2]
            bytes[Int.random(in: 10..<bytes.count, using: &generator)] = UInt8.random(in: 0...32, using: &generator)
            // Greater ones would only take time: the kernels check each size against the memory.
            guard let plan = try? Plan(decoding: bytes), plan.weights.allSatisfy({ $0.wordCount < 2000 }) else {
                continue
            }
            let held = HeldWeights.random(for: plan, seed: 13)
            let runner = try PlanRunner(plan: plan) { held.views[$0] }
            let output = plan.values[plan.output]
            if plan.sequenceLengthMax ?? 0 >= 2 {
                let result = try runner.run(ids: [0, 0, 0], types: [0, 0, 0], sequenceLengths: [2, 1])
                #expect(result.count == (output.rows == .tokens ? 3 : 2) * output.columns)
            }
            ran += 1
        }
        #expect(ran > 100)
    }
}
