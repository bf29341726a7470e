import Foundation
import Testing
import Trials

/// Directories as `transformers` and sentence-transformers save them, deployed without a word of ours and asked for
/// what those libraries answered (`Tests/ModelsTests/Fixtures/heads.py`).
@Suite(.serialized)
struct HeadsTests {
    private struct Model: Decodable {
        let name: String
        let files: [String: String]
        let weights: [String: Data]
        var pairs: [[String]]?
        var scores: [Double]?
        var texts: [String]?
        var entities: [String: [[Entity]]]?

        var contents: [String: Data] { files.mapValues { Data($0.utf8) }.merging(weights) { first, _ in first } }
    }

    private struct Entity: Decodable {
        let label: String
        let score: Double

        init(from decoder: any Decoder) throws {
            var values = try decoder.unkeyedContainer()
            label = try values.decode(String.self)
            score = try values.decode(Double.self)
        }
    }

    private static func model(_ task: String, _ name: String) throws -> Model {
        let url = Tree.root.appendingPathComponent("Tests/ModelsTests/Fixtures/heads-\(task).json")
        let models = try JSONDecoder().decode([Model].self, from: Data(contentsOf: url))
        return try #require(models.first { $0.name == name })
    }

    /// Writes a model as a directory of this name, and deploys it as it is.
    private func deploy(_ model: Model, as name: String, on node: TrialNode) async throws {
        let parent = try TrialNode.freshDirectory()
        defer { try? FileManager.default.removeItem(atPath: parent) }
        for (path, contents) in model.contents {
            let url = URL(fileURLWithPath: "\(parent)/\(name)/\(path)")
            try FileManager.default.createDirectory(
                at: url.deletingLastPathComponent(),
                withIntermediateDirectories: true
            )
            try contents.write(to: url)
        }
        let outcome = try await node.thaw("deploy", "\(parent)/\(name)")
        #expect(outcome.status == 0, "\(outcome)")
    }

    private func ask<Reply: Decodable>(
        _ node: TrialNode,
        _ path: String,
        _ body: [String: Any],
        _: Reply.Type
    ) async throws -> Reply {
        let data = try JSONSerialization.data(withJSONObject: body)
        let answer = try await node.request("POST", path, body: data, headers: ["content-type": "application/json"])
        #expect(answer.status == 200, "\(path): \(answer.text)")
        return try JSONDecoder().decode(Reply.self, from: answer.body)
    }

    private struct Ranking: Decodable {
        struct Result: Decodable {
            let index: Int
            let relevance_score: Double
        }
        let results: [Result]
    }

    private struct Scores: Decodable { let scores: [Double] }

    @Test func `a directory of a cross-encoder ranks, by its own door and by that of rerankers`() async throws {
        let node = try await TrialNode(programs: Tree.programs, arguments: ["--resting-memory", "256MiB"])
        defer { node.removeData() }
        let model = try Self.model("rank", "bert-rank")
        try await deploy(model, as: "ranker", on: node)
        let (pairs, expected) = (try #require(model.pairs), try #require(model.scores))
        let own = try await ask(node, "/functions/ranker/invocations", ["pairs": pairs], Scores.self)
        #expect(zip(own.scores, expected).allSatisfy { abs($0 - $1) < 2e-5 } && own.scores.count == expected.count)
        // The first five pairs are of one query.
        let documents = pairs.prefix(5).map { $0[1] }
        for path in ["/v1/rerank", "/v2/rerank"] {
            let body: [String: Any] = ["model": "ranker", "query": pairs[0][0], "documents": documents, "top_n": 3]
            let ranking = try await ask(node, path, body, Ranking.self).results
            let best = expected.prefix(5).enumerated().sorted { $0.element > $1.element }.prefix(3)
            #expect(ranking.map(\.index) == best.map(\.offset))
            #expect(zip(ranking, best).allSatisfy { abs($0.relevance_score - $1.element) < 2e-5 })
        }
        // The same in integers: near to it, and measured.
        let bundle = try TrialBundle(
            "name: narrow\nmodel: {source: model, task: rank}\nprecision: int8\n",
            files: Dictionary(uniqueKeysWithValues: model.contents.map { ("model/\($0)", $1) })
        )
        defer { bundle.remove() }
        let outcome = try await node.thaw("deploy", bundle.path)
        #expect(outcome.status == 0, "\(outcome)")
        let narrow = try await ask(node, "/functions/narrow/invocations", ["pairs": pairs], Scores.self)
        #expect(zip(narrow.scores, expected).allSatisfy { abs($0 - $1) < 0.2 }, "\(narrow.scores)")
        #expect(await node.stop() == 0)
    }

    @Test func `a directory of a token classifier tags`() async throws {
        struct Found: Decodable {
            let entity_group: String
            let score: Double
        }
        struct Reply: Decodable { let entities: [[Found]] }
        struct Rows: Decodable { let text: [Int] }
        let node = try await TrialNode(programs: Tree.programs, arguments: ["--resting-memory", "256MiB"])
        defer { node.removeData() }
        let model = try Self.model("tag", "bert-tag")
        try await deploy(model, as: "names", on: node)
        let texts = try #require(model.texts)
        let expected = try #require(model.entities?["simple"])
        let found = try await ask(node, "/functions/names/invocations", ["text": texts], Reply.self).entities
        #expect(found.map { $0.map(\.entity_group) } == expected.map { $0.map(\.label) })
        let (ours, theirs) = (found.flatMap { $0.map(\.score) }, expected.flatMap { $0.map(\.score) })
        #expect(zip(ours, theirs).allSatisfy { abs($0 - $1) < 2e-5 } && !theirs.isEmpty)
        let rows = try await ask(node, "/predict/names", ["text": texts], Rows.self)
        #expect(rows.text == expected.enumerated().flatMap { place, entities in entities.map { _ in place } })
        #expect(await node.stop() == 0)
    }
}
