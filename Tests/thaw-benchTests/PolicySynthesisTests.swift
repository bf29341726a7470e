import Testing

@testable import thaw_bench

@Suite struct PolicySynthesisTests {
    @Test(arguments: Array(1...8) as [UInt64])
    func `rates and variations follow the published curves, whatever the seed`(seed: UInt64) {
        let distances = TraceSynthesis.distances(seed: seed)
        #expect(distances.rates < TraceSynthesis.distanceMax)
        #expect(distances.variations < TraceSynthesis.distanceMax)
    }

    @Test func `another distribution is told from the published one`() {
        var synthesis = TraceSynthesis(seed: 1)
        let doubled = (0..<10_000).map { _ in synthesis.draw().callsPerDay * 2 }
        #expect(PublishedShape.rates.distance(to: doubled) > TraceSynthesis.distanceMax)
        #expect(PublishedShape.rates.distance(to: []) == 1)
    }

    @Test(arguments: [0.1, 0.5, 1, 2, 3])
    func `gaps have the mean and the variation that were drawn`(variation: Double) {
        var synthesis = TraceSynthesis(seed: 7)
        let shape = 1 / (variation * variation)
        let gaps = (0..<40_000).map { _ in synthesis.gap(shape: shape, scale: 3 / shape) }
        let mean = gaps.reduce(0, +) / Double(gaps.count)
        let deviation = (gaps.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(gaps.count)).squareRoot()
        #expect(abs(mean / 3 - 1) < 0.05)
        #expect(abs(deviation / mean / variation - 1) < 0.1)
    }

    @Test func `a seed gives its trace again, another gives another`() {
        let first = TraceSynthesis.trace(seed: 5, functionCount: 40)
        #expect(first.functions == TraceSynthesis.trace(seed: 5, functionCount: 40).functions)
        #expect(first.functions != TraceSynthesis.trace(seed: 6, functionCount: 40).functions)
        #expect(first.functions.count == 40)
        for minutes in first.functions {
            #expect(minutes == minutes.sorted() && Set(minutes).count == minutes.count)
            #expect(minutes.allSatisfy { (0..<first.minutes).contains($0) })
        }
    }
}
