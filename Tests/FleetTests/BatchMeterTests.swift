import Testing

@testable import Fleet

@Suite struct BatchMeterTests {
    @Test func `the parts of a batch are as its bodies, and add up to what was used`() {
        var meter = BatchMeter(mark: 1000, weight: 10)
        let parts = [(1, 11_000), (2, 11_000), (3, 11_500), (4, 12_000)].map {
            meter.take(weight: UInt64($0), used: UInt64($1))
        }
        #expect(parts.reduce(UInt64(0), +) == 11_000)
        #expect(parts == [1000, 2000, 3214, 4786])
    }

    @Test func `a clock that stands still or goes back costs nobody anything`() {
        var meter = BatchMeter(mark: 1000, weight: 4)
        #expect(meter.take(weight: 2, used: 900) == 0)
        #expect(meter.take(weight: 2, used: 1000) == 0)
    }

    @Test(arguments: 1...50 as ClosedRange<UInt64>) func `whatever the bodies and the clock, nothing is lost`(
        seed: UInt64
    ) {
        var generator = SplitMix(seed: seed)
        let weights = (0..<Int.random(in: 2...128, using: &generator)).map { _ in
            BatchMeter.weight(bytes: Int.random(in: 0...(64 << 20), using: &generator))
        }
        var used = UInt64.random(in: 0...(.max / 4), using: &generator)
        let mark = used
        var meter = BatchMeter(mark: mark, weight: weights.reduce(0, +))
        var sum: UInt64 = 0
        for weight in weights {
            used += UInt64.random(in: 0...1_000_000_000_000, using: &generator)
            sum += meter.take(weight: weight, used: used)
        }
        #expect(sum == used - mark)
    }
}
