import JSON
import Wire

@testable import Tasks

/// Bodies of calls, in each protocol, with the smallest of models behind them.
enum FuzzedCall {
    // Built once: nothing of a call stays in them.
    nonisolated(unsafe) private static let texts = try? TinyModels.runner(  // Safe: the fuzzer has one thread.
        TaskConfiguration(kind: .embed, tokensMax: 8),
        TinyModels.mean
    )
    nonisolated(unsafe) private static let numbers = try? TinyModels.runner(  // Safe: the fuzzer has one thread.
        TaskConfiguration(kind: .classify),
        TinyModels.scaled
    )

    nonisolated(unsafe) private static let ranker = try? TinyModels.runner(  // Safe: the fuzzer has one thread.
        TaskConfiguration(kind: .rank, tokensMax: 8),
        TinyModels.pairs
    )
    nonisolated(unsafe) private static let tagger = try? TinyModels.runner(  // Safe: the fuzzer has one thread.
        TaskConfiguration(kind: .tag, tokensMax: 8),
        TinyModels.tokens
    )

    /// The first byte says whether the model takes texts (1), of what length the JSON in front of tensors is (2), and by
    /// the next two bits how the body is compressed; the second byte is that length.
    static func run(_ bytes: [UInt8], _ target: FuzzTarget) {
        guard bytes.count >= 2 else { return }
        let form: CallForm
        switch target {
        case .openAIBody: form = .openAIEmbeddings
        case .openInferenceBody:
            let encoding = BodyEncoding(rawValue: bytes[0] >> 2 & 3) ?? .identity
            let jsonByteCount = bytes[0] & 2 == 0 ? nil : UInt32(bytes[1])
            form = .openInference(
                OpenInferenceCall(model: "m", version: 1, encoding: encoding, jsonByteCount: jsonByteCount)
            )
        case .predictionBody: form = .prediction
        default: form = .own
        }
        guard let runner = unsafe bytes[0] & 1 == 1 ? texts : numbers else {
            preconditionFailure("the models of the tests are sound")
        }
        ask(runner, form, bytes.dropFirst(2))
    }

    /// Bodies of a ranker or a tagger: the first byte says in which protocol.
    static func runText(_ bytes: [UInt8], _ target: FuzzTarget) {
        guard let first = bytes.first else { return }
        let forms: [CallForm] = [.own, .rerank, .prediction]
        guard let runner = target == .rankBody ? ranker : tagger else {
            preconditionFailure("the models of the tests are sound")
        }
        ask(runner, forms[Int(first) % forms.count], bytes.dropFirst())
    }

    private static func ask(_ runner: TaskRunner, _ form: CallForm, _ body: ArraySlice<UInt8>) {
        let request = TaskRequest(form: form, contentType: "application/json", body: Array(body))
        do throws(TaskFailure) {
            let reply = try runner.run(request)
            let count = InferenceReplyType.jsonByteCount(of: reply.contentType) ?? reply.body.count
            precondition((try? JSON.parse(Array(reply.body.prefix(count)))) != nil, "a reply is JSON")
        } catch {
            // Also that the model answered what is no number: binary tensors may hold infinity.
        }
    }

    static func inflate(_ bytes: [UInt8]) {
        let bytesMax = 1 << 16
        for encoding in [BodyEncoding.gzip, .deflate] {
            guard let result = try? Inflation.inflate(bytes, encoding, bytesMax: bytesMax) else { continue }
            precondition(result.count <= bytesMax, "the bound holds")
        }
        _ = Inflation.inflateBare(bytes, byteCount: bytesMax)
    }

    static func readTask(_ bytes: [UInt8]) {
        guard let task = try? TaskConfiguration(decoding: bytes) else { return }
        precondition((try? TaskConfiguration(decoding: task.encoded())) == task, "it is written and read again")
    }
}
