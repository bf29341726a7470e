import ArgumentParser
import Foundation
import Kernels

/// How fast the kernels are, beside what the core can do and beside other runtimes.
struct KernelsBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "kernels",
        abstract: "Products beside the peak of the core, and a whole encoder beside other runtimes, one thread each.",
        discussion: """
            Rows gemm f32 512, gemm bf16 512, gemm int8 512: a product of 512 × 512 × 512, in billions of operations a second, \
            against multiplications and additions in registers only; the ratio is the share of that peak.

            Rows minilm PRECISION BATCHxTOKENS: all-MiniLM-L6-v2 from token ids to the normalised embedding, in microseconds. \
            Without --rivals against its products at the peak of the same run. With --rivals against the fastest of those that \
            compute in that precision: ONNX Runtime and OpenVINO for f32, OpenVINO for bf16, ONNX Runtime (quantize_dynamic) for \
            int8. In these rows the ratio is their time by ours: above 1 ours is faster. All take turns on the same ids; of each \
            the fastest call counts, for whatever else runs on the machine makes a call slower and never faster. deploy/rivals/prepare-kernels brings the rivals from PyPI into a cache.

            Rows minilm PRECISION BATCHxTOKENS 2 threads, only with --threads 2: the same on two threads, against itself on one \
            in turns; their embeddings are equal bit for bit, or there is no figure. The ratio is one thread's time by two's.

            Rows resnet50 f32, mobilenetv2 f32, only with --rivals: one image of 224 × 224 through an ONNX file with random \
            weights, against ONNX Runtime.

            Rows embeddings c=N: requests a second to POST /v1/embeddings over HTTP, N at a time, of a sentence of 16 tokens; \
            with --rivals against FastAPI with ONNX Runtime, which answers the same requests with the same vector. Without, \
            and in the row embeddings c=8 together, against a function that runs each call by itself. They take turns, and of \
            each the best turn counts.

            Rows trees 1, trees 1000, only with --rivals: a regressor of 500 trees of depth 8 over one row, or a thousand, \
            against ONNX Runtime.

            Needs functions/embed/model: functions/embed/fetch brings it.
            """
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Flag(help: "Measure other runtimes too.")
    var rivals = false

    @Option(help: "Turns of each.")
    var turns = 15

    @Option(help: "1, or 2 to measure the encoder on two threads against one too.")
    var threads = 1

    @Option(help: "Measure only rows whose name contains this.")
    var only = ""

    func validate() throws {
        guard turns >= 1 else { throw ValidationError("--turns takes 1 or more") }
        guard (1...2).contains(threads) else { throw ValidationError("--threads takes 1 or 2") }
    }

    func run() async throws {
        var misses = Misses()
        for format in WeightFormat.allCases where isWanted(gemmRow(format)) {
            await misses.attempt(gemmRow(format)) { try gemm(format) }
        }
        let rows = EncoderRow.all.filter { isWanted($0.name) }
        var place: KernelRivals?
        if rivals, !rows.isEmpty {
            await misses.attempt("rivals") { place = try await KernelRivals.prepared() }
            guard place != nil else { return try misses.check() }
        }
        for row in rows {
            await misses.attempt(row.name) {
                try EncoderTrial(row: row, turns: turns, rivals: place).run().show(json: json)
            }
        }
        for row in EncoderRow.all where threads == 2 && isWanted(ThreadsTrial.rowName(row)) {
            await misses.attempt(ThreadsTrial.rowName(row)) {
                try ThreadsTrial(row: row, turns: turns).run().show(json: json)
            }
        }
        await images(&misses)
        await trees(&misses)
        for row in EmbeddingsTrial.rows where isWanted(row) {
            await misses.attempt(row) { try await EmbeddingsTrial(row, isBesideRival: rivals).run().show(json: json) }
        }
        try misses.check()
    }

    /// Whole networks over images: beside ONNX Runtime, or not at all.
    private func images(_ misses: inout Misses) async {
        let networks = ImageTrial.networks.filter { isWanted(ImageTrial.rowName($0)) }
        guard rivals, !networks.isEmpty else { return }
        var rival: ImageRival?
        await misses.attempt("images' rival") { rival = try await ImageRival.prepared() }
        guard let rival else { return }
        for network in networks {
            await misses.attempt(ImageTrial.rowName(network)) {
                try ImageTrial(network: network, turns: turns, rival: rival).run().show(json: json)
            }
        }
    }

    /// A forest, one row at a time and a thousand: beside ONNX Runtime, or not at all.
    private func trees(_ misses: inout Misses) async {
        let batches = TreesTrial.batches.filter { isWanted(TreesTrial.rowName($0)) }
        guard rivals, !batches.isEmpty else { return }
        var rival: TreesRival?
        await misses.attempt("trees' rival") { rival = try await TreesRival.prepared() }
        guard let rival else { return }
        for batch in batches {
            await misses.attempt(TreesTrial.rowName(batch)) {
                try TreesTrial(batch: batch, turns: turns, rival: rival).run().show(json: json)
            }
        }
    }

    private func isWanted(_ row: String) -> Bool {
        only.isEmpty || row.contains(only)
    }

    private func gemmRow(_ format: WeightFormat) -> String {
        "gemm \(format) 512"
    }

    private func gemm(_ format: WeightFormat) throws {
        let speed = ProductSpeed.measure(
            .best,
            format: format,
            rows: 512,
            inner: 512,
            columns: 512,
            rounds: 20 * turns
        )
        try Figure(
            name: gemmRow(format),
            value: speed.gigaflops,
            unit: "GFLOP/s",
            against: "peak of one core, \(KernelSet.best.name)",
            againstValue: speed.peakGigaflops
        ).show(json: json)
    }
}

/// One precision, one size.
struct EncoderRow {
    let format: WeightFormat
    let batch: Int
    let tokens: Int

    var name: String { "minilm \(format) \(batch)x\(tokens)" }

    static let all: [EncoderRow] = WeightFormat.allCases.flatMap { format in
        [16, 128].map { EncoderRow(format: format, batch: 1, tokens: $0) }
    }

    /// Who computes in this precision, as deploy/rivals/kernels.py calls them.
    var rivals: [String] {
        switch format {
        case .f32: ["onnxruntime f32", "openvino f32"]
        case .bf16: ["openvino bf16"]
        case .int8: ["onnxruntime int8"]
        }
    }

    /// Ids of words between those that begin and end a text, the same in each run.
    func ids(vocabulary: Int) -> [[Int32]] {
        var state: UInt64 = 1
        return (0..<batch).map { _ in
            let words = (0..<tokens - 2).map { _ -> Int32 in
                // Knuth's constants for a linear congruential generator.
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                return Int32(1000 + Int(state >> 33) % (vocabulary - 1000))
            }
            return [101] + words + [102]
        }
    }
}
