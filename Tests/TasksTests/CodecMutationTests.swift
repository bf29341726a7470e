import JSON
import Testing
import Wire

@testable import Tasks

/// Bodies of every protocol, damaged at random from a seed: each is answered or refused with a sentence, never a crash.
@Suite struct CodecMutationTests {
    private struct Seed {
        var form: CallForm
        var body: [UInt8]
        var isText: Bool
    }

    private static func seeds() -> [Seed] {
        func text(_ form: CallForm, _ body: String, isText: Bool) -> Seed {
            Seed(form: form, body: Array(body.utf8), isText: isText)
        }
        let plain = CallForm.openInference(OpenInferenceCall(model: "m", version: 1))
        let head =
            #"{"inputs":[{"name":"image","datatype":"FP32","shape":[1,3],"parameters":{"binary_data_size":12}}]}"#
        let words = #"{"inputs":[{"name":"text","datatype":"BYTES","shape":[2],"parameters":{"binary_data_size":12}}]}"#
        func binary(_ head: String, _ bytes: [UInt8], isText: Bool) -> Seed {
            let call = OpenInferenceCall(model: "m", version: 1, jsonByteCount: UInt32(head.utf8.count))
            return Seed(form: .openInference(call), body: Array(head.utf8) + bytes, isText: isText)
        }
        return [
            text(.openAIEmbeddings, #"{"input":["hello","wor\u00e9ld"],"encoding_format":"base64"}"#, isText: true),
            text(.openAIEmbeddings, #"{"input":[[2,4,3],[5]],"dimensions":2,"model":"m"}"#, isText: true),
            text(
                plain,
                #"{"id":"1","inputs":[{"name":"image","datatype":"FP32","shape":[2,3],"data":[[1,2,3],[4,5,6]]}]}"#,
                isText: false
            ),
            binary(head, [0, 0, 128, 63, 0, 0, 0, 64, 0, 0, 64, 64], isText: false),
            binary(words, [1, 0, 0, 0, 97, 3, 0, 0, 0, 98, 99, 100], isText: true),
            text(.prediction, #"{"inputs":{"image":[[1,2,3],[0.5,-1,1e3]]}}"#, isText: false),
            text(.prediction, #"{"text":["hello","world"]}"#, isText: true),
        ]
    }

    @Test func `damaged bodies of rankers and taggers are answered or refused`() throws {
        let ranker = try TinyModels.runner(TaskConfiguration(kind: .rank, tokensMax: 8), TinyModels.pairs)
        let tagger = try TinyModels.runner(TaskConfiguration(kind: .tag, tokensMax: 8), TinyModels.tokens)
        let seeds: [(runner: TaskRunner, form: CallForm, body: String)] = [
            (ranker, .own, #"{"query":"hello","documents":["world",{"text":"wörld"}]}"#),
            (ranker, .own, #"{"pairs":[["hello","world"],["",""]]}"#),
            (ranker, .rerank, #"{"query":"hello","documents":["world","a"],"top_n":1,"return_documents":true}"#),
            (ranker, .prediction, #"{"query":"hello","document":["world","a"]}"#),
            (tagger, .own, #"{"text":["hello wörld","é"],"aggregation":"max"}"#),
        ]
        var random = Mutation(seed: 7)
        var answered = 0
        for round in 0..<2_000 {
            let seed = seeds[round % seeds.count]
            let request = TaskRequest(form: seed.form, contentType: "", body: random.damaged(Array(seed.body.utf8)))
            do throws(TaskFailure) {
                let reply = try seed.runner.run(request)
                #expect((try? JSON.parse(reply.body)) != nil, "reply to \(request.body)")
                answered += 1
            } catch {
                if case .model(let sentence) = error { Issue.record("a defect of the model: \(sentence)") }
            }
        }
        #expect(answered > 50)
    }

    @Test func `damaged bodies are answered or refused`() throws {
        let texts = try TinyModels.runner(TaskConfiguration(kind: .embed, tokensMax: 8), TinyModels.mean)
        let numbers = try TinyModels.runner(TaskConfiguration(kind: .classify), TinyModels.scaled)
        let seeds = Self.seeds()
        var random = Mutation(seed: 2026)
        var answered = 0
        for round in 0..<8_000 {
            let seed = seeds[round % seeds.count]
            let body = random.damaged(seed.body)
            let runner = seed.isText ? texts : numbers
            let request = TaskRequest(form: seed.form, contentType: "", body: body)
            do throws(TaskFailure) {
                let reply = try runner.run(request)
                let count = InferenceReplyType.jsonByteCount(of: reply.contentType) ?? reply.body.count
                #expect((try? JSON.parse(Array(reply.body.prefix(count)))) != nil, "reply to \(body)")
                answered += 1
            } catch {
                if case .model(let sentence) = error { Issue.record("a defect of the model: \(sentence), of \(body)") }
            }
        }
        #expect(answered > 300)
    }

    @Test func `damaged streams are inflated or refused, within the bound`() {
        var random = Mutation(seed: 7)
        // 64 KiB of zeros, by zlib.
        let bomb: [UInt8] = [0x78, 0x9c, 0xed, 0xc1, 0x01, 0x01, 0x00, 0x00, 0x00, 0x80, 0x90, 0xfe, 0xaf, 0xee, 0x08]
        for _ in 0..<4_000 {
            let bytes = random.damaged(bomb + [0x0a, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
            if let result = try? Inflation.inflate(bytes, .deflate, bytesMax: 1000) { #expect(result.count <= 1000) }
        }
    }

    @Test func `damaged call forms are read or refused`() {
        var random = Mutation(seed: 11)
        let call = OpenInferenceCall(model: "embed:blue", version: 9, encoding: .gzip, jsonByteCount: 144)
        let seed = CallHead(bodyCount: 100, contentType: "a/b", form: .openInference(call)).encoded()
        #expect((try? CallHead(parsing: seed))?.form == .openInference(call))
        var read = 0
        for _ in 0..<4_000 where (try? CallHead(parsing: random.damaged(seed))) != nil { read += 1 }
        #expect(read > 100)
    }
}

/// Damage from a seed: bytes changed, put in, taken out and doubled.
private struct Mutation {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    /// Knuth's linear congruential generator: the same damage in every run.
    private mutating func next(_ bound: Int) -> Int {
        state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
        return Int(state >> 33) % bound
    }

    mutating func damaged(_ bytes: [UInt8]) -> [UInt8] {
        var bytes = bytes
        for _ in 0...next(3) where !bytes.isEmpty {
            let place = next(bytes.count)
            switch next(5) {
            case 0: bytes[place] = UInt8(next(256))
            case 1: bytes.insert(Array("[]{}\",:0e-\\9".utf8)[next(12)], at: place)
            case 2: bytes.remove(at: place)
            case 3: bytes.insert(contentsOf: bytes[place..<min(bytes.count, place + 1 + next(12))], at: place)
            default: bytes.removeLast(next(min(8, bytes.count)))
            }
        }
        return bytes
    }
}
