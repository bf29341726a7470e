import ControlPlane
import Testing

@testable import Events

struct FilterPatternTests {
    private func holds(_ pattern: String, _ record: String) throws -> Bool {
        let document = try #require(JSONValue(parsing: record.utf8))
        return try FilterPattern(parsing: pattern).matches(document)
    }

    /// Each operator of the service's table, with a record that it lets through and one that it does not.
    @Test(arguments: [
        (#"{"a":[null]}"#, #"{"a":null}"#, #"{"a":""}"#),
        (#"{"a":[""]}"#, #"{"a":""}"#, #"{"a":"x"}"#),
        (#"{"a":["x"]}"#, #"{"a":"x"}"#, #"{"a":"X"}"#),
        (#"{"a":[{"equals-ignore-case":"AbC"}]}"#, #"{"a":"aBc"}"#, #"{"a":"ab"}"#),
        (#"{"a":["x"],"b":["y"]}"#, #"{"a":"x","b":"y"}"#, #"{"a":"x","b":"z"}"#),
        (#"{"$or":[{"a":["x"]},{"b":["y"]}]}"#, #"{"a":"q","b":"y"}"#, #"{"a":"q","b":"q"}"#),
        (#"{"a":["x","y"]}"#, #"{"a":"y"}"#, #"{"a":"z"}"#),
        (#"{"a":[{"anything-but":["x"]}]}"#, #"{"a":"y"}"#, #"{"a":"x"}"#),
        (#"{"a":[{"anything-but":{"prefix":"x"}}]}"#, #"{"a":"yx"}"#, #"{"a":"xy"}"#),
        (#"{"a":[{"numeric":["=",100]}]}"#, #"{"a":100.0}"#, #"{"a":"100"}"#),
        (#"{"a":[{"numeric":[">",10,"<=",20]}]}"#, #"{"a":20}"#, #"{"a":10}"#),
        (#"{"a":[{"exists":true}]}"#, #"{"a":null}"#, #"{"b":1}"#),
        (#"{"a":[{"exists":false}]}"#, #"{"b":1}"#, #"{"a":1}"#),
        (#"{"a":{"b":[{"exists":false}]}}"#, #"{"c":1}"#, #"{"a":{"b":0}}"#),
        (#"{"a":[{"prefix":"us-"}]}"#, #"{"a":"us-east-1"}"#, #"{"a":"eu-us-"}"#),
        (#"{"a":[{"prefix":{"equals-ignore-case":"US-"}}]}"#, #"{"a":"us-east-1"}"#, #"{"a":"u"}"#),
        (#"{"a":[{"suffix":".png"}]}"#, #"{"a":"x.png"}"#, #"{"a":".png.x"}"#),
        (#"{"a":[{"wildcard":"*/in/*.csv"}]}"#, #"{"a":"x/in/y/z.csv"}"#, #"{"a":"x/in/y.csvx"}"#),
        (#"{"a":["x"]}"#, #"{"a":["q","x"]}"#, #"{"a":["q"]}"#),
        (#"{"a":[true]}"#, #"{"a":true}"#, #"{"a":"true"}"#),
        (#"{"a":{"b":["x"]}}"#, #"{"a":[{"b":"q"},{"b":"x"}]}"#, #"{"a":[{"b":"q"}]}"#),
    ])
    func `an operator lets through what it says, and its neighbour not`(
        pattern: String,
        inside: String,
        outside: String
    ) throws {
        #expect(try holds(pattern, inside))
        #expect(try !holds(pattern, outside))
    }

    @Test(arguments: [
        (#"{"a":"x"}"#, "$.a is a value; conditions stand in a list, as in [\"x\"]"),
        (#"{}"#, "$ is empty"), (#"{"a":[]}"#, "$.a is an empty list"), ("[", "$ is not JSON"),
        (#"{"a":[{"near":1}]}"#, "unknown operator 'near'"), (#"{"a":[{"numeric":["~",1]}]}"#, "'numeric' knows"),
        (#"{"a":[{"exists":"yes"}]}"#, "'exists' takes true or false"), (#"{"$or":[{"a":[1]}]}"#, "needs two patterns"),
        (#"{"a":[{"prefix":1}]}"#, "'prefix' takes a text"), (#"{"a":[["x"]]}"#, "a list within the list"),
    ])
    func `a pattern that is none is refused, with the place and the reason`(pattern: String, reason: String) {
        #expect {
            _ = try FilterPattern(parsing: pattern)
        } throws: { error in
            "\(error)".contains(reason)
        }
    }

    @Test func `a pattern too deep or with too many conditions is refused`() {
        let deep = String(repeating: #"{"a":"#, count: 40) + "[1]" + String(repeating: "}", count: 40)
        #expect(throws: FilterPatternError.self) { try FilterPattern(parsing: deep) }
        let many = #"{"a":["# + (0..<600).map(String.init).joined(separator: ",") + "]}"
        #expect(throws: FilterPatternError.self) { try FilterPattern(parsing: many) }
    }

    @Test func `a wildcard takes no time that grows with what it does not match`() throws {
        let pattern = try FilterPattern(parsing: #"{"a":[{"wildcard":"*a*a*a*a*a*a*a*a*b"}]}"#)
        #expect(!pattern.matches(["a": .text(String(repeating: "a", count: 20_000))]))
    }

    @Test func `mutants of patterns are read or refused, and never trap`() {
        var random = SeededGenerator(seed: 7)
        let seed = Array(
            #"{"a":[{"anything-but":{"prefix":"x"}},{"numeric":[">",1,"<",2]}],"$or":[{"b":{"c":["d",null]}},{"e":[{"exists":true}]}]}"#
                .utf8
        )
        let record: JSONValue = ["a": 1, "b": ["c": "d"]]
        for _ in 0..<4000 {
            var bytes = seed
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = UInt8.random(in: 32..<127, using: &random)
                case 1: bytes.remove(at: place)
                default: bytes.insert(bytes[Int.random(in: 0..<bytes.count, using: &random)], at: place)
                }
            }
            guard let pattern = try? FilterPattern(parsing: String(decoding: bytes, as: UTF8.self)) else { continue }
            _ = pattern.matches(record)
        }
    }

    @Test func `a payload is JSON to a pattern that looks into it, and text to one that does not`() throws {
        func filter(_ pattern: String) throws -> RecordFilter {
            try RecordFilter(["Filters": .array([["Pattern": .text(pattern)]])], payloadKey: "body")
        }
        let into = try filter(#"{"body":{"size":[{"numeric":[">",5]}]}}"#)
        #expect(into.lets(["body": #"{"size":6}"#]))
        #expect(!into.lets(["body": #"{"size":4}"#]))
        #expect(!into.lets(["body": "six"]))
        let text = try filter(#"{"body":[{"prefix":"{"}]}"#)
        #expect(text.lets(["body": "{not json"]))
        #expect(!text.lets(["body": #"{"size":6}"#]), "JSON against a plain pattern is dropped, as the service does")
        #expect(try filter(#"{"other":["x"]}"#).lets(["body": "anything", "other": "x"]))
        #expect(try RecordFilter(nil, payloadKey: "body").lets(["body": "anything"]))
    }
}
