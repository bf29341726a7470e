import ArgumentParser

/// `thaw-bench`: one command a promise, each figure beside its floor or its rival from the same run.
@main
struct Bench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "thaw-bench",
        abstract: "Measure what the README promises, on this machine.",
        discussion: """
            Each command starts its own node on a port and in a directory of its own, and stops it. \
            Ratios hold on any machine; absolute times are this machine's, today.
            """,
        subcommands: [
            DispatchBench.self, ChannelBench.self, ColdBench.self, CodeBench.self, KernelsBench.self,
            SnapshotBench.self,
            PolicyBench.self, DensityBench.self, ZeroBench.self, OperatorsBench.self, TokenizerBench.self,
            EventsBench.self, EventsCrash.self,
            GraphTrial.self, BareEcho.self, BareFork.self,
            OperatorCases.self,
        ]
    )
}
