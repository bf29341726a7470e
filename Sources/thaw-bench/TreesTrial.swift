import Foundation
import Graphs
import Linux
import Models

/// A regressor of 500 trees of depth 8 over 50 features, from an ONNX file, in turns with ONNX Runtime.
struct TreesTrial {
    /// Rows in a call.
    let batch: Int
    let turns: Int
    let rival: TreesRival

    static let batches = [1, 1000]

    static func rowName(_ batch: Int) -> String { "trees \(batch)" }

    /// What the file of rows holds.
    private static let (rows, features) = (1000, 50)

    /// The ratio is ONNX Runtime's time by ours, of a call; every call of one row has another row than the last, for
    /// branches that were just taken are foretold.
    func run() throws -> Figure {
        let runner = try runner()
        let inputs = try inputs()
        var (ours, theirs) = (Double.infinity, Double.infinity)
        for turn in 0..<turns {
            for _ in 0..<5 { ours = min(ours, try sweep(runner, inputs)) }
            let answer = try rival.measure(batch: batch, sweeps: 3)
            theirs = min(theirs, (answer.nanoseconds.min() ?? .infinity) / 1000)
            if turn == 0 { try check(answer.scores, runner, inputs) }
        }
        var figure = Figure(
            name: Self.rowName(batch),
            value: ours,
            unit: "us",
            against: "onnxruntime",
            againstValue: theirs
        )
        figure.ratio = (theirs / ours * 1000).rounded() / 1000
        return figure
    }

    private func runner() throws -> GraphRunner {
        let bytes = [UInt8](try Data(contentsOf: rival.file("trees.onnx")))
        let span = unsafe bytes.span.bytes
        let files = ModelFiles(ranges: ["model.onnx": 0..<bytes.count])
        return try ImportedGraph.onnx("model.onnx", of: files, in: span).runner(in: span)
    }

    /// All rows, in as many tensors as there are calls in a sweep.
    private func inputs() throws -> [GraphValue] {
        let bytes = try Data(contentsOf: rival.file("rows.f32"))
        guard bytes.count == Self.rows * Self.features * 4 else {
            throw BenchError.refuted("rows.f32 is of another size")
        }
        let floats = stride(from: 0, to: bytes.count, by: 4).map { place in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) })
        }
        let size = batch * Self.features
        return (0..<Self.rows / batch).map { call in
            .tensor(Tensor(Array(floats[call * size..<(call + 1) * size]), shape: [batch, Self.features]))
        }
    }

    /// - Returns: microseconds of a call, over all rows.
    private func sweep(_ runner: GraphRunner, _ inputs: [GraphValue]) throws -> Double {
        let start = Clock.monotonicNanoseconds()
        for input in inputs { _ = try runner.run([input]) }
        return Double(Clock.monotonicNanoseconds() - start) / 1000 / Double(inputs.count)
    }

    /// Whoever computes something else is no rival.
    private func check(_ theirs: [Double], _ runner: GraphRunner, _ inputs: [GraphValue]) throws {
        var scores: [Double] = []
        for input in inputs {
            guard case .tensor(let tensor) = try runner.run([input]).first else {
                throw BenchError.refuted("the trees gave no tensor")
            }
            scores += tensor.array(of: Float.self).map { Double($0) }
        }
        let difference = zip(scores, theirs).reduce(0) { max($0, abs($1.0 - $1.1)) }
        guard scores.count == theirs.count, difference <= 1e-4 else {
            throw BenchError.rival("onnxruntime", "its scores differ from ours by \(difference)")
        }
    }
}

/// ONNX Runtime with the trees, in one process of `deploy/rivals/trees.py`.
struct TreesRival {
    private let process: RivalProcess
    private let place: RivalPlace

    struct Answer: Decodable {
        /// Of each sweep, by call.
        var nanoseconds: [Double]
        var scores: [Double]
    }

    private struct Order: Encodable {
        var batch: Int
        var sweeps: Int
    }

    /// Brings ONNX Runtime and writes the trees, where they are not there yet.
    static func prepared() async throws -> TreesRival {
        let place = try await RivalPlace.prepared(by: "prepare-trees", in: "tree-rivals", for: "trees.py")
        return TreesRival(process: try place.start(), place: place)
    }

    func file(_ name: String) -> URL { place.file(name) }

    func measure(batch: Int, sweeps: Int) throws -> Answer {
        try process.ask(Order(batch: batch, sweeps: sweeps), of: "onnxruntime")
    }
}
