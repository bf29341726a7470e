import ControlPlane
import Testing

@testable import Events

/// The HTTP binding of CloudEvents 1.0.2: the examples of its text, what it forbids, and broken bytes.
struct CloudEventTests {
    private static let minimum = ["ce-specversion": "1.0", "ce-id": "1", "ce-source": "/s", "ce-type": "t"]

    private static func binary(
        _ fields: [String: String],
        contentType: String? = "application/json",
        body: String = "{}"
    ) -> CloudEventMessage {
        CloudEventMessage(
            fields: fields.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) },
            contentType: contentType,
            body: Array(body.utf8)
        )
    }

    private static func structured(_ text: String, contentType: String = "application/cloudevents+json")
        -> CloudEventMessage
    {
        CloudEventMessage(contentType: contentType, body: Array(text.utf8))
    }

    private static func error(_ message: CloudEventMessage) -> String? {
        do throws(CloudEventError) {
            _ = try message.events()
            return nil
        } catch {
            return error.description
        }
    }

    // MARK: The specification's examples

    @Test func `the example of the binary mode is read, and written again as it was`() throws {
        let fields = [
            "ce-specversion": "1.0", "ce-type": "com.example.someevent", "ce-time": "2018-04-05T03:56:24Z",
            "ce-id": "1234-1234-1234", "ce-source": "/mycontext/subcontext",
        ]
        let message = Self.binary(fields, contentType: "application/json; charset=utf-8", body: #"{"a": 1.10}"#)
        let event = try #require(try message.events().first).event
        #expect(event.id == "1234-1234-1234")
        #expect(event.source == "/mycontext/subcontext")
        #expect(event.type == "com.example.someevent")
        #expect(event.dataContentType == "application/json; charset=utf-8")
        #expect(event.data == .json(Array(#"{"a": 1.10}"#.utf8)))
        #expect(event.binary == message)
        // The number keeps its digits.
        #expect(String(decoding: event.structured.body, as: UTF8.self).hasSuffix(#""data":{"a": 1.10}}"#))
    }

    @Test func `the examples of the JSON format are read with the data that they carry`() throws {
        let head = #""specversion":"1.0","type":"com.example.someevent","source":"/mycontext","id":"A234-1234-1234""#
        for (rest, type, data) in [
            (
                #","datacontenttype":"text/xml","data":"<much wow=\"xml\"/>""#, "text/xml",
                CloudEvent.Content.text("<much wow=\"xml\"/>")
            ),
            (
                #","datacontenttype":"application/json","data":{"b":2}"#, "application/json",
                .json(Array(#"{"b":2}"#.utf8))
            ),
            (#","data":"a text is JSON too""#, nil, .json(Array(#""a text is JSON too""#.utf8))),
            (
                #","datacontenttype":"application/vnd.apache.thrift.binary","data_base64":"AAEC/w==""#,
                "application/vnd.apache.thrift.binary", .bytes([0, 1, 2, 255])
            ),
            (#","comexampleextension1":"value","comexampleothervalue":5,"unsetextension":null,"flag":true"#, nil, nil),
        ] as [(String, String?, CloudEvent.Content?)] {
            let event = try #require(try Self.structured("{\(head)\(rest)}").events().first).event
            #expect(event.dataContentType == type)
            #expect(event.data == data)
            #expect(event.attributes["unsetextension"] == nil)
            let again = try CloudEvent(structured: event.structured.body)
            #expect(again == event)
            let fields = event.binary.fields.map(\.name)
            #expect(fields.contains("ce-id") && !fields.contains("ce-data") && !fields.contains("ce-datacontenttype"))
        }
    }

    @Test func `a batch is its events in their order, each as it was written`() throws {
        let one = #"{"specversion":"1.0","id":"1","source":"/s","type":"t","data":[1,{"x":"],"}]}"#
        let two = #"{ "specversion":"1.0","id":"2","source":"/s","type":"t","data":100000000000000000000.5 }"#
        let batch = Self.structured(
            "[\(one),\n \(two)]",
            contentType: "application/cloudevents-batch+json; charset=UTF-8"
        )
        let events = try batch.events()
        #expect(events.map(\.event.id) == ["1", "2"])
        #expect(
            events.map { String(decoding: $0.structured, as: UTF8.self).filter { $0 != "\n" } } == [one, " " + two]
        )
        #expect(try Self.structured(" [ ] ", contentType: "application/cloudevents-batch+json").events().isEmpty)
        let bad = Self.structured("[\(one),{}]", contentType: "application/cloudevents-batch+json")
        #expect(Self.error(bad) == "event 1 of the batch: the attribute specversion is missing")
    }

    // MARK: Headers

    /// Section 3.1.3.2: what is not visible ASCII goes in percent signs, and quotes may be around a value.
    @Test(arguments: [
        ("Euro%20%E2%82%AC%20%F0%9F%98%80", "Euro € 😀"), ("\"quoted%20text\"", "quoted text"), ("100%25", "100%"),
        ("a%2520b", "a%20b"), ("%e2%82%ac", "€"), ("lone%", "lone%"), ("\"with \\\" one\"", "with \" one"),
    ])
    func `a field's value is decoded once, and encoded as it should be`(value: String, text: String) throws {
        let message = Self.binary(Self.minimum.merging(["ce-subject": value]) { $1 })
        let event = try #require(try message.events().first).event
        #expect(event.attributes["subject"] == .text(text))
        let written = try #require(event.binary.fields.first { $0.name == "ce-subject" }).value
        #expect(written.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && $0 != 0x22 })
        #expect(try CloudEvent(binary: event.binary).attributes["subject"] == .text(text))
    }

    @Test func `names of fields and media types are the same in any case`() throws {
        let fields = ["CE-SpecVersion": "1.0", "Ce-Id": "1", "ce-SOURCE": "/s", "ce-type": "t", "X-Other": "no"]
        let event = try #require(try Self.binary(fields).events().first).event
        #expect(Set(event.attributes.keys) == ["specversion", "id", "source", "type"])
        #expect(try Self.structured("{}", contentType: "Application/CloudEvents+JSON").mode() == .structured)
        #expect(try Self.structured("[]", contentType: "application/cloudevents-batch+json;a=b").mode() == .batched)
    }

    @Test func `data is what its content type says, and JSON where nobody says`() throws {
        for (type, body, data) in [
            (nil, "[1]", CloudEvent.Content.json(Array("[1]".utf8))),
            ("application/vnd.a+json", "7", .json([0x37])), ("text/plain", "7", .text("7")),
            ("application/xml", "<a/>", .text("<a/>")), ("application/octet-stream", "7", .bytes([0x37])),
        ] as [(String?, String, CloudEvent.Content)] {
            let message = Self.binary(Self.minimum, contentType: type, body: body)
            #expect(try message.events().first?.event.data == data, "\(type ?? "none")")
        }
        #expect(try Self.binary(Self.minimum, contentType: nil, body: "").events().first?.event.data == nil)
    }

    // MARK: Refusals

    @Test func `what the specification forbids is refused by a sentence`() {
        var cases: [(CloudEventMessage, String)] = [
            (
                Self.binary([:]),
                "this is no CloudEvent: there is no field ce-specversion, and the content type is not application/cloudevents+json"
            ),
            (Self.binary(Self.minimum, body: "{"), "the body should be JSON, as its content type says"),
            (
                Self.structured("{}", contentType: "application/cloudevents+avro"),
                "events as application/cloudevents+avro are not read here; send application/cloudevents+json, its batch, or binary mode"
            ),
            (Self.structured("[]"), "the event should be one JSON object"),
            (
                Self.structured("{}", contentType: "application/cloudevents-batch+json"),
                "a batch should be a JSON array of events"
            ),
        ]
        for name in ["id", "source", "type"] {
            let without = Self.minimum.filter { $0.key != "ce-" + name }
            cases.append((Self.binary(without), "the attribute \(name) is missing"))
            let empty = Self.minimum.merging(["ce-" + name: ""]) { $1 }
            cases.append((Self.binary(empty), "the attribute \(name) should be a text that is not empty"))
        }
        for (field, value, message) in [
            ("ce-specversion", "0.3", "specversion \"0.3\" is not read here; send 1.0"),
            ("ce-time", "yesterday", "the attribute time should be one such as 2018-04-05T17:31:00Z (RFC 3339)"),
            (
                "ce-time", "2018-13-05T17:31:00Z",
                "the attribute time should be one such as 2018-04-05T17:31:00Z (RFC 3339)"
            ),
            ("ce-bad_name", "x", "\"bad_name\" cannot name an attribute: names are of a to z and 0 to 9"),
            ("ce-data", "x", "\"data\" cannot name an attribute: names are of a to z and 0 to 9"),
            ("ce-subject", "", "the attribute subject should be a text that is not empty"),
            ("ce-subject", "%FF", "the field ce-subject is not UTF-8 where its percent signs are undone"),
            ("ce-more", "a%0Ab", "the attribute more has a control character"),
            ("CE-ID", "2", "the field ce-id comes twice"),
        ] {
            var fields = Self.minimum
            fields[field] = value
            cases.append((Self.binary(fields), message))
        }
        let head = #""specversion":"1.0","id":"1","source":"/s","type":"t""#
        for (rest, message) in [
            (#""data":1,"data_base64":"AA==""#, "the event has data and data_base64; it may have one of them"),
            (#""data_base64":"*""#, "data_base64 should be text in Base64"),
            (#""datacontenttype":5"#, "datacontenttype should be a text"),
            (#""datacontenttype":"json""#, "datacontenttype \"json\" is no media type"),
            (#""more":{"a":1}"#, "the attribute more should be a text, a whole number or a truth value"),
            (#""more":4294967296"#, "the attribute more should be a number of 32 bits"),
            (#""UPPER":"x""#, "\"UPPER\" cannot name an attribute: names are of a to z and 0 to 9"),
        ] {
            cases.append((Self.structured("{\(head),\(rest)}"), message))
        }
        for (message, sentence) in cases { #expect(Self.error(message) == sentence) }
    }

    @Test func `bytes that were changed at random are read or refused, and what is read comes back`() throws {
        let seeds = [
            #"{"specversion":"1.0","id":"1","source":"/s","type":"t","time":"2018-04-05T17:31:00Z","data":{"a":[1,2]}}"#,
            #"{"specversion":"1.0","id":"2","source":"/s","type":"t","datacontenttype":"text/plain","data":"x","more":5}"#,
            #"[{"specversion":"1.0","id":"1","source":"/s","type":"t","data_base64":"AAEC"},{"specversion":"1.0","id":"2","source":"é","type":"t"}]"#,
        ].map { Array($0.utf8) }
        var random = SeededGenerator(seed: 1802)
        let alphabet = Array("{}[]\":,\\ 01azA%é\u{0}".utf8)
        var readCount = 0
        for round in 0..<12_000 {
            var bytes = seeds[round % seeds.count]
            for _ in 0...Int.random(in: 0...3, using: &random) {
                let place = Int.random(in: 0..<bytes.count, using: &random)
                switch Int.random(in: 0..<3, using: &random) {
                case 0: bytes[place] = alphabet.randomElement(using: &random) ?? 0
                case 1: bytes.insert(UInt8.random(in: 0...255, using: &random), at: place)
                default: bytes.removeLast(Int.random(in: 0..<min(4, bytes.count), using: &random))
                }
            }
            let type = round % 3 == 2 ? "application/cloudevents-batch+json" : "application/cloudevents+json"
            guard let events = try? CloudEventMessage(contentType: type, body: bytes).events() else { continue }
            for (event, _) in events {
                readCount += 1
                #expect(try CloudEvent(structured: event.structured.body) == event)
                // Bytes that are called JSON, and are not, have no binary form that is read here.
                if case .bytes = event.data, event.dataContentType != nil { continue }
                let again = try CloudEvent(binary: event.binary)
                #expect(again.id == event.id && again.source == event.source && again.type == event.type)
            }
        }
        #expect(readCount > 500)
    }
}
