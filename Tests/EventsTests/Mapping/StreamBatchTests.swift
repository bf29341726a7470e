import Testing

@testable import Events

struct StreamBatchTests {
    private func batch(_ count: Int, retries: Int = -1, age: Int = -1, bisects: Bool = false) -> StreamBatch {
        StreamBatch(
            acceptedUnixMilliseconds: (0..<count).map { Int64($0) * 1000 },
            policy: StreamBatch.Policy(retriesMax: retries, ageSecondsMax: age, bisects: bisects)
        )
    }

    @Test func `a batch that succeeds is called once and settled`() {
        var batch = batch(3)
        #expect(batch.next(nowUnixMilliseconds: 0) == .call(range: 0..<3, delayMilliseconds: 0))
        batch.succeeded()
        #expect(batch.settledCount == 3)
        #expect(batch.next(nowUnixMilliseconds: 0) == .finished)
    }

    @Test func `a failing batch waits longer each time, and is given up after its retries`() {
        var batch = batch(2, retries: 2)
        var waits: [Int64] = []
        while case .call(let range, let delay) = batch.next(nowUnixMilliseconds: 0) {
            #expect(range == 0..<2)
            waits.append(delay)
            batch.failed(from: nil)
            if waits.count > 5 { break }
        }
        #expect(waits == [0, 500, 1000])
        // The call that `while` made already has told to give it up.
        #expect(batch.settledCount == 2)
        #expect(batch.next(nowUnixMilliseconds: 0) == .finished)
    }

    @Test func `what came before the record that failed is done`() {
        var batch = batch(5)
        _ = batch.next(nowUnixMilliseconds: 0)
        batch.failed(from: 3)
        #expect(batch.settledCount == 3)
        #expect(batch.next(nowUnixMilliseconds: 0) == .call(range: 3..<5, delayMilliseconds: 500))
    }

    @Test func `bisecting leaves one bad record alone, which alone is given up`() {
        var batch = batch(8, retries: 1, bisects: true)
        var (done, given) = ([Int](), [Int]())
        var calls = 0
        loop: while true {
            switch batch.next(nowUnixMilliseconds: 0) {
            case .finished: break loop
            case .giveUp(let range, let condition, _):
                #expect(condition == .retriesExhausted)
                given += range
            case .call(let range, _):
                calls += 1
                if range.contains(5) {
                    batch.failed(from: nil)
                } else {
                    done += range
                    batch.succeeded()
                }
            }
        }
        #expect(given == [5])
        #expect(done == [0, 1, 2, 3, 4, 6, 7])
        #expect(calls == 8)
    }

    @Test func `records that are too old are given up, and those behind them go on`() {
        var batch = batch(3, age: 10)
        _ = batch.next(nowUnixMilliseconds: 0)
        batch.failed(from: nil)
        #expect(
            batch.next(nowUnixMilliseconds: 11_500) == .giveUp(range: 0..<2, condition: .ageExceeded, attempts: 1)
        )
        #expect(batch.next(nowUnixMilliseconds: 11_500) == .call(range: 2..<3, delayMilliseconds: 500))
    }

    /// Whatever fails, where and how often: each record is done or given up exactly once, in order.
    @Test func `no record is lost, and none overtakes another`() {
        for seed in 1...300 {
            var random = SeededGenerator(seed: UInt64(seed))
            let count = Int.random(in: 1...20, using: &random)
            let bad = Set((0..<count).filter { _ in Int.random(in: 0..<5, using: &random) == 0 })
            var batch = batch(
                count,
                retries: Int.random(in: 0...3, using: &random),
                age: Bool.random(using: &random) ? 30 : -1,
                bisects: Bool.random(using: &random)
            )
            var settled: [Int] = []
            var now: Int64 = 0
            var steps = 0
            loop: while true {
                steps += 1
                #expect(steps < 2000, "seed \(seed)")
                if steps >= 2000 { break }
                #expect(batch.settledCount == settled.count, "seed \(seed)")
                switch batch.next(nowUnixMilliseconds: now) {
                case .finished: break loop
                case .giveUp(let range, _, _): settled += range
                case .call(let range, let delay):
                    now += delay
                    let first = range.first { bad.contains($0) }
                    if let first {
                        let says = Bool.random(using: &random)
                        batch.failed(from: says ? first : nil)
                        if says { settled += range.lowerBound..<first }
                    } else {
                        batch.succeeded()
                        settled += range
                    }
                }
            }
            #expect(settled == Array(0..<count), "seed \(seed)")
        }
    }
}
