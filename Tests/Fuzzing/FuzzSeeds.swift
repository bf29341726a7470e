import Foundation
import Graphs
import Inference
import Linux
import Models
import Tokenizing
import Wire

@testable import Metering
@testable import Snapshots

/// Seeds for the parsers of our own binary forms, made by the writers of today: a file would go stale with the form.
enum FuzzSeeds {
    /// Writes the seeds into a folder a parser, under `folder`.
    static func write(to folder: URL, corpus: URL) throws {
        try write([try plan()], as: .plan, to: folder)
        try write([try graph(corpus)], as: .graph, to: folder)
        try write([try compiledTokenizer(corpus)], as: .compiledTokenizer, to: folder)
        let snapshot = try snapshot()
        try write([try seed(of: snapshot)], as: .snapshotIndex, to: folder)
        var catalog = TensorCatalog()
        try catalog.add(try SnapshotIndex(reading: snapshot))
        try write([catalog.encoded()], as: .catalog, to: folder)
        try write(frames, as: .frames, to: folder)
        try write([reply, stream, failure], as: .replies, to: folder)
        try write([rings], as: .rings, to: folder)
        try write([nested], as: .nestedCalls, to: folder)
        try write([callFrames], as: .callFrames, to: folder)
        try write([image.encoded()], as: .codeImage, to: folder)
        try write([slots, bytes(of: ReceiptWords.encode(receipt))], as: .slots, to: folder)
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

    private static func snapshot() throws -> FileDescriptor {
        let file = try FileDescriptor.memoryFile("seed")
        var writer = try SnapshotWriter(file: file.duplicate(), producer: "fuzz")
        let zeros = [UInt8](repeating: 0, count: 4096)
        let mixed = (0..<4096).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 3) }
        let tables: [(String, SnapshotEntry.Access, [UInt8])] = [
            ("a", .whole, zeros), ("b", .whole, mixed), ("c", .rows, mixed), ("d", .whole, zeros),
        ]
        for (name, access, bytes) in tables {
            try writer.add(
                name: name,
                element: .f32,
                shape: [32, 32],
                layout: 0,
                access: access,
                bytes: unsafe bytes.span.bytes
            )
        }
        _ = try writer.finish()
        return file
    }

    /// How many bytes of data, the data, the index.
    private static func seed(of snapshot: borrowing FileDescriptor) throws -> [UInt8] {
        let index = try SnapshotIndex(reading: snapshot)
        let count = index.entries.reduce(0) { $0 + ($1.isStoredHere ? $1.storedByteCount : 0) }
        let data = try snapshot.pread(count: count, at: SnapshotFormat.headerByteCount)
        return [UInt8(count & 0xFF), UInt8(count >> 8)] + data
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

    // MARK: What a worker sends

    private static func frame(_ kind: FrameHeader.Kind, _ invocation: UInt64, _ payload: [UInt8] = [], code: UInt16 = 0)
        -> [UInt8]
    {
        let header = FrameHeader(kind, code: code, invocation: invocation, payloadCount: payload.count)
        return bytes(of: [header.words.0, header.words.1]) + payload
    }

    private static func bytes(of words: [UInt64]) -> [UInt8] {
        words.flatMap { word in (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) } }
    }

    private static var reply: [UInt8] {
        frame(.ready, 0) + frame(.open, 2, ReplyHead(contentType: "text/plain").encoded())
            + frame(.chunk, 2, Array("hello".utf8)) + frame(.close, 2)
    }

    private static var stream: [UInt8] {
        frame(.ready, 0) + frame(.open, 1, ReplyHead(contentType: "text/plain", isStreamed: true).encoded())
            + frame(.chunk, 1, Array("a".utf8)) + frame(.chunk, 1, Array("b".utf8)) + frame(.close, 1)
    }

    private static var nested: [UInt8] {
        (1...2).flatMap { index -> [UInt8] in
            let number = NestedCall.number(UInt64(index))
            let head = NestedHead(parent: 1, function: "f", contentType: "text/plain", bodyCount: 2)
            return frame(.open, number, head.encoded()) + frame(.chunk, number, Array("hi".utf8))
                + frame(.close, number)
        }
    }

    /// How they are cut; a hello, a call of another function, and a reply.
    private static var callFrames: [UInt8] {
        let call = [1, UInt8(ascii: "f"), 10, 0] + Array("text/plainhi".utf8)
        return [31, 0, 0, 0, 0, 0x48] + [UInt8(call.count), 0, 0, 0, 0x4E] + call
            + [2, 0, 0, 0, 0x43] + Array("ok".utf8) + [0, 0, 0, 0, 0x44]
    }

    private static var failure: [UInt8] {
        frame(.ready, 0) + frame(.close, 1, Array("no".utf8), code: WorkerFailureCode.allCases.first?.rawValue ?? 1)
    }

    /// A frame of no bytes is forged and shown, and taken; then one of ours is put.
    private static var rings: [UInt8] {
        let start = Mapping.pageByteCount * 2
        return [0, UInt8(start & 0xFF), UInt8(start >> 8), 16] + frame(.ready, 0) + [0, 0, 1, 8]
            + bytes(of: [16]) + [3, 1, 2, 4, 1]
    }

    // MARK: Files

    private static var image: CodeImage {
        CodeImage(
            runtime: .python3,
            handler: "app.handler",
            files: [
                CodeImage.File(path: "app.py", isExecutable: false, group: 0, offset: 0, byteCount: 10),
                CodeImage.File(path: "lib/run", isExecutable: true, group: 1, offset: 0, byteCount: 3),
                CodeImage.File(root: .layers, path: "bin/l", isExecutable: true, group: 2, offset: 0, byteCount: 3),
            ]
        )
    }

    private static var receipt: Receipt {
        Receipt(
            Attempt(
                id: .generated(),
                function: "f",
                version: 1,
                snapshot: String(repeating: "ab", count: 32),
                bytesIn: 3,
                acceptedUnixNanoseconds: 1_800_000_000_000_000_000
            )
        )
    }

    /// Two slots, of which the first is begun.
    private static var slots: [UInt8] {
        let words = ReceiptWords.encode(receipt)
        var file = [UInt64](repeating: 0, count: 3 * SlotLayout.slotWordCount)
        file.replaceSubrange(0..<4, with: SlotLayout.header(slots: 2))
        let slot = [1, 1, UInt64(words.count), SlotLayout.checksum(words[...], generation: 1)] + words
        file.replaceSubrange(SlotLayout.slotWordCount..<SlotLayout.slotWordCount + slot.count, with: slot)
        return bytes(of: file)
    }
}
