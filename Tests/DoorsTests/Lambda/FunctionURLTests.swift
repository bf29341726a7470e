import ControlPlane
import HTTPTypes
import NIOCore
import Testing

@testable import Doors

struct FunctionURLTests {
    private func event(_ change: (inout FunctionURLEvent) -> Void = { _ in }) -> JSONValue {
        var event = FunctionURLEvent(
            id: "abc",
            domain: "abc.lambda-url.example",
            rawPath: "/a%20b",
            query: "x=1&x=2&y",
            method: "POST",
            headers: [("Content-Type", "text/plain"), ("X-A", "1"), ("x-a", "2"), ("Cookie", "k=v; l=w")],
            sourceIP: "127.0.0.1",
            body: ByteBuffer(string: "hi"),
            requestID: "id",
            unixMilliseconds: 1_584_039_838_000,
            account: LambdaAccount(),
            isSigned: false
        )
        change(&event)
        return event.document
    }

    @Test func `a request becomes the event of format 2`() {
        let document = event()
        #expect(document["version"] == "2.0")
        #expect(document["rawPath"] == "/a b")
        #expect(document["headers"]?["x-a"] == "1,2")
        #expect(document["cookies"] == .texts(["k=v", "l=w"]))
        #expect(document["queryStringParameters"] == ["x": "1,2", "y": ""])
        #expect(document["requestContext"]?["time"] == "12/Mar/2020:19:03:58 +0000")
        #expect(document["requestContext"]?["accountId"] == "anonymous")
        #expect(document["body"] == "hi")
        #expect(document["isBase64Encoded"] == false)
    }

    @Test func `bytes that are no text travel as base64`() {
        let document = event { event in
            event.headers = [("Content-Type", "image/png")]
            event.body = ByteBuffer(bytes: [0xFF, 0x00])
        }
        #expect(document["body"] == "/wA=")
        #expect(document["isBase64Encoded"] == true)
    }

    @Test func `an object with a status is a whole reply, anything else is a body`() {
        func reply(_ text: String) -> FunctionURLReply {
            FunctionURLReply(parsing: ByteBuffer(string: text), contentType: "application/json")
        }
        let whole = reply(#"{"statusCode": 201, "headers": {"X-A": "b"}, "cookies": ["k=v"], "body": "hi"}"#)
        #expect(whole.status == 201)
        #expect(String(buffer: whole.body) == "hi")
        #expect(whole.headers.contains { $0.name == "set-cookie" && $0.value == "k=v" })
        #expect(String(buffer: reply(#"{"statusCode": 200, "body": "aGk=", "isBase64Encoded": true}"#).body) == "hi")
        #expect(String(buffer: reply(#""text""#).body) == "text")
        #expect(reply(#"{"a": 1}"#).status == 200)
        #expect(reply(#"{"statusCode": 99}"#).status == 502)
    }

    @Test func `a reply says nothing of where the message ends`() {
        let bytes = ByteBuffer(
            string:
                #"{"statusCode": 200, "headers": {"Content-Length": "9", "Bad Name": "x", "X-A": "a\r\nB: c", "X-B": "d"}}"#
        )
        let fields = FunctionURLReply(parsing: bytes, contentType: "application/json").fields
        #expect(fields.map(\.name.canonicalName).sorted() == ["content-type", "x-b"])
    }

    @Test func `the address stands in the path or in the host`() throws {
        let path = try #require(FunctionURLDoor.Address(host: "127.0.0.1:8080", LambdaPath("/url/abc/a/b?x=1")))
        #expect(path.id == "abc" && path.rawPath == "/a/b")
        #expect(FunctionURLDoor.Address(host: nil, LambdaPath("/url/abc"))?.rawPath == "/")
        let host = try #require(FunctionURLDoor.Address(host: "ABC.lambda-url.localhost:8080", LambdaPath("/a")))
        #expect(host.id == "abc" && host.rawPath == "/a")
        #expect(FunctionURLDoor.Address(host: "localhost", LambdaPath("/functions/url/x")) == nil)
    }
}
