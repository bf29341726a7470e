import ArgumentParser
import Foundation
import Trials

/// What a caller feels of a function that had scaled to zero.
struct ColdBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "cold",
        abstract: "The first call after scale to zero, above a hot call made after an equal pause.",
        discussion: """
            Rows of the tiers, all in microseconds above a hot call: echo resident p50; minilm resident p50 and p99 on a node with \
            the reserve that serve has without --reserve; minilm parked p50, the same with one parked worker for sure; minilm \
            forked p50 and p99 with --reserve 0, so that the fork is on the call's way. They stand beside a fork of as much memory \
            in huge pages whose child loads a worker's filter and says a word. minilm packed p50, against reading the raw \
            model's needed bytes from the page cache into fresh huge pages; minilm disk p50, against reading the needed bytes of \
            the snapshot file while the page cache has none of it. Needed is all but the table of words. Before each first call \
            GET /pools must say that the function has no worker and rests in that tier.

            --burst 1,8,64: the last of so many simultaneous first calls from the disk, against so many hot calls and one load.

            --rivals: process start to first reply above a hot reply, of FastAPI and of functions-framework with ONNX Runtime, \
            against ours on a resting template; deploy/rivals/prepare brings them from PyPI into a cache.

            Needs functions/embed/model: functions/embed/fetch brings it.
            """
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: "First calls on a resting template; of the slower tiers a quarter as many.")
    var rounds = 120

    @Option(help: "Numbers of simultaneous first calls, such as 1,8,64; measures bursts instead of tiers.")
    var burst: String?

    @Flag(help: "Measure other servers instead of our tiers.")
    var rivals = false

    @Option(help: "Measure this tier only: resident, parked, forked, packed or disk.")
    var tier: ColdTier?

    func validate() throws {
        guard rounds >= 4 else { throw ValidationError("--rounds takes 4 or more") }
        guard burst.map({ !Self.sizes($0).isEmpty }) ?? true else {
            throw ValidationError("--burst takes numbers from 1 to 256, such as 1,8,64")
        }
    }

    func run() async throws {
        var misses = Misses()
        if let burst {
            await misses.attempt("burst") {
                try await ColdBurst(sizes: Self.sizes(burst), json: json).run()
            }
        } else if rivals {
            await ColdRivals(json: json).run(&misses)
        } else {
            if tier == nil {
                await misses.attempt("echo resident p50") {
                    try await ColdTiers(function: .echo, tier: .resident, rounds: rounds, json: json).run()
                }
            }
            for tier in ColdTier.allCases where self.tier.map({ $0 == tier }) ?? true {
                await misses.attempt("minilm \(tier.rawValue) p50") {
                    let rounds = tier.start == "warm" ? rounds : max(4, rounds / 4)
                    try await ColdTiers(function: .minilm, tier: tier, rounds: rounds, json: json).run()
                }
            }
        }
        try misses.check()
    }

    private static func sizes(_ text: String) -> [Int] {
        let sizes = text.split(separator: ",").map { Int($0) ?? 0 }
        return sizes.allSatisfy { (1...256).contains($0) } ? sizes : []
    }
}

/// Where a function's snapshot rests while it has no worker.
enum ColdTier: String, CaseIterable, ExpressibleByArgument {
    case resident, parked, forked, packed, disk

    /// What steers a node's functions into the tier.
    func arguments(fileBytes: Int, arenaBytes: Int) -> [String] {
        switch self {
        // As whoever gives a node memory and says no more has it.
        case .resident: ["--resting-memory", "4GiB"]
        case .parked: ["--resting-memory", "4GiB", "--reserve", "1"]
        case .forked: ["--resting-memory", "4GiB", "--reserve", "0"]
        // Room for the file, and for no template.
        case .packed: ["--resting-memory", "\((fileBytes + arenaBytes) / 2)", "--reserve", "0"]
        case .disk: ["--resting-memory", "0", "--reserve", "0"]
        }
    }

    /// The function rests here, and no worker of it has served.
    func isReached(_ pool: PoolState) -> Bool {
        guard pool.workers == 0 else { return false }
        return switch self {
        case .resident: pool.tier == "resident"
        case .parked: pool.tier == "resident" && pool.parked > 0
        case .forked: pool.tier == "resident" && pool.parked == 0
        case .packed: pool.tier == "packed" && pool.parked == 0
        case .disk: pool.isOnDisk
        }
    }

    /// How receipts call a first call from here.
    var start: String {
        switch self {
        case .resident, .parked, .forked: "warm"
        case .packed, .disk: "cold"
        }
    }
}
