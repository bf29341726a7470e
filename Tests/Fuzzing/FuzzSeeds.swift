import Foundation
import Graphs
import Inference
import Linux
import Models
import Tokenizing
import Wire

@testable import Snapshots

/// Seeds for the parsers of our own binary forms, made by the writers of today: a file would go stale with the form.
enum FuzzSeeds {
    /// Writes the seeds into a folder a parser, under `folder`.
    static func write(to folder: URL, corpus: URL) throws {
        try write([try plan()], as: .plan, to: folder)
        try write([try graph(corpus)], as: .graph, to: folder)
        try write([try compiledTokenizer(corpus)], as: .compiledTokenizer, to: folder)
        try write([try snapshotIndex()], as: .snapshotIndex, to: folder)
        try write(frames, as: .frames, to: folder)
    }

    private static func write(_ seeds: [[UInt8]], as target: FuzzTarget, to folder: URL) throws {
        let place = folder.appendingPathComponent(target.rawValue)
        try FileManager.default.createDirectory(at: place, withIntermediateDirectories: true)
        for (number, seed) in seeds.enumerated() {
            try Data(seed).write(to: place.appendingPathComponent("seed-\(number)"))
        }
    }

    private static func bytes(_ path: String, _ corpus: URL) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: corpus.appendingPathComponent(path)))
    }

    private static func plan() throws -> [UInt8] {
        let plan = Plan(
            values: [Plan.Value(rows: .tokens, columns: 2), Plan.Value(rows: .sequences, columns: 4)],
            weights: [Plan.Weight(name: "w", shape: [3, 2], layout: .plain)],
            steps: [
                .embed(words: 0, positions: 0, types: 0, out: 0), .pool(input: 0, [.mean, .last], out: 1),
            ],
            output: 1
        )
        try plan.validate()
        return plan.encoded()
    }

    private static func graph(_ corpus: URL) throws -> [UInt8] {
        let file = try bytes("onnx/mlp.onnx", corpus)
        let files = ModelFiles(ranges: ["model.onnx": 0..<file.count])
        return try ImportedGraph.onnx("model.onnx", of: files, in: unsafe file.span.bytes).graph.encoded()
    }

    private static func compiledTokenizer(_ corpus: URL) throws -> [UInt8] {
        try Tokenizer(tokenizerJSON: try bytes("tokenizer/wordpiece.json", corpus)).compiled()
    }

    private static func snapshotIndex() throws -> [UInt8] {
        let file = try FileDescriptor.memoryFile("seed")
        var writer = try SnapshotWriter(file: file.duplicate(), producer: "fuzz")
        let zeros = [UInt8](repeating: 0, count: 64)
        try writer.add(
            name: "a",
            element: .f32,
            shape: [4, 4],
            layout: 0,
            access: .whole,
            bytes: unsafe zeros.span.bytes
        )
        try writer.add(name: "b", element: .u8, shape: [64], layout: 0, access: .whole, bytes: unsafe zeros.span.bytes)
        _ = try writer.finish()
        let index = try SnapshotIndex(reading: file)
        let dataByteCount = index.entries.reduce(0) { $0 + $1.storedByteCount }
        return [UInt8(dataByteCount & 0xff), UInt8(dataByteCount >> 8)]
            + SnapshotIndex.encode(producer: index.producer, entries: index.entries)
    }

    private static var frames: [[UInt8]] {
        let residency = TemplateReport.Residency(arenaBytes: 1, decodeNanoseconds: 2, prepareNanoseconds: 3)
        let boot = TemplateBoot(
            function: "f",
            snapshotDigest: String(repeating: "0", count: 64),
            verifiesDigests: false,
            memoryBytesMax: 1,
            payloadBytesMax: 1,
            templateFilter: [UInt8](repeating: 0, count: 8),
            workerFilter: [UInt8](repeating: 0, count: 8),
            environment: ["A=b"]
        )
        return [
            TemplateOrder.boot(boot).encoded(),
            TemplateOrder.fork(worker: 1, isAhead: true).encoded(),
            TemplateReport.resident(residency).encoded(),
            TemplateReport.refused(message: "no").encoded(),
            CallHead(bodyCount: 3, contentType: "text/plain").encoded(),
            ReplyHead(contentType: "text/plain").encoded(),
        ]
    }
}
