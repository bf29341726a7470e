import Testing

@testable import Tokenizing

@Suite struct PieceTrieTests {
    private func key(_ text: String, _ value: UInt32, _ root: PieceTrie.Root = .wordStart) -> PieceTrie.Key {
        PieceTrie.Key(root: root, text: Array(text.utf8), value: value)
    }

    private func match(_ trie: PieceTrie, _ text: String, from start: Int = 0, _ root: PieceTrie.Root = .wordStart)
        -> [Int]?
    {
        let bytes = Array(text.utf8)
        return trie.longestMatch(in: bytes.span, from: start, root: root).map { [Int($0.value), $0.end] }
    }

    @Test func `the longest text wins, each root for itself`() {
        let trie = PieceTrie(keys: [
            key("a", 1), key("abc", 2), key("b", 3, .continuation), key("é", 4), key("abc", 9),
            key("a", 5, .continuation),
        ])
        #expect(match(trie, "abx") == [1, 1])
        #expect(match(trie, "abcd") == [2, 3])
        #expect(match(trie, "xabc", from: 1) == [2, 4])
        #expect(match(trie, "b") == nil)
        #expect(match(trie, "b", .continuation) == [3, 1])
        #expect(match(trie, "a", .continuation) == [5, 1])
        #expect(match(trie, "é") == [4, 2])
        #expect(match(trie, "a", .verbatimTokens) == nil)
        #expect(match(trie, "", .wordStart) == nil)
    }

    @Test func `random texts are found as a dictionary finds them`() {
        var random = SeededGenerator(state: 2)
        var values: [[UInt8]: UInt32] = [:]
        for value in 0..<3_000 {
            let count = Int.random(in: 1...6, using: &random)
            // Few different bytes, so that texts are prefixes of each other; now and then any byte.
            let text = (0..<count).map { _ in
                Bool.random(using: &random)
                    ? UInt8.random(in: 97...101, using: &random) : UInt8.random(in: .min ... .max, using: &random)
            }
            if values[text] == nil { values[text] = UInt32(value) }
        }
        let trie = PieceTrie(keys: values.map { PieceTrie.Key(root: .continuation, text: $0.key, value: $0.value) })
        #expect(trie.bases.count < 60_000)
        for (text, value) in values {
            let found = trie.longestMatch(in: (text + [0]).span, from: 0, root: .continuation)
            let longer = values[text + [0]]
            #expect(found?.value == longer ?? value)
            for count in (0..<text.count).reversed() {
                let prefix = Array(text[..<count])
                let expected = (0...count).reversed().compactMap { values[Array(prefix[..<$0])] }.first
                #expect(trie.longestMatch(in: prefix.span, from: 0, root: .continuation)?.value == expected)
            }
        }
    }
}
