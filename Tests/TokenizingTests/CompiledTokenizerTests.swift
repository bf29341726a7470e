import Testing

@testable import Tokenizing

@Suite struct CompiledTokenizerTests {
    @Test func `a compiled tokenizer is the same tokenizer`() throws {
        for made in [try SharedTokenizer.uncased.get(), try SharedTokenizer.added.get()] {
            let loaded = try Tokenizer(compiled: made.compiled())
            #expect(loaded == made)
            #expect(
                loaded.encode("Hello unaffable [MASK]", tokensMax: 9)
                    == made.encode("Hello unaffable [MASK]", tokensMax: 9)
            )
        }
    }

    @Test func `other bytes, another version and a torn file are refused`() throws {
        let bytes = try SharedTokenizer.uncased.get().compiled()
        #expect(throws: TokenizerError.notCompiled("these bytes are something else")) {
            try Tokenizer(compiled: Array("{\"version\": 1}".utf8))
        }
        var other = bytes
        other[4] = 9
        let error = #expect(throws: TokenizerError.self) { try Tokenizer(compiled: other) }
        #expect(error?.description.contains("version 9, but this program reads 2: deploy the function again") == true)
        for count in [0, 3, 4, 8, 20, 100, bytes.count / 2, bytes.count - 1] {
            #expect(throws: TokenizerError.self) { try Tokenizer(compiled: Array(bytes.prefix(count))) }
        }
        #expect(throws: TokenizerError.notCompiled("1 bytes are left over")) { try Tokenizer(compiled: bytes + [0]) }
    }

    @Test func `damaged bytes are refused or give other ids, never a crash`() throws {
        let made = try SharedTokenizer.added.get()
        let bytes = made.compiled()
        let texts = try Fixtures.cases(Fixtures.added).map(\.text)
        var random = SeededGenerator(state: 17)
        var outcomes = (read: 0, refused: 0)
        for round in 0..<60 {
            var mutant = bytes
            // Most bytes are the table of characters; a part of the rounds stays with what comes before it.
            let range = round.isMultiple(of: 3) ? 0..<120 : 0..<mutant.count
            for _ in 0..<(round.isMultiple(of: 3) ? 2 : 2_000) {
                mutant[Int.random(in: range, using: &random)] = UInt8.random(in: .min ... .max, using: &random) >> 5
            }
            guard let loaded = try? Tokenizer(compiled: mutant) else {
                outcomes.refused += 1
                continue
            }
            outcomes.read += 1
            for text in texts {
                let ids = loaded.encode(text, tokensMax: 64)
                #expect(ids.allSatisfy { $0 >= 0 && $0 < loaded.vocabularyCount })
            }
        }
        #expect(outcomes.refused > 0)
    }
}
