import Graphs
import Inference
import JSON
import Linux
import Manifests
import Models
import Tokenizing
import Wire

@testable import Snapshots

/// A parser of bytes that come from outside: any bytes are either understood or refused, and never trap.
///
/// The name is what `deploy/fuzz` takes and the folder of its corpus.
enum FuzzTarget: String, CaseIterable {
    case json
    case manifest
    case onnx
    case safetensors
    case bert
    case tokenizer
    case compiledTokenizer
    case plan
    case graph
    case snapshotIndex
    case frames

    func run(_ bytes: [UInt8]) {
        switch self {
        case .json: _ = try? JSON.parse(bytes)
        case .manifest: _ = try? Manifest.parse(bytes: bytes, file: Manifest.fileName)
        case .onnx: importModel(["model.onnx": 0..<bytes.count], "model.onnx", bytes)
        case .safetensors: _ = try? SafeTensors(0..<bytes.count, in: unsafe bytes.span.bytes, path: "model.safetensors")
        case .bert: Self.importDirectory(bytes)
        case .tokenizer: Self.tokenize(bytes)
        case .compiledTokenizer: Self.encode(bytes)
        case .plan: _ = try? Plan(decoding: bytes)
        case .graph: _ = try? Graph(decoding: bytes)
        case .snapshotIndex: try? Self.load(index: bytes)
        case .frames: Self.parseFrames(bytes)
        }
    }

    private func importModel(_ files: [String: Range<Int>], _ source: String, _ bytes: [UInt8]) {
        _ = try? ModelImporter.importModel(source: source, of: ModelFiles(ranges: files), in: unsafe bytes.span.bytes)
    }
}

extension FuzzTarget {
    /// A directory in Hugging Face layout, its files one after the other with a zero byte between them.
    private static func importDirectory(_ bytes: [UInt8]) {
        let names = ["config.json", "tokenizer.json", "model.safetensors"]
        var files: [String: Range<Int>] = [:]
        var start = 0
        for name in names {
            let end = name == names.last ? bytes.count : bytes[start...].firstIndex(of: 0) ?? bytes.count
            files["model/\(name)"] = start..<end
            start = min(end + 1, bytes.count)
        }
        _ = try? ModelImporter.importModel(source: "model", of: ModelFiles(ranges: files), in: unsafe bytes.span.bytes)
    }

    private static let text = "Hello, Wörld! 你好 🙂 e\u{301} \u{0} ab12"

    private static func tokenize(_ bytes: [UInt8]) {
        guard let tokenizer = try? Tokenizer(tokenizerJSON: bytes) else { return }
        _ = tokenizer.encode(text, tokensMax: 32)
    }

    private static func encode(_ bytes: [UInt8]) {
        guard let tokenizer = try? Tokenizer(compiled: bytes) else { return }
        _ = tokenizer.encode(text, tokensMax: 32)
    }

    /// The bytes as the index of a snapshot whose digests are in order: what only an attacker would make.
    ///
    /// The first two say how many bytes of data there are.
    private static func load(index bytes: [UInt8]) throws {
        guard bytes.count >= 2 else { return }
        let data = [UInt8](repeating: 0, count: Int(bytes[0]) | Int(bytes[1]) << 8)
        let index = Array(bytes.dropFirst(2))
        let frame = ZstdFrame.skippableHeader(SnapshotFormat.indexFrame, byteCount: index.count)
        let header = SnapshotHeader(
            indexOffset: SnapshotFormat.headerByteCount + data.count + frame.count,
            indexByteCount: index.count,
            indexDigest: try Hash.snapshot(of: index)
        )
        let file = try FileDescriptor.memoryFile("fuzz")
        try file.pwrite(header.encoded() + data + frame + index, at: 0)
        _ = try LoadedSnapshot(file: file, verifying: .checksums, arenaByteCountMax: 1 << 20)
    }

    private static func parseFrames(_ bytes: [UInt8]) {
        _ = try? TemplateOrder(parsing: bytes)
        _ = try? TemplateReport(parsing: bytes)
        _ = try? CallHead(parsing: bytes)
        _ = try? ReplyHead(parsing: bytes)
        guard bytes.count >= 16 else { return }
        let words = unsafe bytes.withUnsafeBytes { bytes in
            unsafe (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        _ = try? FrameHeader(words: words)
    }
}
