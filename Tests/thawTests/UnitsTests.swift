import Testing

@testable import thaw

@Suite struct UnitsTests {
    @Test(arguments: [
        (UInt64(0), "0 B"), (999, "999 B"), (1000, "1.00 kB"), (12_345, "12.3 kB"), (90_868_376, "90.9 MB"),
        (999_999, "1.00 MB"), (1_250_000_000, "1.25 GB"), (UInt64.max, "18.4 EB"),
    ])
    func `bytes have three digits and a unit`(count: UInt64, text: String) {
        #expect(Units.bytes(count) == text)
    }

    @Test(arguments: [
        (UInt64(0), "0 ns"), (870, "870 ns"), (12_000, "12.0 µs"), (3_402_000, "3.40 ms"), (1_250_000_000, "1.25 s"),
        (90_000_000_000, "90.0 s"), (900_000_000_000, "900 s"),
    ])
    func `durations have three digits and a unit`(nanoseconds: UInt64, text: String) {
        #expect(Units.duration(nanoseconds: nanoseconds) == text)
    }

    @Test(arguments: [
        (0, "$0.000000000"), (1234, "$0.000001234"), (2_500_000_000, "$2.500000000"), (-5, "-$0.000000005"),
    ])
    func `money is exact to the nanodollar`(nanodollars: Int, text: String) {
        #expect(Units.money(nanodollars: nanodollars) == text)
    }

    @Test func `a ratio of nothing is no number`() {
        #expect(Units.ratio(10, 4) == "2.50:1")
        #expect(Units.ratio(10, 0) == "–")
    }

    @Test(arguments: [(0, 0, 0), (31, 100, 31), (100, 100, 100), (7, 5, 100)])
    func `a bar is never longer than full`(done: Int, total: Int, percent: Int) {
        let text = ProgressBar.text("packing", "embed", done: done, of: total)
        #expect(text.contains(" \(percent) %"))
        #expect(text.filter { $0 == "#" || $0 == "·" }.count == 20)
    }
}
