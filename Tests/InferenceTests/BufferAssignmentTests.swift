import Testing

@testable import Inference

struct BufferAssignmentTests {
    @Test(arguments: [Plan.encoder, .classifier, PlanEncodingTests.everyStep])
    func `no two values that are needed at once share a buffer`(_ plan: Plan) {
        let assignment = BufferAssignment(plan)
        for (index, step) in plan.steps.enumerated() {
            // Everything that this step or a later one reads, and was written before.
            let writtenBefore = plan.steps[..<index].map(\.out)
            let neededNow = Set(plan.steps[index...].flatMap(\.inputs) + [plan.output])
            let alive = writtenBefore.filter(neededNow.contains) + [step.out]
            let buffers = alive.map { assignment.bufferOfValue[$0] }
            #expect(Set(buffers).count == buffers.count, "step \(index)")
        }
    }

    @Test func `a layer of an encoder needs three buffers`() {
        // One is read, one is written, one waits as residual.
        #expect(BufferAssignment(.encoder).valuesOfBuffer.count == 3)
    }
}
