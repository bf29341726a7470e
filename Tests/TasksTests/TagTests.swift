import Testing
import Wire

@testable import Tasks

/// (id, place, 1) as scores of the labels of each token.
@Suite struct TagTests {
    private func runner(_ labels: [String]? = ["B-WORD", "I-WORD", "O"]) throws -> TaskRunner {
        try TinyModels.runner(TaskConfiguration(kind: .tag, tokensMax: 8, labels: labels), TinyModels.tokens)
    }

    // Ids are 4 and 5, greater than the places here: each known word begins one.
    private let first = #"{"entity_group":"WORD","score":4.0,"word":"Hello","start":0,"end":5}"#

    @Test func `a text gets its entities, several theirs`() throws {
        #expect(try runner().reply(to: #"{"text": "Hello"}"#) == #"{"entities":[\#(first)]}"#)
        // What stands before the second word has more bytes than characters; unknown words have label 1, then 2.
        let reply = try runner().reply(to: #"{"text": ["Hello é€ world", ""]}"#)
        let last = #"{"entity_group":"WORD","score":5.0,"word":"world","start":9,"end":14}],[]]}"#
        #expect(reply.hasPrefix(#"{"entities":[[{"entity_group":"WORD","#) && reply.hasSuffix(last), "\(reply)")
    }

    @Test func `without aggregation a token says its place`() throws {
        let token = #"{"entity":"B-WORD","score":4.0,"index":1,"word":"Hello","start":0,"end":5}"#
        #expect(
            try runner().reply(to: #"{"text": "Hello", "aggregation": "none"}"#) == #"{"entities":[\#(token)]}"#
        )
    }

    @Test func `what is outside is left out, and labels without names are numbers`() throws {
        #expect(try runner(["O", "O", "O"]).reply(to: #"{"text": "Hello"}"#) == #"{"entities":[]}"#)
        #expect(try runner(nil).reply(to: #"{"text": "Hello"}"#).contains(#""entity_group":"0""#))
    }

    @Test(arguments: [
        (#"{"text": "a", "aggregation": "best"}"#, "\"aggregation\" is one of \"none\", \"simple\""),
        (#"{"text": 1}"#, "\"text\" is a number"), (#"{"words": "a"}"#, "unknown key \"words\""),
        (#"{"aggregation": "none"}"#, "the key \"text\" is missing"),
    ])
    func `a body of another shape is refused with what was expected`(body: String, words: String) throws {
        let refusal = try #require(runner().refusal(of: body))
        #expect(refusal.contains(words), "\(refusal)")
    }

    @Test func `protocols of tensors get a row for each entity`() throws {
        func reply(_ body: String) throws -> String {
            let request = TaskRequest(form: .prediction, contentType: "", body: Array(body.utf8))
            return String(decoding: try runner().run(request).body, as: UTF8.self)
        }
        let labels = #""label":["WORD","WORD","WORD"]"#
        #expect(
            try reply(#"{"text": ["hello", "hello world"]}"#)
                == #"{"text":[0,1,1],\#(labels),"score":[4.0,4.0,5.0],"start":[0,0,6],"end":[5,5,11]}"#
        )
        // One entity is a list of one.
        #expect(try reply(#"{"text": "hello"}"#).hasPrefix(#"{"text":[0],"label":["WORD"]"#))
    }
}
