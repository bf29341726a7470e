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
        let request = TaskRequest(form: form, contentType: "application/json", body: Array(bytes.dropFirst(2)))
        do throws(TaskFailure) {
            let reply = try runner.run(request)
            let count = InferenceReplyType.jsonByteCount(of: reply.contentType) ?? reply.body.count
            precondition((try? JSON.parse(Array(reply.body.prefix(count)))) != nil, "a reply is JSON")
        } catch {
            if case .model(let sentence) = error { preconditionFailure("a defect of the model: \(sentence)") }
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
