import Inference
import Kernels
import Testing

struct PlanEncodingTests {
    /// Every step, each with and without what it may lack.
    static let everyStep = Plan.encoder.changed { plan in
        plan.values += [8, 8, 8].map { Plan.Value(rows: .sequences, columns: $0) }
        plan.values += [Plan.Value(rows: .tokens, columns: 8), Plan.Value(rows: .sequences, columns: 40)]
        plan.weights.append(Plan.Weight(name: "places in Ωmega", shape: [2, 7], layout: .plain))
        plan.steps += [
            .pool(input: 7, [.first], out: 10),
            .softmax(input: 10, out: 11),
            .activate(input: 11, .sigmoid, out: 12),
            .attention(fused: 1, heads: 2, places: 11, out: 13),
            .pool(input: 13, Plan.Pooling.allCases, out: 14),
        ]
        plan.output = 14
    }

    @Test(arguments: [Plan.encoder, .classifier, everyStep, .encoder.with(.bf16), .encoder.with(.int8)])
    func `a plan comes back from its bytes`(_ plan: Plan) throws {
        #expect(try Plan(decoding: plan.encoded()) == plan)
    }

    @Test func `the first bytes say what it is and which version`() throws {
        let bytes = Plan.classifier.encoded()
        #expect(Array(bytes[..<10]) == Array("THAWPLAN".utf8) + [2, 0])
        var other = bytes
        other[8] = 3
        #expect(throws: PlanError.malformed(byteOffset: 10, reason: "version 3 is not 2: deploy the function again")) {
            try Plan(decoding: other)
        }
        other[0] = 0
        #expect(throws: PlanError.malformed(byteOffset: 0, reason: "it does not begin with THAWPLAN")) {
            try Plan(decoding: other)
        }
    }

    @Test func `a plan that ends early or goes on is refused`() {
        let bytes = Self.everyStep.encoded()
        for count in 0..<bytes.count {
            #expect(throws: PlanError.self, "cut at \(count)") { try Plan(decoding: Array(bytes[..<count])) }
        }
        #expect(throws: PlanError.malformed(byteOffset: bytes.count, reason: "1 bytes are left over")) {
            try Plan(decoding: bytes + [0])
        }
    }

    @Test func `a count that nothing backs costs nothing`() {
        // 2³² − 1 values.
        let bytes = Array("THAWPLAN".utf8) + [2, 0, 255, 255, 255, 255]
        #expect(throws: PlanError.malformed(byteOffset: 10, reason: "4294967295 values are more than 4096")) {
            try Plan(decoding: bytes)
        }
    }

    @Test func `altered bytes are refused or give a plan that holds together`() {
        var generator = SeededGenerator(state: 2)
        let originals = [Self.everyStep.encoded(), Plan.classifier.encoded()]
        var accepted = 0
        for mutant in 0..<4000 {
            var bytes = originals[mutant % 2]
            for _ in 0..<Int.random(in: 1...3, using: &generator) {
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                switch Int.random(in: 0..<4, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &generator)
                case 1: bytes[place] ^= 1 << UInt8.random(in: 0..<8, using: &generator)
                case 2: bytes.remove(at: place)
                default: bytes.insert([0, 1, 127, 255][Int.random(in: 0..<4, using: &generator)], at: place)
                }
            }
            guard let plan = try? Plan(decoding: bytes) else { continue }
            accepted += 1
            // What was accepted can be written and read again.
            #expect((try? Plan(decoding: plan.encoded())).map { $0.encoded() } == plan.encoded())
        }
        // Names and settings may change unnoticed, most of the rest may not.
        #expect(accepted > 0 && accepted < 2000)
    }
}
