import Foundation
import Testing

@testable import Tokenizing

/// Small tokenizers of every kind, and what Hugging Face answers (`Kinds/make.py`).
@Suite struct KindsTests {
    private struct Kind: Sendable {
        let name: String
        let file: [UInt8]
        let cases: [Case]
        let pairs: [Pair]
    }

    private struct Case: Decodable {
        let text: String
        let ids: [Int32]
        let origins: [Int]

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            text = try container.decode(String.self)
            ids = try container.decode([Int32].self)
            origins = try container.decode([Int].self)
        }
    }

    private struct Pair: Decodable {
        let first: String
        let second: String
        let tokensMax: Int
        let ids: [Int32]
        let types: [Int32]

        init(from decoder: any Decoder) throws {
            var container = try decoder.unkeyedContainer()
            first = try container.decode(String.self)
            second = try container.decode(String.self)
            tokensMax = try container.decode(Int.self)
            ids = try container.decode([Int32].self)
            types = try container.decode([Int32].self)
        }
    }

    private static let kinds = Result<[Kind], any Error> {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Kinds")
        let data = try Data(contentsOf: folder.appendingPathComponent("kinds.json"))
        let list = try JSONSerialization.jsonObject(with: data) as? [[String: Any]] ?? []
        return try list.map { kind in
            let part = { (key: String) in try JSONSerialization.data(withJSONObject: kind[key] ?? []) }
            return Kind(
                name: kind["name"] as? String ?? "",
                file: [UInt8](try part("tokenizer")),
                cases: try JSONDecoder().decode([Case].self, from: try part("cases")),
                pairs: try JSONDecoder().decode([Pair].self, from: try part("pairs"))
            )
        }
    }

    /// Made once, and through its compiled form; tables of characters are kept, a debug build takes long for one.
    private static let tokenizers = Result<[Tokenizer], any Error> {
        var tables: [(rules: NormalizerRules, table: CharacterTable)] = []
        return try kinds.get().map { kind in
            let made = try Tokenizer(try TokenizerDefinition(parsing: kind.file)) { rules in
                if let known = tables.first(where: { $0.rules == rules }) { return known.table }
                tables.append((rules, CharacterTable(rules: rules)))
                return tables[tables.count - 1].table
            }
            return try Tokenizer(compiled: made.compiled())
        }
    }

    @Test func `ids and origins are those of Hugging Face`() throws {
        let kinds = try Self.kinds.get()
        #expect(kinds.count >= 9)
        for (kind, tokenizer) in zip(kinds, try Self.tokenizers.get()) {
            #expect(kind.cases.count >= 10)
            for one in kind.cases {
                let name = "\(kind.name): \(one.text.debugDescription)"
                #expect(tokenizer.encode(one.text, tokensMax: 1000) == one.ids, "\(name)")
                let encoded = tokenizer.encodeWithOrigins(one.text, tokensMax: 1000)
                #expect(encoded.ids == one.ids, "\(name)")
                let origins = scalars(encoded.origins, in: one.text)
                #expect(origins == one.origins, "\(name)")
            }
        }
    }

    @Test func `pairs are joined, typed and cut as by Hugging Face`() throws {
        for (kind, tokenizer) in zip(try Self.kinds.get(), try Self.tokenizers.get()) {
            for pair in kind.pairs {
                let encoded = tokenizer.encode(pair.first, pair.second, tokensMax: pair.tokensMax)
                #expect(encoded.ids == pair.ids, "\(kind.name): \(pair)")
                #expect(encoded.types == pair.types, "\(kind.name): \(pair)")
            }
        }
    }

    @Test func `a compiled tokenizer is the same tokenizer, and cut short it is refused`() throws {
        for tokenizer in try Self.tokenizers.get() {
            let bytes = tokenizer.compiled()
            #expect(try Tokenizer(compiled: bytes) == tokenizer)
            for count in [0, 9, 40, bytes.count / 3, bytes.count / 2, bytes.count - 1] {
                #expect(throws: TokenizerError.self) { try Tokenizer(compiled: Array(bytes.prefix(count))) }
            }
        }
    }

    @Test func `damaged bytes are refused or give other ids, never a crash`() throws {
        let texts = try Self.kinds.get().flatMap(\.cases).map(\.text)
        var random = SeededGenerator(state: 23)
        var outcomes = (read: 0, refused: 0)
        for tokenizer in try Self.tokenizers.get() {
            let bytes = tokenizer.compiled()
            for round in 0..<12 {
                var mutant = bytes
                for _ in 0..<(round.isMultiple(of: 2) ? 1 : 20) {
                    let place = Int.random(in: 0..<mutant.count, using: &random)
                    mutant[place] ^= 1 << UInt8.random(in: 0..<8, using: &random)
                }
                guard let loaded = try? Tokenizer(compiled: mutant) else {
                    outcomes.refused += 1
                    continue
                }
                outcomes.read += 1
                for _ in 0..<6 {
                    let text = texts[Int.random(in: 0..<texts.count, using: &random)]
                    let ids = loaded.encodeWithOrigins(text, tokensMax: 64).ids
                    #expect(ids.allSatisfy { $0 >= 0 && $0 < loaded.vocabularyCount })
                }
            }
        }
        #expect(outcomes.refused > 10 && outcomes.read > 10, "\(outcomes)")
    }

    @Test func `mutated files are read or refused, never a crash`() throws {
        var random = SeededGenerator(state: 29)
        var outcomes = (read: 0, refused: 0)
        for kind in try Self.kinds.get() {
            for _ in 0..<12 {
                var mutant = kind.file
                for _ in 0...Int.random(in: 0..<3, using: &random) {
                    let place = Int.random(in: 0..<mutant.count, using: &random)
                    switch Int.random(in: 0..<3, using: &random) {
                    case 0: mutant[place] = UInt8.random(in: 0x20...0x7E, using: &random)
                    case 1: mutant[place] = Array("0123456789-[]{},\"\\".utf8).randomElement(using: &random) ?? 0
                    default: mutant.remove(at: place)
                    }
                }
                do {
                    _ = try TokenizerDefinition(parsing: mutant)
                    outcomes.read += 1
                } catch {
                    outcomes.refused += 1
                }
            }
        }
        #expect(outcomes.read > 3 && outcomes.refused > 10, "\(outcomes)")
    }

    private func scalars(_ origins: [Range<Int>], in text: String) -> [Int] {
        let utf8 = text.utf8
        let count = { (offset: Int) in
            text.unicodeScalars.distance(
                from: text.startIndex,
                to: utf8.index(utf8.startIndex, offsetBy: offset)
            )
        }
        return origins.flatMap { [count($0.lowerBound), count($0.upperBound)] }
    }
}
