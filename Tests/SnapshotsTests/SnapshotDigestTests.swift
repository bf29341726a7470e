import Testing

@testable import Snapshots

@Suite struct SnapshotDigestTests {
    @Test func `a digest is read back from its text`() throws {
        let text = String(repeating: "0f9a", count: 16)
        let digest = try #require(SnapshotDigest(hex: text))
        #expect(digest.hex == text && digest.bytes.count == 32)
        #expect(SnapshotDigest(bytes: digest.bytes) == digest)
    }

    @Test(arguments: [
        "", "0f9a", String(repeating: "0F9A", count: 16), String(repeating: "0g", count: 32), "../../etc",
    ])
    func `text that is no digest is refused`(text: String) {
        #expect(SnapshotDigest(hex: text) == nil)
    }

    @Test func `the hashes are the published ones`() throws {
        let abc = Array("abc".utf8)
        #expect(
            try Hash.snapshot(of: abc).hex
                == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
        )
        #expect(
            try SnapshotDigest(bytes: Hash.sha512256().digest(of: abc.span.bytes))?.hex
                == "53048e2681941ef99b2e29b76b4c7dabe4c2d0c634fc6d46e0e2f13107e7af23"
        )
    }
}
