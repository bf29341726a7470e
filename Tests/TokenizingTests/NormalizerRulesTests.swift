import Testing

@testable import Tokenizing

@Suite struct NormalizerRulesTests {
    /// What every scalar does between two letters, as one number for each range.
    ///
    /// The numbers are FNV-1a over the words of "a\(scalar)b", joined by zeros, a line feed after each scalar, written by
    /// `BertNormalizer` and `BertPreTokenizer` of Hugging Face `tokenizers` 0.23.3. Scalars in between are unassigned
    /// or like their neighbours.
    @Test(
        arguments: [
            (0x0000..<0x3000, 0x2546_6ED3_F676_5A86, 0x67FE_F767_CA57_6319),
            (0x3000..<0x10000, 0x2C97_E053_E10E_90BA, 0x1ACC_B392_DF7D_A2DA),
            (0x10000..<0x20000, 0xCE8A_A401_911D_46C8, 0xF5C2_87CD_410E_CE63),
            (0x20000..<0x30000, 0x7AB1_5E03_38A1_2968, 0x7304_7715_B9DA_0E25),
            (0xE0000..<0xE0200, 0xBBA8_7FD8_8C57_35F9, 0x05D8_7274_9F2A_7129),
            (0x10FF00..<0x110000, 0x9550_5A70_8762_A6AE, 0x9550_5A70_8762_A6AE),
        ] as [(Range<UInt32>, UInt64, UInt64)]
    )
    func `every scalar is normalised and split as by Hugging Face`(
        scalars: Range<UInt32>,
        uncased: UInt64,
        cased: UInt64
    ) {
        let rules = NormalizerRules()
        let caseRules = NormalizerRules(stripsAccents: false, lowercases: false)
        #expect(Self.digest(of: scalars, rules) == uncased)
        #expect(Self.digest(of: scalars, caseRules) == cased)
    }

    private static func digest(of scalars: Range<UInt32>, _ rules: NormalizerRules) -> UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for scalar in scalars.lazy.compactMap(Unicode.Scalar.init) {
            var words: [[UInt8]] = [[UInt8(ascii: "a")]]
            for part in rules.parts(of: scalar) {
                switch part.kind {
                case .word: words[words.count - 1] += part.text
                case .isolated, .padded: words += [part.text, []]
                case .space: words.append([])
                case .barrier: break
                }
            }
            words[words.count - 1].append(UInt8(ascii: "b"))
            for byte in words.filter({ !$0.isEmpty }).joined(separator: [0]) + [0x0A] {
                hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3
            }
        }
        return hash
    }

    @Test func `the compiled table says the same as the rules`() {
        let table = Fixtures.table(of: NormalizerRules())
        #expect(table.ascii[Int(UInt8(ascii: "Q"))] == UInt8(ascii: "q"))
        #expect(table.ascii[Int(UInt8(ascii: "\n"))] == CharacterTable.AsciiCode.space)
        #expect(table.ascii[7] == CharacterTable.AsciiCode.vanish)
        #expect(table.ascii[Int(UInt8(ascii: "["))] == CharacterTable.AsciiCode.isolate)
        let expected: [(Unicode.Scalar, UInt16)] = [
            ("ö", 7), ("ж", 0), ("\u{301}", 1), ("\u{200D}", 1), ("\u{3000}", 3), ("。", 4), ("語", 5), ("한", 6),
            ("\u{93F}", 0), ("\u{941}", 2),
        ]
        for (scalar, action) in expected {
            #expect(min(table.action(for: scalar.value), 7) == action, "\(scalar.debugDescription)")
        }
    }
}
