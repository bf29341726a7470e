import Graphs
import Inference
import JSON
import Manifests
import Models
import Tokenizing

/// A parser of bytes that come from outside: any bytes are either understood or refused, and never trap.
///
/// The name is what `deploy/fuzz` takes and the folder of its corpus. They stand in the order of who writes the bytes.
enum FuzzTarget: String, CaseIterable {
    // Whoever reaches the port.
    case http
    case ownBody
    case openAIBody
    case openInferenceBody
    case predictionBody
    case rankBody
    case tagBody
    case inflate
    case json
    case lambdaRequest
    case signature
    case upload
    // Whoever deploys.
    case archive
    case zip
    case bundle
    case manifest
    case onnx
    case safetensors
    case bert
    case tokenizer
    case pattern
    case charsmap
    // A process of ours that has read what they wrote.
    case packReport
    case runtimeRequest
    case callFrames
    case nestedCalls
    case frames
    case replies
    case rings
    case catalog
    // A file that lay on a disk.
    case snapshotIndex
    case compiledTokenizer
    case plan
    case graph
    case task
    case codeImage
    case slots
    case zstd
    case trace

    func run(_ bytes: [UInt8]) {
        switch self {
        case .http: FuzzedConnection.run(bytes)
        case .ownBody, .openAIBody, .openInferenceBody, .predictionBody: FuzzedCall.run(bytes, self)
        case .rankBody, .tagBody: FuzzedCall.runText(bytes, self)
        case .inflate: FuzzedCall.inflate(bytes)
        case .json: _ = try? JSON.parse(bytes)
        case .lambdaRequest: FuzzedLambda.operate(bytes)
        case .signature: FuzzedLambda.verify(bytes)
        case .upload: FuzzedLambda.upload(bytes)
        case .archive: FuzzedBundle.readArchive(bytes)
        case .zip: FuzzedBundle.readZip(bytes)
        case .bundle: FuzzedBundle.pack(bytes)
        case .manifest: _ = try? Manifest.parse(bytes: bytes, file: Manifest.fileName)
        case .onnx: FuzzedModel.importModel(["model.onnx": 0..<bytes.count], "model.onnx", bytes)
        case .safetensors: _ = try? SafeTensors(0..<bytes.count, in: unsafe bytes.span.bytes, path: "model.safetensors")
        case .bert: FuzzedModel.importDirectory(bytes)
        case .tokenizer: FuzzedTokenizer.tokenize(bytes)
        case .pattern: FuzzedTokenizer.match(bytes)
        case .charsmap: FuzzedTokenizer.replace(bytes)
        case .packReport: _ = try? PackReport(decoding: bytes)
        case .runtimeRequest: FuzzedProgram.ask(bytes)
        case .callFrames: FuzzedProgram.read(bytes)
        case .nestedCalls: FuzzedWire.assembleNested(bytes)
        case .frames: FuzzedWire.parse(bytes)
        case .replies: FuzzedWire.assemble(bytes)
        case .rings: FuzzedWire.turn(bytes)
        case .catalog: FuzzedFile.readCatalog(bytes)
        case .snapshotIndex: FuzzedFile.load(snapshot: bytes)
        case .compiledTokenizer: FuzzedTokenizer.encode(bytes)
        case .plan: _ = try? Plan(decoding: bytes)
        case .graph: _ = try? Graph(decoding: bytes)
        case .task: FuzzedCall.readTask(bytes)
        case .codeImage: FuzzedWire.readImage(bytes)
        case .slots: FuzzedFile.recover(slots: bytes)
        case .zstd: FuzzedFile.decompress(bytes)
        case .trace: FuzzedFile.read(trace: bytes)
        }
    }
}
