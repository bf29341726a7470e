import JSON
import Testing

@Suite struct JSONParserTests {
    private func parse(_ text: String) throws -> JSON { try JSON.parse(Array(text.utf8)) }

    @Test func `a document of every kind is read, keys in the order of the text`() throws {
        let value = try parse(#" {"z": [1, -2.5, 1e3], "a": {"t": true, "f": false, "n": null}, "s": "é\u0000\n"} "#)
        #expect(
            value
                == .object([
                    .init("z", .array([.integer(1), .number(-2.5), .number(1000)])),
                    .init("a", .object([.init("t", .bool(true)), .init("f", .bool(false)), .init("n", .null)])),
                    .init("s", .string("é\0\n")),
                ])
        )
        #expect(value["s"]?.stringValue == "é\0\n")
        #expect(value["missing"] == nil)
    }

    @Test func `a lone value is a document`() throws {
        #expect(try parse("42") == .integer(42))
        #expect(try parse("\"x\"") == .string("x"))
        #expect(try parse("9223372036854775807") == .integer(.max))
    }

    @Test(arguments: [
        ("", 1, 1), ("{\n  \"a\": 1,\n  \"b\" 2}", 3, 7), ("[1,]", 1, 4), ("[1] x", 1, 5), ("\"\\ud800\"", 1, 8),
        ("{\"a\":1,\n\"a\":2}", 2, 3), ("nan", 1, 3), ("[1e999]", 1, 6), ("99999999999999999999", 1, 20),
    ])
    func `a broken document is refused with line and column`(text: String, line: Int, column: Int) throws {
        let error = try #require(throws: JSONError.self) { try parse(text) }
        guard case .malformed(let message, let foundLine, let foundColumn, _) = error else {
            Issue.record("unexpected \(error)")
            return
        }
        #expect(!message.isEmpty)
        #expect(foundLine == line)
        #expect(foundColumn == column)
    }

    @Test func `bytes that are not UTF-8 are refused`() {
        #expect(throws: JSONError.self) { try JSON.parse([0x22, 0xFF, 0x22]) }
        #expect(throws: JSONError.self) { try JSON.parse([0x22, 0xED, 0xA0, 0x80, 0x22]) }
    }

    @Test func `nesting is bounded, brackets in strings do not count`() throws {
        let deep = String(repeating: "[", count: 65) + String(repeating: "]", count: 65)
        #expect(
            throws: JSONError.malformed(message: "nested deeper than 64 levels", line: 1, column: 65, byteOffset: 64)
        ) {
            try parse(deep)
        }
        #expect(throws: Never.self) { try parse(String(deep.dropFirst().dropLast())) }
        let text = String(repeating: "[", count: 1000)
        #expect(try parse("\"\\\"\(text)\"") == .string("\"" + text))
    }

    @Test func `the number of values is bounded`() throws {
        let bounds = JSONBounds(depthMax: 4, valuesMax: 5)
        #expect(throws: Never.self) { try JSON.parse(Array("[1,2,3,4]".utf8), bounds: bounds) }
        let error = try #require(throws: JSONError.self) { try JSON.parse(Array("[1,2,3,\n4,5]".utf8), bounds: bounds) }
        #expect(error.description == "not valid JSON: line 2, column 2: more than 5 values")
    }

    @Test func `a hundred thousand numbers are read in linear time`() throws {
        let count = 100_000
        let text = "[" + (0..<count).map { "\($0).5" }.joined(separator: ",") + "]"
        let values = try #require(try parse(text).arrayValue)
        #expect(values.count == count)
        #expect(values.last == .number(Double(count - 1) + 0.5))
    }

    @Test func `mutated documents are read or refused, never a crash`() throws {
        let seeds = [
            #"{"text": ["one", "two \u00e9 \ud83d\ude00"], "n": [1, -2.5e-3, true, false, null, {}]}"#,
            #"[[[[1]], {"a": {"b": {"c": "\\\"\/\b\f\n\r\t"}}}]]"#,
        ].map { Array($0.utf8) }
        var random = SplitMix64(state: 7)
        var accepted = 0
        for round in 0..<20_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<4, using: &random) {
                case 0: bytes[place] = UInt8.random(in: .min ... .max, using: &random)
                case 1: bytes.insert(Array("[]{}\",:\\0e-".utf8).randomElement(using: &random) ?? 0, at: place)
                case 2 where bytes.count > 1: bytes.remove(at: place)
                default: bytes.removeLast(Int.random(in: 0..<bytes.count, using: &random))
                }
            }
            guard let value = try? JSON.parse(bytes) else { continue }
            accepted += 1
            // What is accepted survives writing and reading.
            #expect(try JSON.parse(value.encoded()) == value)
        }
        #expect(accepted > 100)
    }
}

/// A seeded generator, so that a failure can be repeated.
struct SplitMix64: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var value = state
        value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
        value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
        return value ^ (value >> 31)
    }
}
