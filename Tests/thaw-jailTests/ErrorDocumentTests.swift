import JSON
import Testing
import Wire

@testable import thaw_jail

struct ErrorDocumentTests {
    @Test func `what the runtime posted is handed on as it is`() {
        let body = #"{"errorMessage":"no","errorType":"ValueError","requestId":"x","stackTrace":["a"]}"#
        let document = ErrorDocument(body: Array(body.utf8), type: "Unhandled")
        #expect(document.json == body)
        #expect(document.sentence == "ValueError: no")
    }

    @Test func `a body that is no document takes its type from the header`() throws {
        let document = ErrorDocument(body: Array("oh no".utf8), type: "Runtime.Oh")
        #expect(document.type == "Runtime.Oh")
        #expect(try JSON.parse(Array(document.json.utf8))["errorType"]?.stringValue == "Runtime.Oh")
        #expect(ErrorDocument(body: [], type: nil).type == "Function.Unknown")
    }

    @Test func `a long document keeps its words and as much of its trace as there is room for`() throws {
        let entries = (0..<500).map { "\"line \($0) of a deep recursion\"" }.joined(separator: ",")
        let body = "{\"errorMessage\":\"deep\",\"errorType\":\"RecursionError\",\"stackTrace\":[\(entries)]}"
        let document = ErrorDocument(body: Array(body.utf8), type: nil)
        #expect(document.json.utf8.count <= WireLimits.failureMessageBytesMax)
        let parsed = try JSON.parse(Array(document.json.utf8))
        #expect(parsed["errorMessage"]?.stringValue == "deep")
        #expect((parsed["stackTrace"]?.arrayValue?.count ?? 0) > 5)
    }

    @Test func `base64 is read as RFC 4648 has it, and nothing else`() {
        #expect(Base64.decoded("Zm9vYmFy") == Array("foobar".utf8))
        #expect(Base64.decoded("Zm9vYg==") == Array("foob".utf8))
        #expect(Base64.decoded("Zm9vYmE=") == Array("fooba".utf8))
        #expect(Base64.decoded("") == [])
        #expect(Base64.decoded("Zm9v?") == nil)
        #expect(Base64.decoded("Z") == nil)
    }
}
