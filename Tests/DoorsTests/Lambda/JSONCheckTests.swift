import Foundation
import NIOCore
import Testing

@testable import Doors

struct JSONCheckTests {
    private func passes(_ text: String) -> Bool { JSONCheck.passes(ByteBuffer(string: text)) }

    @Test(arguments: [
        "{}", " [] ", "null", "true", "-0.5e+10", "\"a\\u00e9\\n\"", "{\"a\": [1, {\"b\": false}], \"c\": \"\"}", "0",
    ])
    func `documents pass`(_ text: String) {
        #expect(passes(text))
    }

    @Test(arguments: [
        "", " ", "{", "[1,]", "{\"a\" 1}", "{a: 1}", "01", "1.", "1e", "-", "\"a", "\"\\x\"", "\"\\u12g4\"", "tru",
        "nullx", "[] []", "\"\u{1}\"", "{,}", "[1 2]",
    ])
    func `what is no document does not pass`(_ text: String) {
        #expect(!passes(text))
    }

    @Test func `a tower of lists ends before the stack does`() {
        #expect(passes(String(repeating: "[", count: 500) + String(repeating: "]", count: 500)))
        #expect(!passes(String(repeating: "[", count: 100_000)))
    }

    @Test func `mutants are judged as Foundation judges them`() {
        var random = SeededRandom(state: 7)
        let seed = Array(#"{"a": [1, -2.5e3, true, null, "x\n\u0041"], "b": {"c": ""}}"#.utf8)
        for _ in 0..<2000 {
            var bytes = seed
            let place = Int.random(in: bytes.indices, using: &random)
            bytes[place] = UInt8.random(in: 0x20..<0x7F, using: &random)
            let own = JSONCheck.passes(ByteBuffer(bytes: bytes))
            let other = (try? JSONSerialization.jsonObject(with: Data(bytes), options: .fragmentsAllowed)) != nil
            #expect(own == other, "\(String(decoding: bytes, as: UTF8.self))")
        }
    }
}
