import Foundation
import Trials

/// Hugging Face `tokenizers` in a Python environment of its own, and the texts that both sides encode.
struct TokenizerReference {
    let place: URL
    let texts: [String]
    private let textsFile: URL

    /// What the reference says of one file.
    struct Answer {
        var seconds: Double
        /// From the file to the first id.
        var loadMilliseconds: Double
        var ids: [[Int32]]?
    }

    private struct Spoken: Decodable {
        var seconds: Double
        var load: Double
    }

    private static var script: URL? { Programs.rivals?.appendingPathComponent("tokenizing.py") }

    private var python: String { place.appendingPathComponent("venv/bin/python").path }

    /// Brings the library and its tokenizers, where they are not there yet, and writes the texts.
    static func prepare(textCount: Int) async throws -> TokenizerReference {
        guard let script else { throw BenchError.noExamples }
        let caches = ProcessInfo.processInfo.environment["XDG_CACHE_HOME"] ?? NSHomeDirectory() + "/.cache"
        let place = URL(fileURLWithPath: caches + "/thaw-bench/tokenizing")
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        let python = place.appendingPathComponent("venv/bin/python").path
        if !FileManager.default.fileExists(atPath: python) {
            try await run("/usr/bin/env", ["python3", "-m", "venv", place.appendingPathComponent("venv").path])
            try await run(python, ["-m", "pip", "install", "--quiet", "tokenizers"])
        }
        try await run(python, [script.path, "prepare", place.path])
        let file = place.appendingPathComponent("texts.json")
        try await run(python, [script.path, "texts", file.path, "\(textCount)"])
        let texts = try JSONDecoder().decode([String].self, from: Data(contentsOf: file))
        return TokenizerReference(place: place, texts: texts, textsFile: file)
    }

    /// The tokenizers to compare, by name.
    func files() throws -> [URL] {
        let folder = place.appendingPathComponent("tokenizers")
        return try FileManager.default.contentsOfDirectory(at: folder, includingPropertiesForKeys: nil)
            .filter { $0.pathExtension == "json" }
            .sorted { $0.lastPathComponent < $1.lastPathComponent }
    }

    /// Encodes all texts once.
    func encode(with file: URL, wantsIDs: Bool) async throws -> Answer {
        let ids = place.appendingPathComponent("ids.json")
        let order = ["tokenizer": file.path, "texts": textsFile.path, "ids": ids.path]
        let spoken = try await Self.ask(python, order)
        let read = wantsIDs ? try JSONDecoder().decode([[Int32]].self, from: Data(contentsOf: ids)) : nil
        return Answer(seconds: spoken.seconds, loadMilliseconds: spoken.load * 1000, ids: read)
    }

    private static func ask(_ python: String, _ order: [String: String]) async throws -> Spoken {
        guard let script else { throw BenchError.noExamples }
        let line = String(decoding: try JSONEncoder().encode(order), as: UTF8.self)
        let outcome = try await CommandOutcome.run(python, [script.path, "encode"], input: line + "\n")
        guard outcome.status == 0 else { throw BenchError.rival("tokenizing.py", outcome.errors) }
        return try JSONDecoder().decode(Spoken.self, from: Data(outcome.output.utf8))
    }

    private static func run(_ program: String, _ arguments: [String]) async throws {
        let outcome = try await CommandOutcome.run(program, arguments)
        guard outcome.status == 0 else {
            throw BenchError.rival(arguments.first ?? program, outcome.errors + outcome.output)
        }
    }
}
