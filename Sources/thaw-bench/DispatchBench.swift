import ArgumentParser
import Foundation
import NIOCore
import NIOPosix
import Trials

/// What a call costs above the bare server: echo over HTTP against SwiftNIO's echo, turn by turn.
struct DispatchBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "dispatch",
        abstract: "An echo function over HTTP, beside a bare SwiftNIO echo.",
        discussion: "Rows: echo c=1 p50 (us), echo c=16 throughput (calls/s)."
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: "Turns of each server and load.")
    var rounds = 5

    @Option(help: "Seconds of each turn.")
    var seconds = 1.0

    /// 52 bytes, as in the recorded floors.
    private static let body = #"{"text": "a body of some fifty bytes, to be echoed"}"#

    func run() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let node = try await TrialNode(programs: Programs.directory)
        defer { node.removeData() }
        try await node.deploy(example: "echo")
        let bare = try await BareServer()
        let ours = LoadClient(port: node.port, path: "/functions/echo/invocations", body: Self.body)
        let floor = LoadClient(port: bare.port, path: "/", body: Self.body)
        // The first turn of each warms both up and is not counted.
        for client in [ours, floor] { _ = try await client.run(connections: 16, seconds: 0.5, on: group) }

        let latency = try await turns(ours, floor, connections: 1, on: group) { $0.medianMicroseconds }
        try Figure(
            name: "echo c=1 p50",
            value: latency.ours.median,
            unit: "us",
            against: "bare SwiftNIO echo c=1 p50",
            againstValue: latency.floor.median
        ).show(json: json)
        let throughput = try await turns(ours, floor, connections: 16, on: group) { $0.callsPerSecond }
        try Figure(
            name: "echo c=16 throughput",
            value: throughput.ours.median,
            unit: "calls/s",
            against: "bare SwiftNIO echo c=16 throughput",
            againstValue: throughput.floor.median
        ).show(json: json)
        bare.stop()
        await node.stop()
        try await group.shutdownGracefully()
    }

    /// Takes turns, so that a change of the machine's speed meets both.
    private func turns(
        _ ours: LoadClient,
        _ floor: LoadClient,
        connections: Int,
        on group: MultiThreadedEventLoopGroup,
        figure: (LoadClient.Outcome) -> Double
    ) async throws -> (ours: Sample, floor: Sample) {
        var (mine, bare): ([Double], [Double]) = ([], [])
        for _ in 0..<rounds {
            mine.append(figure(try await ours.run(connections: connections, seconds: seconds, on: group)))
            bare.append(figure(try await floor.run(connections: connections, seconds: seconds, on: group)))
        }
        return (Sample(mine), Sample(bare))
    }
}

/// The bare echo, in a process of its own.
private final class BareServer: Sendable {
    let port: Int
    private let process: FloorProcess

    init() async throws {
        process = try FloorProcess(["bare-echo"])
        guard let port = await process.lines.next()?.split(separator: " ").last.flatMap({ Int($0) }) else {
            throw BenchError.floorSilent("bare-echo")
        }
        self.port = port
    }

    func stop() { process.stop() }
}
