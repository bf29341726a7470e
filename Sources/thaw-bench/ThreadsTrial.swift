import Kernels
import Linux

/// The encoder of functions/embed on two threads, in turns with itself on one.
struct ThreadsTrial {
    let row: EncoderRow
    let turns: Int

    private static let turnNanoseconds: UInt64 = 30_000_000

    static func rowName(_ row: EncoderRow) -> String { "\(row.name) 2 threads" }

    func run() throws -> Figure {
        let second = SecondThread()
        try Thread.start { second.help() }
        second.awaitHelp()
        defer { second.end() }
        let (one, two) = (try BenchEncoder(row.format), try BenchEncoder(row.format, KernelSet.best.with(second)))
        let ids = row.ids(vocabulary: one.vocabulary)
        guard try one.run(ids) == two.run(ids) else {
            throw BenchError.rival("two threads", "their embedding is not the one of one thread, bit for bit")
        }
        var (alone, together) = (Double.infinity, Double.infinity)
        for _ in 0..<turns {
            alone = min(alone, try fastest(one, ids))
            together = min(together, try fastest(two, ids))
        }
        var figure = Figure(
            name: Self.rowName(row),
            value: together,
            unit: "us",
            against: "one thread",
            againstValue: alone
        )
        figure.ratio = (alone / together * 1000).rounded() / 1000
        return figure
    }

    /// Microseconds of the fastest call of a turn.
    private func fastest(_ encoder: BenchEncoder, _ ids: [[Int32]]) throws -> Double {
        try FastestCall.of(Self.turnNanoseconds) { _ = try encoder.run(ids) }
    }
}
