import ArgumentParser
import Foundation
import Graphs
import Linux
import Models

/// One ONNX model, compiled and run in this process: what it answers beside its reference, and how fast.
struct GraphTrial: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "graph",
        abstract: "Run an ONNX model of your own beside what it should answer.",
        discussion: """
            A case is a folder as of `operators`: model.onnx, input_K.pb and output_K.pb (TensorProto), case.txt with a name \
            and the two tolerances; files beside the model are its external data.
            """
    )

    @Argument(help: "Folders of cases.")
    var cases: [String]

    @Option(help: "Calls to time; the best counts.")
    var rounds = 5

    @Flag(help: "Run the graph as it was imported, nothing folded or fused.")
    var plain = false

    @Flag(help: "Print how many nodes of each operator are left.")
    var nodes = false

    func run() throws {
        var failures = 0
        for path in cases {
            let nodeCase = try NodeCase(URL(fileURLWithPath: path, isDirectory: true))
            do {
                try measure(nodeCase)
            } catch {
                failures += 1
                print("\(nodeCase.name): \(NodeCase.Outcome.failed("\(error)").line)")
            }
        }
        if failures > 0 { throw ExitCode.failure }
    }

    private func measure(_ nodeCase: NodeCase) throws {
        let begin = Clock.monotonicNanoseconds()
        let runner = try nodeCase.runner(compiled: !plain)
        let prepared = Clock.monotonicNanoseconds()
        let inputs = try nodeCase.inputs(of: runner.graph)
        let difference = try nodeCase.difference(runner, inputs)
        var best = UInt64.max
        for _ in 0..<rounds {
            let start = Clock.monotonicNanoseconds()
            _ = try runner.run(inputs)
            best = min(best, Clock.monotonicNanoseconds() - start)
        }
        let count = runner.graph.bodies.reduce(0) { $0 + $1.nodes.count }
        print(
            "\(nodeCase.name): \(difference.map { "DIFFERS: \($0)" } ?? "as the reference") · \(count) nodes · "
                + "\(Double(best / 1000) / 1000) ms a call · made ready in \((prepared - begin) / 1_000_000) ms"
        )
        if nodes { show(runner.graph) }
        if difference != nil { throw BenchError.refuted("\(nodeCase.name) differs from its reference") }
    }

    private func show(_ graph: Graph) {
        var counts: [String: Int] = [:]
        for node in graph.bodies.flatMap(\.nodes) {
            counts[node.domain.isEmpty ? node.name : "\(node.domain).\(node.name)", default: 0] += 1
        }
        for (name, count) in counts.sorted(by: { ($1.value, $0.key) < ($0.value, $1.key) }) {
            print("    \(count) × \(name)")
        }
    }
}
