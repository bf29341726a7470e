import ArgumentParser
import Foundation
import Linux
import Tokenizing
import Trials

/// Whether Thaw's tokenizers answer the ids that Hugging Face's do, and how fast.
struct TokenizerBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tokenizers",
        abstract: "Ids and speed of tokenizers, beside Hugging Face tokenizers on one thread.",
        discussion: """
            For each tokenizer.json three rows: the texts whose ids are identical, text encoded by second, and the time \
            to load the compiled form beside that of the reference's file. With --rivals a Python environment with the \
            reference is made in ~/.cache/thaw-bench, and tokenizers of several kinds in it; files that you put into its \
            folder `tokenizers` are compared, too. The reference is called from Python, a text at a time, and works out \
            offsets, too; ours gives ids alone.
            """
    )

    @Flag(help: "Compare with Hugging Face tokenizers (brings it from PyPI).")
    var rivals = false

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: "Texts, of many scripts.")
    var texts = 10_000

    @Option(help: "Times that all texts are encoded, in turns; the best counts.")
    var rounds = 3

    @Option(help: "Only files whose name holds this.")
    var only = ""

    func run() async throws {
        guard rivals else { throw ValidationError("ids are compared with the reference: add --rivals") }
        let reference = try await TokenizerReference.prepare(textCount: texts)
        var misses = Misses()
        for file in try reference.files() where only.isEmpty || file.lastPathComponent.contains(only) {
            let name = file.deletingPathExtension().lastPathComponent
            await misses.attempt(name) { try await measure(name, file, reference) }
        }
        try misses.check()
    }

    private func measure(_ name: String, _ file: URL, _ reference: TokenizerReference) async throws {
        let compiled = try Tokenizer(tokenizerJSON: [UInt8](Data(contentsOf: file))).compiled()
        let tokenizer = try Tokenizer(compiled: compiled)
        let bytes = reference.texts.reduce(0) { $0 + $1.utf8.count }
        var (ours, theirs, load, theirLoad) = (UInt64.max, Double.infinity, UInt64.max, Double.infinity)
        var expected: [[Int32]] = []
        var ids: [[Int32]] = []
        for round in 0..<max(rounds, 1) {
            let answer = try await reference.encode(with: file, wantsIDs: round == 0)
            theirs = min(theirs, answer.seconds)
            theirLoad = min(theirLoad, answer.loadMilliseconds)
            if let answered = answer.ids { expected = answered }
            let begin = Clock.monotonicNanoseconds()
            let encoded = reference.texts.map { tokenizer.encode($0, tokensMax: .max) }
            ours = min(ours, max(Clock.monotonicNanoseconds() - begin, 1))
            ids = encoded
            let loading = Clock.monotonicNanoseconds()
            _ = try Tokenizer(compiled: compiled)
            load = min(load, max(Clock.monotonicNanoseconds() - loading, 1))
        }
        let different = ids.indices.filter { ids[$0] != expected[$0] }
        try Figure(
            name: "\(name) identical",
            value: Double(ids.count - different.count),
            unit: "texts",
            against: "all texts",
            againstValue: Double(ids.count)
        ).show(json: json)
        try Figure(
            name: "\(name) encode",
            value: Double(bytes) / Double(ours) * 1e3,
            unit: "MB/s",
            against: "Hugging Face tokenizers, one thread",
            againstValue: Double(bytes) / theirs / 1e6
        ).show(json: json)
        try Figure(
            name: "\(name) load",
            value: Double(load) / 1e6,
            unit: "ms",
            against: "Hugging Face tokenizers, from its file",
            againstValue: theirLoad
        ).show(json: json)
        // The shortest says most.
        if let first = different.min(by: { reference.texts[$0].utf8.count < reference.texts[$1].utf8.count }) {
            throw BenchError.refuted(
                "\(different.count) texts have other ids, such as \(reference.texts[first].debugDescription): "
                    + "\(ids[first]) and not \(expected[first])"
            )
        }
    }
}
