import Testing

@testable import Manifests

@Suite struct `The packer's report` {
    @Test func `comes back as it went`() throws {
        let packed = PackedFunction(
            manifest: Manifest(
                name: "digits",
                model: ModelReference(source: "m.onnx", task: .tensor),
                route: "/digits"
            ),
            snapshotDigest: "00ff",
            arenaBytes: 1 << 40,
            storedBytes: 3,
            tensorCount: 2,
            task: .tensor,
            seconds: 0.25
        )
        for report in [PackReport.packed(packed), .refused(PackRefusal(kind: .tooLarge, message: "too \"large\""))] {
            #expect(try PackReport(decoding: try report.encoded()) == report)
        }
    }

    @Test func `has a form that is not Swift's`() throws {
        let report = PackReport.refused(PackRefusal(kind: .invalid, message: "a/b"))
        #expect(
            String(decoding: try report.encoded(), as: UTF8.self) == #"{"refused":{"kind":"invalid","message":"a/b"}}"#
        )
    }

    @Test(arguments: ["", "{}", "[]", #"{"packed":{}}"#, #"{"refused":{"kind":"angry","message":""}}"#])
    func `of another form is an error`(text: String) {
        #expect(throws: (any Error).self) { try PackReport(decoding: Array(text.utf8)) }
    }
}
