import ArgumentParser
import Foundation
import Linux
import Snapshots
import Trials

/// How small a snapshot's weights become and how fast they come back, beside zstd alone.
struct SnapshotBench: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "snapshot",
        abstract: "Ratio and decoding speed of a snapshot's weights, beside zstd alone with as many threads.",
        discussion: """
            Rows: minilm f32 ratio, minilm bf16 ratio (bytes of the weights by bytes of the file, index included); minilm \
            f32 decode, minilm bf16 decode (GB of weights a second: read from the page cache, checked, decoded, merged). \
            The rival gets the same bytes in the same order and pieces, at its default level, reads its frames from a file \
            as well, and checks nothing. Needs functions/embed/model: functions/embed/fetch brings it.
            """
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: "Decodings of each, in turns; the best counts.")
    var rounds = 21

    func run() async throws {
        guard let examples = Programs.examples else { throw BenchError.noExamples }
        let model = examples.appendingPathComponent("embed/model/model.safetensors")
        let floats = try ModelTensors.read(model)
        try measure("minilm f32", floats)
        try measure("minilm bf16", floats.map { $0.asBrainFloats() })
    }

    private func measure(_ name: String, _ tensors: [ModelTensor]) throws {
        let directory = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let path = directory + "/snapshot"
        try write(tensors, to: path)
        let file = try FileDescriptor.open(path, .reading)
        let index = try SnapshotIndex(reading: file)
        let byteCount = tensors.reduce(0) { $0 + $1.bytes.count }
        let plain = try PlainFrames(
            of: tensors.flatMap(\.bytes),
            in: try FileDescriptor.open(directory + "/plain", [.readingWriting, .creating])
        )
        try Figure(
            name: "\(name) ratio",
            value: Double(byteCount) / Double(index.storedByteCount),
            unit: "ratio",
            against: "zstd alone, level 3",
            againstValue: Double(plain.byteCount) / Double(plain.storedByteCount)
        ).show(json: json)
        let threads = Thread.processorCount
        let trial = try DecodeTrial(arenaByteCount: max(index.arenaByteCount, byteCount), threadsMax: threads)
        var (ours, rival) = (UInt64.max, UInt64.max)
        for _ in 0..<max(rounds, 1) {
            ours = min(ours, try nanoseconds { try trial.decode(index.entries, from: file) })
            rival = min(rival, try nanoseconds { try trial.decode(plain) })
        }
        try Figure(
            name: "\(name) decode",
            value: Double(byteCount) / Double(ours),
            unit: "GB/s",
            against: "zstd alone, level 3, \(threads) threads each",
            againstValue: Double(byteCount) / Double(rival)
        ).show(json: json)
    }

    private func write(_ tensors: [ModelTensor], to path: String) throws {
        var writer = try SnapshotWriter(
            file: try FileDescriptor.open(path, [.readingWriting, .creating]),
            producer: "thaw-bench"
        )
        for tensor in tensors {
            let bytes = unsafe tensor.bytes.span.bytes
            try writer.add(
                name: tensor.name,
                element: tensor.element,
                shape: tensor.shape,
                layout: 0,
                access: tensor.isTable ? .rows : .whole,
                bytes: bytes
            )
        }
        _ = try writer.finish()
    }

    private func nanoseconds(_ work: () throws -> Void) rethrows -> UInt64 {
        let begin = Clock.monotonicNanoseconds()
        try work()
        return max(Clock.monotonicNanoseconds() - begin, 1)
    }
}

/// A tensor of floats as a snapshot takes it.
struct ModelTensor {
    var name: String
    var element: ElementType
    var shape: [Int]
    var bytes: [UInt8]

    /// The table of words, which the packer leaves to be decoded row by row.
    var isTable: Bool { name.hasSuffix("word_embeddings.weight") }

    /// Rounded to the nearest, ties to even.
    func asBrainFloats() -> ModelTensor {
        var rounded: [UInt8] = []
        rounded.reserveCapacity(bytes.count / 2)
        for start in stride(from: 0, to: bytes.count, by: 4) {
            let bits = (0..<4).reduce(UInt32(0)) { $0 | UInt32(bytes[start + $1]) << ($1 * 8) }
            let high = (bits &+ 0x7fff &+ (bits >> 16 & 1)) >> 16
            rounded.append(UInt8(truncatingIfNeeded: high))
            rounded.append(UInt8(truncatingIfNeeded: high >> 8))
        }
        return ModelTensor(name: name, element: .bf16, shape: shape, bytes: rounded)
    }
}

/// The tensors of a safetensors file that we have fetched ourselves.
enum ModelTensors {
    private struct Header: Decodable {
        var dtype: String
        var shape: [Int]
        var data_offsets: [Int]
    }

    /// Its f32 tensors, in the file's order but for the table of words, which comes last as in a snapshot.
    static func read(_ url: URL) throws -> [ModelTensor] {
        guard let data = try? Data(contentsOf: url) else { throw BenchError.noModel(url.path) }
        let headerByteCount = data.prefix(8).reversed().reduce(0) { $0 << 8 | Int($1) }
        let json = data.subdata(in: 8..<8 + headerByteCount)
        let names = try JSONSerialization.jsonObject(with: json) as? [String: Any] ?? [:]
        let tensors = try names.keys.filter { $0 != "__metadata__" }.map { name in
            let header = try JSONSerialization.data(withJSONObject: names[name] ?? [:])
            return (name, try JSONDecoder().decode(Header.self, from: header))
        }
        let floats = tensors.filter { $0.1.dtype == "F32" && $0.1.data_offsets.count == 2 }
        guard !floats.isEmpty else { throw BenchError.noModel(url.path) }
        let start = 8 + headerByteCount
        let inOrder = floats.sorted { $0.1.data_offsets[0] < $1.1.data_offsets[0] }.map { name, header in
            let bytes = data[start + header.data_offsets[0]..<start + header.data_offsets[1]]
            return ModelTensor(name: name, element: .f32, shape: header.shape, bytes: Array(bytes))
        }
        return inOrder.filter { !$0.isTable } + inOrder.filter(\.isTable)
    }
}
