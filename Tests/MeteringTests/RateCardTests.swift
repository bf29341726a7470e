import Metering
import Scheduling
import Testing

@Suite struct RateCardTests {
    let card = RateCard(
        id: "test",
        nanodollarsPerRequest: 20,
        nanodollarsPerCPUMillisecond: 12,
        nanodollarsPerMiBSecond: 3
    )

    private func receipt(cpu: UInt64 = 0, memory: Int = 0, run: UInt64 = 0) -> Receipt {
        var receipt = Receipt(Scratch.attempt())
        receipt.outcome = .succeeded
        receipt.cpuNanoseconds = cpu
        receipt.memoryBytesPeak = memory
        receipt.runNanoseconds = run
        return receipt
    }

    @Test func `a call costs its request, its processor time and its memory for as long as it ran`() {
        #expect(card.rate(receipt()) == 20)
        #expect(card.rate(receipt(cpu: 1_000_000)) == 20 + 12)
        #expect(card.rate(receipt(memory: 1 << 20, run: 1_000_000_000)) == 20 + 3)
        // 1.5 s of a core and 100 MiB for 2 s.
        #expect(card.rate(Scratch.succeeded(Scratch.attempt())) == 20 + 1_500 * 12 + 100 * 2 * 3)
    }

    @Test func `the sum is rounded down once, not each part`() {
        // 11/12 of a millisecond is 11 nanodollars; one nanosecond less is not.
        #expect(card.rate(receipt(cpu: 916_667)) == 20 + 11)
        #expect(card.rate(receipt(cpu: 916_666)) == 20 + 10)
        // Two halves: half a nanodollar of processor and half a one of memory.
        #expect(card.rate(receipt(cpu: 41_667)) == 20)
        #expect(card.rate(receipt(memory: 1 << 19, run: 333_333_334)) == 20)
        #expect(card.rate(receipt(cpu: 41_667, memory: 1 << 19, run: 333_333_334)) == 21)
    }

    @Test func `waiting and starting cold are free`() {
        var receipt = receipt(cpu: 1_000_000)
        receipt.start = .cold
        receipt.queueNanoseconds = 5_000_000_000
        receipt.bindNanoseconds = 5_000_000_000
        #expect(card.rate(receipt) == 32)
    }

    @Test(arguments: Receipt.Outcome.allCases)
    func `what never ran for its caller is free`(_ outcome: Receipt.Outcome) {
        var receipt = receipt(cpu: 1_000_000)
        receipt.outcome = outcome
        let isFree = outcome == .rejected || outcome == .interrupted
        #expect(card.rate(receipt) == (isFree ? 0 : 32))
    }

    @Test func `no number, however large, ends the process`() {
        let greedy = RateCard(
            id: "greedy",
            nanodollarsPerRequest: .max,
            nanodollarsPerCPUMillisecond: .max,
            nanodollarsPerMiBSecond: .max
        )
        #expect(greedy.rate(receipt(cpu: .max, memory: .max, run: .max)) == .max)
        #expect(greedy.rate(receipt(memory: .max, run: .max)) == .max)
        #expect(greedy.rate(receipt(memory: .min, run: .max)) == Int(UInt32.max))
    }
}
