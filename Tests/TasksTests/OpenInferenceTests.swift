import Graphs
import JSON
import Testing
import Wire

@testable import Tasks

@Suite struct OpenInferenceTests {
    private struct Reply {
        var json: JSON
        var binary: [UInt8]

        var output: JSON? { json["outputs"]?.arrayValue?.first }
        var numbers: [Double] { (output?["data"]?.arrayValue ?? []).compactMap(\.doubleValue) }
        var floats: [Float] {
            stride(from: 0, to: binary.count, by: 4).map { place in
                Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(binary[place + $1]) << UInt32(8 * $1) })
            }
        }
    }

    private func runner(_ kind: TaskConfiguration.Kind, labels: [String]? = nil) throws -> TaskRunner {
        try TinyModels.runner(
            TaskConfiguration(kind: kind, tokensMax: 8, labels: labels),
            kind == .embed ? TinyModels.mean : TinyModels.scaled
        )
    }

    private func reply(
        _ runner: TaskRunner,
        _ json: String,
        binary: [UInt8]? = nil,
        encoding: BodyEncoding = .identity,
        body: [UInt8]? = nil
    ) throws -> Reply {
        let call = OpenInferenceCall(
            model: "tiny",
            version: 3,
            encoding: encoding,
            jsonByteCount: binary.map { _ in UInt32(json.utf8.count) }
        )
        let bytes = body ?? Array(json.utf8) + (binary ?? [])
        let reply = try runner.run(TaskRequest(form: .openInference(call), contentType: "", body: bytes))
        let count = InferenceReplyType.jsonByteCount(of: reply.contentType)
        #expect(count != nil || reply.contentType == "application/json")
        return Reply(
            json: try JSON.parse(Array(reply.body.prefix(count ?? reply.body.count))),
            binary: Array(reply.body.dropFirst(count ?? reply.body.count))
        )
    }

    private func bytes(_ floats: [Float]) -> [UInt8] {
        floats.flatMap { float in (0..<4).map { UInt8(truncatingIfNeeded: float.bitPattern >> UInt32(8 * $0)) } }
    }

    private static let input = #""name": "image", "datatype": "FP32", "shape": [2, 3]"#

    @Test func `numbers as JSON, flat or nested, give numbers; the id comes back`() throws {
        let runner = try runner(.tensor)
        for data in ["[1, 1, 1, 2, 2, 2]", "[[1, 1, 1], [2, 2, 2]]"] {
            let reply = try reply(runner, "{\"id\": \"7\", \"inputs\": [{\(Self.input), \"data\": \(data)}]}")
            #expect(reply.json["id"] == .string("7") && reply.json["model_name"] == .string("tiny"))
            #expect(reply.json["model_version"] == .string("3"))
            #expect(reply.output?["shape"] == .array([.integer(2), .integer(3)]))
            #expect(reply.output?["datatype"] == .string("FP32") && reply.output?["name"] == .string("scaled"))
            #expect(reply.numbers == [1, 2, 3, 2, 4, 6])
        }
    }

    @Test func `binary in and out, and either mixed with JSON`() throws {
        let runner = try runner(.tensor)
        let input = #"{"inputs": [{\#(Self.input), "parameters": {"binary_data_size": 24}}]"#
        let numbers = bytes([1, 1, 1, 2, 2, 2])
        let both = try reply(runner, input + #", "parameters": {"binary_data_output": true}}"#, binary: numbers)
        #expect(both.floats == [1, 2, 3, 2, 4, 6])
        #expect(both.output?["parameters"]?["binary_data_size"] == .integer(24))
        #expect(try reply(runner, input + "}", binary: numbers).numbers == [1, 2, 3, 2, 4, 6])
        let chosen = #", "outputs": [{"name": "scaled", "parameters": {"binary_data": true}}]}"#
        #expect(try reply(runner, input + chosen, binary: numbers).floats == [1, 2, 3, 2, 4, 6])
    }

    @Test func `a body without JSON is the only input, and its shape follows from its length`() throws {
        #expect(try reply(try runner(.tensor), "", binary: bytes([1, 1, 1, 2, 2, 2])).floats == [1, 2, 3, 2, 4, 6])
        #expect(try reply(try runner(.embed), "", binary: Array("hello".utf8)).floats == [3, 1, 1])
        #expect(throws: TaskFailure.self) { _ = try reply(try runner(.tensor), "", binary: bytes([1, 1])) }
    }

    @Test func `texts come as JSON or with their lengths, in a list or a column`() throws {
        let runner = try runner(.embed)
        for shape in ["[2]", "[2, 1]"] {
            let head = #""name": "text", "datatype": "BYTES", "shape": \#(shape)"#
            let json = try reply(runner, "{\"inputs\": [{\(head), \"data\": [\"hello\", \"world hello world\"]}]}")
            #expect(json.numbers == [3, 1, 1, 3.8, 2, 1])
            let binary: [UInt8] = [5, 0, 0, 0] + Array("hello".utf8) + [0, 0, 0, 0]
            let body = "{\"inputs\": [{\(head), \"parameters\": {\"binary_data_size\": 13}}]}"
            #expect(try reply(runner, body, binary: binary).numbers == [3, 1, 1, 2.5, 0.5, 1])
        }
    }

    @Test func `the best classes are texts of score, index and label`() throws {
        let wanted = #""outputs": [{"name": "scaled", "parameters": {"classification": 2}}]"#
        let body = "{\"inputs\": [{\(Self.input), \"data\": [1, 1, 1, -1, -1, -1]}], \(wanted)}"
        let plain = try reply(try runner(.classify), body)
        #expect(plain.output?["shape"] == .array([.integer(2), .integer(2)]))
        #expect(plain.output?["datatype"] == .string("BYTES"))
        let texts = plain.output?["data"]?.arrayValue?.compactMap(\.stringValue)
        #expect(texts == ["3.0:2", "2.0:1", "-1.0:0", "-2.0:1"])
        let labelled = try reply(try runner(.classify, labels: ["a", "b", "c"]), body)
        #expect(labelled.output?["data"]?.arrayValue?.first == .string("3.0:2:c"))
    }

    /// `zlib.compress` and `gzip.compress` of Python 3.11 made these of the request below.
    @Test(arguments: [
        (BodyEncoding.deflate, Self.deflated), (.gzip, Self.gzipped),
    ])
    func `a compressed body is read, and a cut one refused`(encoding: BodyEncoding, body: [UInt8]) throws {
        let runner = try runner(.tensor)
        #expect(try reply(runner, "", encoding: encoding, body: body).numbers == [1, 2, 3])
        for count in 0..<body.count {
            #expect(throws: TaskFailure.self) {
                _ = try reply(runner, "", encoding: encoding, body: Array(body.prefix(count)))
            }
        }
        #expect(throws: TaskFailure.self) { _ = try reply(runner, "", encoding: encoding, body: body + [0]) }
    }

    @Test func `no more is let out of a compressed body than the bound`() throws {
        #expect(throws: TaskFailure.self) { try Inflation.inflate(Self.deflated, .deflate, bytesMax: 10) }
    }

    @Test(arguments: [
        ("{}", "inputs"), (#"{"inputs": 1}"#, "inputs"), (#"{"inputs": []}"#, "inputs"),
        (#"{"inputs": [{}]}"#, "inputs.0.name"), (#"{"inputs": [{"name": "image"}]}"#, "inputs.0.datatype"),
        (#"{"inputs": [{"name": "image", "datatype": "FP99", "shape": [1, 3], "data": []}]}"#, "inputs.0.datatype"),
        (#"{"inputs": [{"name": "image", "datatype": "FP32", "shape": [-1, 3], "data": []}]}"#, "inputs.0.shape"),
        (#"{"inputs": [{"name": "image", "datatype": "FP32", "shape": [4294967296, 4294967296]}]}"#, "inputs.0.data"),
        (#"{"inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 3], "data": [1, 2]}]}"#, "inputs.0.data"),
        (
            #"{"inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, "x"]}]}"#,
            "inputs.0.data"
        ),
        (
            #"{"inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 1e99]}]}"#,
            "inputs.0.data"
        ),
        (#"{"inputs": [{"name": "image", "datatype": "INT32", "shape": [1, 3], "data": [1, 2, 3]}]}"#, "inputs.0"),
        (#"{"inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 2], "data": [1, 2]}]}"#, "inputs.0"),
        (#"{"inputs": [{"name": "photo", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}]}"#, "inputs.0"),
        (
            #"{"inputs": [{"name": "image", "datatype": "FP32", "shape": [1, 3], "data": [1, 2, 3]}], "outputs": [{"name": "x"}]}"#,
            "outputs.0"
        ),
        (#"{"inputs": [], "parameters": {"sequence_id": 5}}"#, "parameters.sequence_id"),
        (
            #"{"inputs": [{"name": "image", "datatype": "FP32", "shape": [0, 3], "data": []}]}"#, "inputs"
        ),
    ])
    func `a request that is wrong is told where`(body: String, path: String) throws {
        let failure = #expect(throws: TaskFailure.self) { _ = try reply(try runner(.tensor), body) }
        guard case .badPart(let fault, let sentence) = failure else {
            Issue.record("\(body): \(String(describing: failure))")
            return
        }
        #expect(fault.path == path, "\(sentence)")
    }

    @Test func `bytes that the JSON does not speak of, or that are not there, are refused`() throws {
        let runner = try runner(.tensor)
        let input = #"{"inputs": [{\#(Self.input), "parameters": {"binary_data_size": 24}}]}"#
        #expect(throws: TaskFailure.self) { _ = try reply(runner, input, binary: bytes([1, 1, 1, 2, 2])) }
        #expect(throws: TaskFailure.self) { _ = try reply(runner, input, binary: bytes([1, 1, 1, 2, 2, 2, 3])) }
        let long = OpenInferenceCall(model: "m", version: 1, jsonByteCount: 1000)
        #expect(throws: TaskFailure.self) {
            _ = try runner.run(TaskRequest(form: .openInference(long), contentType: "", body: Array("{}".utf8)))
        }
    }

    @Test func `every datatype comes through JSON and through bytes as it is`() throws {
        let cases: [(Tensor, String)] = [
            (Tensor([TensorBool(true), TensorBool(false)], shape: [2]), "[true,false]"),
            (Tensor([UInt8(0), 255], shape: [2]), "[0,255]"), (Tensor([Int8(-128), 127], shape: [2]), "[-128,127]"),
            (Tensor([UInt16(0), .max], shape: [2]), "[0,65535]"),
            (Tensor([Int16.min, .max], shape: [2]), "[-32768,32767]"),
            (Tensor([UInt32(0), .max], shape: [2]), "[0,4294967295]"),
            (Tensor([Int32.min, .max], shape: [2]), "[-2147483648,2147483647]"),
            (Tensor([Int64.min, .max], shape: [2]), "[-9223372036854775808,9223372036854775807]"),
            (Tensor([Float(0.1), -2], shape: [2]), "[0.1,-2.0]"), (Tensor([0.1, -2.0], shape: [2]), "[0.1,-2.0]"),
            (Tensor(strings: ["é", ""], shape: [2]), #"["é",""]"#),
        ]
        for (tensor, json) in cases {
            let parsed = try TensorJSON.tensor(try JSON.parse(Array(json.utf8)), tensor.element, shape: [2], path: "")
            var bytes: [UInt8] = []
            TensorBytes.append(tensor, to: &bytes)
            #expect(bytes.count == TensorBytes.byteCount(of: tensor))
            var again: [UInt8] = []
            TensorBytes.append(parsed, to: &again)
            #expect(again == bytes, "\(json)")
            let back = try TensorBytes.tensor(bytes[...], tensor.element, shape: [2], path: "")
            var third: [UInt8] = []
            TensorBytes.append(back, to: &third)
            #expect(third == bytes, "\(json)")
            var writer = JSONWriter()
            writer.beginArray()
            let values = JSONValues(tensor)
            for index in 0..<2 { try writer.value(values, index) }
            writer.endArray()
            #expect(String(decoding: writer.bytes, as: UTF8.self) == json)
        }
    }

    private static let deflated: [UInt8] = [
        0x78, 0x9c, 0xab, 0x56, 0xca, 0xcc, 0x2b, 0x28, 0x2d, 0x29, 0x56, 0xb2, 0x52, 0x88, 0xae, 0x56,
        0xca, 0x4b, 0xcc, 0x4d, 0x05, 0xb2, 0x94, 0x32, 0x73, 0x13, 0xd3, 0x53, 0x95, 0x74, 0x14, 0x94,
        0x52, 0x12, 0x4b, 0x12, 0x4b, 0x2a, 0x0b, 0xc0, 0x82, 0x6e, 0x01, 0xc6, 0x46, 0x20, 0xb1, 0xe2,
        0x8c, 0x44, 0xb0, 0x40, 0xb4, 0xa1, 0x8e, 0x82, 0x71, 0x2c, 0x54, 0x11, 0x94, 0x0f, 0x42, 0xb1,
        0xb5, 0xb1, 0xb5, 0x00, 0x7e, 0x92, 0x18, 0xbf,
    ]

    private static let gzipped: [UInt8] = [
        0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xab, 0x56, 0xca, 0xcc, 0x2b, 0x28,
        0x2d, 0x29, 0x56, 0xb2, 0x52, 0x88, 0xae, 0x56, 0xca, 0x4b, 0xcc, 0x4d, 0x05, 0xb2, 0x94, 0x32,
        0x73, 0x13, 0xd3, 0x53, 0x95, 0x74, 0x14, 0x94, 0x52, 0x12, 0x4b, 0x12, 0x4b, 0x2a, 0x0b, 0xc0,
        0x82, 0x6e, 0x01, 0xc6, 0x46, 0x20, 0xb1, 0xe2, 0x8c, 0x44, 0xb0, 0x40, 0xb4, 0xa1, 0x8e, 0x82,
        0x71, 0x2c, 0x54, 0x11, 0x94, 0x0f, 0x42, 0xb1, 0xb5, 0xb1, 0xb5, 0x00, 0xe8, 0x26, 0xb5, 0x81,
        0x57, 0x00, 0x00, 0x00,
    ]
}
