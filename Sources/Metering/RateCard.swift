/// Prices, as one immutable version: a receipt names the card that it was rated with.
///
/// A price change is a new card with a new name: every receipt can be rated again and must give the same amount.
package struct RateCard: Codable, Equatable, Sendable {
    package let id: String
    package let nanodollarsPerRequest: UInt32
    /// Of the worker's processor time.
    package let nanodollarsPerCPUMillisecond: UInt32
    /// Of peak memory, for as long as the attempt ran.
    package let nanodollarsPerMiBSecond: UInt32

    /// A card; a name of more than ``idBytesMax`` bytes is a mistake of ours and traps.
    package init(
        id: String,
        nanodollarsPerRequest: UInt32,
        nanodollarsPerCPUMillisecond: UInt32,
        nanodollarsPerMiBSecond: UInt32
    ) {
        precondition(id.utf8.count <= RateCard.idBytesMax, "a rate card's name fits a slot of the ledger")
        self.id = id
        self.nanodollarsPerRequest = nanodollarsPerRequest
        self.nanodollarsPerCPUMillisecond = nanodollarsPerCPUMillisecond
        self.nanodollarsPerMiBSecond = nanodollarsPerMiBSecond
    }

    package static let idBytesMax = 32

    /// The card of a node whose owner has set none.
    ///
    /// From an assumed rent of $240 a month (2.63 million seconds) for 8 cores and 32 GiB, half of it for each:
    ///
    /// * $120 / (8 cores × 2.63 Ms) = 5.7 n$ a core-millisecond; $120 / (32,768 MiB × 2.63 Ms) = 1.4 n$ a MiB-second.
    /// * Sold about half of the time, since nothing is charged for what waits: twice that, rounded up: 12 and 3.
    /// * A request costs the scheduler less than a millisecond of a core, and its receipt is kept: 20.
    package static let standard = RateCard(
        id: "standard-1",
        nanodollarsPerRequest: 20,
        nanodollarsPerCPUMillisecond: 12,
        nanodollarsPerMiBSecond: 3
    )

    /// What an attempt costs, in billionths of a dollar.
    ///
    /// The sum of its three parts is computed exactly, as one fraction, and rounded down once. Time in the queue and
    /// time to bind (a cold start) are free, and so is what never ran for its caller: rejected and interrupted
    /// attempts. One that failed, timed out or died has used the machine and pays for it. An amount beyond `Int.max`
    /// is `Int.max`.
    package func rate(_ receipt: Receipt) -> Int {
        switch receipt.outcome {
        case .rejected, .interrupted: 0
        case .succeeded, .failed, .timedOut, .died, .cancelled:
            rate(
                cpuNanoseconds: receipt.cpuNanoseconds,
                memoryBytes: UInt64(max(receipt.memoryBytesPeak, 0)),
                runNanoseconds: receipt.runNanoseconds
            )
        }
    }

    private func rate(cpuNanoseconds: UInt64, memoryBytes: UInt64, runNanoseconds: UInt64) -> Int {
        // The common denominator of bytes × nanoseconds per MiB-second and of nanoseconds per millisecond.
        let denominator: UInt128 = (1 << 20) * 1_000_000_000
        let cpu = UInt128(cpuNanoseconds) * UInt128(nanodollarsPerCPUMillisecond)
        let byteNanoseconds = UInt128(memoryBytes) * UInt128(runNanoseconds)
        // 64 + 32 bits and 30 more for the denominator fit 128; the product of three does not always.
        let memory = byteNanoseconds.multipliedReportingOverflow(by: UInt128(nanodollarsPerMiBSecond))
        let sum = memory.partialValue.addingReportingOverflow(cpu * (denominator / 1_000_000))
        guard !memory.overflow, !sum.overflow else { return .max }
        return Int(clamping: sum.partialValue / denominator + UInt128(nanodollarsPerRequest))
    }
}
