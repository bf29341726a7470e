import Foundation
import Inference
import Tasks
import Testing
import Tokenizing

@testable import Models

/// Models of toy size as `transformers` and sentence-transformers save them, and what those libraries answer
/// (`Fixtures/heads.py`).
@Suite struct HeadsTests {
    struct Model: Decodable, Sendable, CustomTestStringConvertible {
        let name: String
        let task: String
        let files: [String: String]
        let weights: [String: Data]
        var pairs: [[String]]?
        var scores: [Float]?
        var ids: [[Int32]]?
        var texts: [String]?
        var entities: [String: [[Entity]]]?
        var vectors: [[Float]]?

        var testDescription: String { name }

        func bundle(_ change: (String, String) -> String? = { $1 }) -> ModelBundle {
            var bundle = ModelBundle()
            for (path, text) in files.sorted(by: { $0.key < $1.key }) {
                if let text = change(path, text) { bundle.add("model/\(path)", text) }
            }
            for (path, data) in weights.sorted(by: { $0.key < $1.key }) { bundle.add("model/\(path)", [UInt8](data)) }
            return bundle
        }
    }

    struct Entity: Decodable, Equatable, Sendable {
        let label: String
        let score: Float
        let start: Int
        let end: Int

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            label = try values.decode(String.self)
            score = try values.decode(Float.self)
            start = try values.decode(Int.self)
            end = try values.decode(Int.self)
        }
    }

    static func models(_ task: String) -> [Model] {
        do {
            let data = Data(try ModelBundle.fixture("heads-\(task).json"))
            return try JSONDecoder().decode([Model].self, from: data)
        } catch {
            preconditionFailure("heads-\(task).json: \(error)")
        }
    }

    /// The model's task, as a worker has it.
    private func runner(_ model: Model, _ kind: TaskConfiguration.Kind) throws -> (TaskRunner, ImportedModel) {
        let bundle = model.bundle()
        let imported = try bundle.importModel("model", for: try #require(TextTask(rawValue: model.task)))
        #expect(imported.tokensMax == 32)
        let configuration = TaskConfiguration(kind: kind, tokensMax: imported.tokensMax, labels: imported.labels)
        let views = bundle.views(of: imported)
        let tokenizer = try #require(imported.tokenizer)
        let runner = try TaskRunner(configuration, plan: imported.plan.encoded(), tokenizer: tokenizer) { views[$0] }
        return (runner, imported)
    }

    private func reply<Reply: Decodable>(_ runner: TaskRunner, _ body: some Encodable, _: Reply.Type) throws -> Reply {
        let request = TaskRequest(contentType: "application/json", body: [UInt8](try JSONEncoder().encode(body)))
        return try JSONDecoder().decode(Reply.self, from: Data(try runner.run(request).body))
    }

    private func expect(_ ours: [Float], _ theirs: [Float], _ what: String) {
        #expect(ours.count == theirs.count, "\(what)")
        let scale = max(1, theirs.map(abs).max() ?? 1)
        let difference = zip(ours, theirs).map { abs($0 - $1) }.max() ?? 0
        #expect(difference <= 1e-5 * scale, "\(what): \(difference)")
    }

    @Test(arguments: models("rank"))
    func `a cross-encoder cuts and scores pairs as CrossEncoder does`(_ model: Model) throws {
        let (runner, imported) = try runner(model, .rank)
        struct Reply: Decodable { let scores: [Float] }
        let pairs = try #require(model.pairs)
        let scores = try reply(runner, ["pairs": pairs], Reply.self).scores
        expect(scores, try #require(model.scores), model.name)
        // One by one, as all together.
        for (pair, score) in zip(pairs, scores) {
            let alone = try reply(runner, ["pairs": [pair]], Reply.self).scores
            #expect(alone.count == 1 && abs(alone[0] - score) < 1e-6)
        }
        let compiled = try #require(imported.tokenizer)
        let tokenizer = try Tokenizer(compiled: compiled.span.bytes)
        for (pair, expected) in zip(pairs, try #require(model.ids)) {
            #expect(tokenizer.encode(pair[0], pair[1], tokensMax: imported.tokensMax).ids == expected)
            var (ids, types): ([Int32], [Int32]) = ([], [])
            let count = tokenizer.append(
                pairOf: tokenizer.pieces(of: pair[0]),
                tokenizer.pieces(of: pair[1]),
                tokensMax: imported.tokensMax,
                to: &ids,
                types: &types
            )
            #expect(ids == expected && types.count == count && count == expected.count)
        }
    }

    @Test(arguments: models("tag"))
    func `a token classifier finds the entities of the pipeline`(_ model: Model) throws {
        struct Found: Decodable {
            let entity: String?
            let entity_group: String?
            let score: Float
            let word: String
            let start: Int
            let end: Int
        }
        struct Reply: Decodable { let entities: [[Found]] }
        struct Body: Encodable {
            let text: [String]
            let aggregation: String
        }
        let (runner, _) = try runner(model, .tag)
        let texts = try #require(model.texts)
        for (aggregation, expected) in try #require(model.entities) {
            let answer = try reply(runner, Body(text: texts, aggregation: aggregation), Reply.self).entities
            #expect(answer.count == expected.count)
            for (text, (ours, theirs)) in zip(texts, zip(answer, expected)) {
                let what = "\(aggregation) of \(text)"
                #expect(ours.map { $0.entity ?? $0.entity_group } == theirs.map(\.label), "\(what)")
                #expect(ours.map(\.start) == theirs.map(\.start) && ours.map(\.end) == theirs.map(\.end), "\(what)")
                #expect(ours.allSatisfy { ($0.entity != nil) == (aggregation == "none") })
                expect(ours.map(\.score), theirs.map(\.score), what)
                for found in ours {
                    let scalars = text.unicodeScalars.dropFirst(found.start).prefix(found.end - found.start)
                    #expect(found.word == String(scalars))
                }
            }
        }
    }

    @Test(arguments: models("embed"))
    func `a directory with modules gives the vectors of sentence-transformers`(_ model: Model) throws {
        struct Reply: Decodable { let embeddings: [[Float]] }
        let texts = try #require(model.texts)
        let vectors = try reply(try runner(model, .embed).0, ["text": texts], Reply.self).embeddings
        for (text, (ours, theirs)) in zip(texts, zip(vectors, try #require(model.vectors))) {
            expect(ours, theirs, text)
        }
        #expect(vectors.count == texts.count)
    }
}
