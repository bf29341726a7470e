import Foundation
import Graphs
import Linux
import Models

/// A whole network over one image of 224 × 224, from an ONNX file with random weights, in turns with ONNX Runtime.
struct ImageTrial {
    /// The file's name without its end.
    let network: String
    let turns: Int
    let rival: ImageRival

    static let networks = ["resnet50", "mobilenetv2"]

    static func rowName(_ network: String) -> String { "\(network) f32" }

    /// A turn of each: long enough for the caches to be its own.
    private static let turnNanoseconds: UInt64 = 150_000_000

    /// The ratio is ONNX Runtime's time by ours.
    func run() throws -> Figure {
        let runner = try runner()
        let input = try GraphValue.tensor(image())
        var (ours, theirs) = (Double.infinity, Double.infinity)
        for turn in 0..<turns {
            ours = min(ours, try self.turn(runner, input))
            let calls = max(3, Int(Double(Self.turnNanoseconds) / (ours * 1000)))
            let answer = try rival.measure(network, calls: calls)
            theirs = min(theirs, (answer.nanoseconds.min() ?? .infinity) / 1000)
            if turn == 0 { try check(answer.logits, against: try runner.run([input])) }
        }
        var figure = Figure(
            name: Self.rowName(network),
            value: ours,
            unit: "us",
            against: "onnxruntime f32",
            againstValue: theirs
        )
        figure.ratio = (theirs / ours * 1000).rounded() / 1000
        return figure
    }

    private func runner() throws -> GraphRunner {
        let bytes = [UInt8](try Data(contentsOf: rival.file("\(network).onnx")))
        // Bytes of bytes: there is no padding.
        let span = unsafe bytes.span.bytes
        let files = ModelFiles(ranges: ["model.onnx": 0..<bytes.count])
        return try ImportedGraph.onnx("model.onnx", of: files, in: span).compiled(in: span).runner(in: span)
    }

    private func image() throws -> Tensor {
        let bytes = try Data(contentsOf: rival.file("image.f32"))
        let floats = stride(from: 0, to: bytes.count, by: 4).map { place in
            Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << UInt32(8 * $1) })
        }
        return Tensor(floats, shape: [1, 3, 224, 224])
    }

    /// - Returns: microseconds of the fastest call.
    private func turn(_ runner: GraphRunner, _ input: GraphValue) throws -> Double {
        try FastestCall.of(Self.turnNanoseconds) { _ = try runner.run([input]) }
    }

    /// Within 10⁻⁴ of the largest logit: whoever computes something else is no rival.
    private func check(_ theirs: [Double], against ours: [GraphValue]) throws {
        guard case .tensor(let tensor) = ours[0] else { throw BenchError.refuted("\(network) gave no tensor") }
        let logits = tensor.array(of: Float.self).map { Double($0) }
        let largest = theirs.reduce(0) { max($0, abs($1)) }
        let difference = zip(logits, theirs).reduce(0) { max($0, abs($1.0 - $1.1)) }
        guard logits.count == theirs.count, difference <= 1e-4 * largest else {
            throw BenchError.rival("onnxruntime", "its logits differ from ours by \(difference) of \(largest)")
        }
    }
}

/// ONNX Runtime with the networks, in one process of `deploy/rivals/images.py`.
struct ImageRival {
    private let process: RivalProcess
    private let place: RivalPlace

    struct Answer: Decodable {
        /// Of each call.
        var nanoseconds: [Double]
        var logits: [Double]
    }

    private struct Order: Encodable {
        var network: String
        var calls: Int
    }

    /// Brings ONNX Runtime and writes the networks, where they are not there yet.
    static func prepared() async throws -> ImageRival {
        let place = try await RivalPlace.prepared(by: "prepare-images", in: "image-rivals", for: "images.py")
        return ImageRival(process: try place.start(), place: place)
    }

    func file(_ name: String) -> URL { place.file(name) }

    func measure(_ network: String, calls: Int) throws -> Answer {
        try process.ask(Order(network: network, calls: calls), of: "onnxruntime")
    }
}
