import Foundation
import Inference
import Kernels
import Linux
import Models

/// The encoder of functions/embed in one precision, in turns with its rivals.
struct EncoderTrial {
    let row: EncoderRow
    let turns: Int
    let rivals: KernelRivals?

    /// A turn of each: long enough for the caches to be its own, short enough for all to see the same clock.
    private static let turnNanoseconds: UInt64 = 30_000_000

    func run() throws -> Figure {
        let encoder = try BenchEncoder(row.format)
        let ids = row.ids(vocabulary: encoder.vocabulary)
        let names = rivals == nil ? [] : row.rivals
        var (ours, theirs) = (Double.infinity, [Double](repeating: .infinity, count: names.count))
        var peak = 0.0
        for _ in 0..<turns {
            ours = min(ours, try turn(encoder, ids))
            for (index, name) in names.enumerated() {
                guard let rivals else { continue }
                let calls = max(3, Int(Double(Self.turnNanoseconds) / (ours * 1000)))
                let answer = try rivals.measure(name, ids: ids, calls: calls)
                try check(answer.embedding, of: name, against: try encoder.run(ids))
                theirs[index] = min(theirs[index], (answer.nanoseconds.min() ?? .infinity) / 1000)
            }
            if names.isEmpty {
                let speed = ProductSpeed.measure(.best, format: row.format, rows: 64, inner: 64, columns: 64)
                peak = max(peak, speed.peakGigaflops)
            }
        }
        guard let best = theirs.min(), let index = theirs.firstIndex(of: best) else {
            let products = encoder.productFlops(tokens: row.batch * row.tokens) / peak / 1000
            let against = "its products at \(Int(peak)) GFLOP/s"
            return Figure(name: row.name, value: ours, unit: "us", against: against, againstValue: products)
        }
        let others = names.indices.filter { $0 != index }
            .map { ", \(names[$0]) \((theirs[$0] * 100).rounded() / 100) us" }.joined()
        var figure = Figure(
            name: row.name,
            value: ours,
            unit: "us",
            against: "\(names[index])\(others)",
            againstValue: best
        )
        figure.ratio = (best / ours * 1000).rounded() / 1000
        return figure
    }

    /// - Returns: microseconds of the fastest call.
    private func turn(_ encoder: BenchEncoder, _ ids: [[Int32]]) throws -> Double {
        try FastestCall.of(Self.turnNanoseconds) { _ = try encoder.run(ids) }
    }

    /// A rival that computes something else is no rival.
    private func check(_ theirs: [Double], of name: String, against ours: [Float]) throws {
        let cosine = zip(theirs, ours).reduce(0) { $0 + $1.0 * Double($1.1) } / Double(row.batch)
        // Integers by tensor, which is what ONNX Runtime is fastest with, cost it that much on random words.
        let least = row.format == .int8 ? 0.85 : 0.999
        guard theirs.count == ours.count, cosine >= least else {
            throw BenchError.rival(name, "its embedding has the cosine \(cosine) to ours, expected at least \(least)")
        }
    }
}

/// The encoder as a worker holds it: weights in huge pages in the order of the plan.
final class BenchEncoder {
    private let arena: Mapping
    private let runner: PlanRunner
    let vocabulary: Int

    init(_ format: WeightFormat, _ kernels: KernelSet = .best) throws {
        guard let folder = Programs.model, let files = BundleBytes(folder: folder) else {
            throw BenchError.noModel("functions/embed/model")
        }
        let archive = unsafe files.bytes.span.bytes
        guard case .plan(let encoder) = try ModelImporter.importModel(source: "model", of: files.files, in: archive)
        else { throw BenchError.noModel("functions/embed/model") }
        let model = encoder.with(format)
        let sizes: [Int] = model.plan.weights.map { ($0.wordCount * 4 + 63) / 64 * 64 }
        arena = try Mapping.anonymous(byteCount: sizes.reduce(0, +), hugePages: true)
        var views: [String: WeightView] = [:]
        var offset = 0
        for (index, weight) in model.plan.weights.enumerated() {
            let place = unsafe UnsafeMutableRawBufferPointer(
                start: arena.baseAddress + offset,
                count: weight.wordCount * 4
            )
            model.sources[index].withBytes(in: archive) { source in
                unsafe source.withUnsafeBytes { unsafe place.copyMemory(from: $0) }
            }
            views[weight.name] = unsafe WeightView(unsafe: UnsafeRawBufferPointer(place))
            offset += sizes[index]
        }
        runner = try PlanRunner(plan: model.plan, kernels: kernels) { views[$0] }
        guard case .embed(let words, _, _, _) = model.plan.steps.first else {
            throw BenchError.noModel("functions/embed/model")
        }
        vocabulary = model.plan.weights[words].shape[0]
    }

    func run(_ ids: [[Int32]]) throws -> [Float] {
        try runner.run(ids: ids.flatMap { $0 }, sequenceLengths: ids.map(\.count))
    }

    /// Operations of all products with weights.
    func productFlops(tokens: Int) -> Double {
        runner.plan.weights.filter { $0.layout != .plain }
            .reduce(0) { $0 + 2 * Double($1.shape[0] * $1.shape[1] * tokens) }
    }
}

/// A model directory as the packer sees it: files one after the other.
private struct BundleBytes {
    var bytes: [UInt8] = []
    var files = ModelFiles(ranges: [:])

    init?(folder: String) {
        let names = [
            "config.json", "modules.json", "sentence_bert_config.json", "tokenizer.json", "1_Pooling/config.json",
            "model.safetensors",
        ]
        for name in names {
            guard let contents = try? Data(contentsOf: URL(fileURLWithPath: "\(folder)/\(name)")) else { return nil }
            files.ranges["model/\(name)"] = bytes.count..<bytes.count + contents.count
            bytes.append(contentsOf: contents)
        }
    }
}
