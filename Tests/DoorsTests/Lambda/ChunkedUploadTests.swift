import Digests
import Testing

@testable import Doors

struct ChunkedUploadTests {
    private static let body = Array(
        "5\r\nhello\r\n6;chunk-signature=ab\r\n world\r\n0\r\nx-amz-checksum-crc32:AA==\r\n\r\n".utf8
    )

    @Test(arguments: [1, 2, 3, 7, 1000])
    func `chunks are put together, however they are cut`(pieceBytes: Int) throws {
        var chunks = ChunkedUpload(signer: nil)
        var got: [UInt8] = []
        for start in stride(from: 0, to: Self.body.count, by: pieceBytes) {
            got += try chunks.take(Self.body[start..<min(start + pieceBytes, Self.body.count)])
        }
        #expect(got == Array("hello world".utf8))
        #expect(chunks.isOver && chunks.byteCount == 11 && chunks.trailer("x-amz-checksum-crc32") == "AA==")
    }

    @Test(arguments: [
        "x\r\n", "\r\n", "-5\r\nhello", "+5\r\nhello", "5\nhello", "5\r\nhello!\r\n", "5\r\nhello\n\n",
        "0\r\nno colon\r\n",
        "0\r\n\r\nmore\r\n", "fffffffffffff\r\n", "5;" + String(repeating: "x", count: 600),
    ])
    func `what is no such coding is refused`(text: String) throws {
        var chunks = ChunkedUpload(signer: nil)
        #expect(throws: UploadError.self) { try chunks.take(Array(text.utf8)) }
    }

    /// The example of AWS's documentation on signatures in chunks.
    @Test func `chunks are held against their signatures, as AWS shows it`() throws {
        let signed = [
            (65536, "ad80c730a21e5b8d04586a2213dd63b9a0e99e0e2307b0ade35a65485a288648"),
            (1024, "0055627c9e194cb4542bae2aa5492e3c1575bbb81b612b7d234b86a503ef5497"),
            (0, "b6c6ea8a5354eaf15b3cb7646744f4275b71ea724fed81ceb9323e279d449df9"),
        ]
        let scope = SignatureVerifier.Scope(date: "20130524", region: "us-east-1", service: "s3")
        let signer = ChunkSigner(
            key: try SignatureVerifier.key("wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", scope),
            date: "20130524T000000Z",
            scope: scope.text,
            previous: "4f232c4386841ef735655705268965c44a0e4690baa4adea153f7db9fa80a0a9"
        )
        func bytes(_ letter: String) -> [UInt8] {
            signed.flatMap { size, signature -> [UInt8] in
                let line = Array("\(String(size, radix: 16));chunk-signature=\(signature)\r\n".utf8)
                return line + Array(String(repeating: letter, count: size).utf8) + Array("\r\n".utf8)
            }
        }
        var chunks = ChunkedUpload(signer: signer)
        #expect(try chunks.take(bytes("a")).count == 66560)
        #expect(chunks.isOver)
        var others = ChunkedUpload(signer: signer)
        #expect(throws: UploadError.badSignature) { try others.take(bytes("b")) }
    }

    @Test func `no mutant traps, and what is understood is never longer than what came`() {
        for seed in 0..<2000 {
            var random = SeededRandom(state: UInt64(seed))
            var bytes = Self.body
            for _ in 0...Int.random(in: 0..<4, using: &random) {
                bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
            }
            var chunks = ChunkedUpload(signer: nil)
            let got = (try? chunks.take(bytes)) ?? []
            #expect(got.count <= bytes.count)
            _ = try? PartList.parts(bytes)
        }
    }

    @Test(arguments: zip(CyclicChecksum.Kind.allCases, ["y/Q5Jg==", "4waSgw==", "rosUhgp5mIg="]))
    func `checksums are those of the published check value`(kind: CyclicChecksum.Kind, expected: String) {
        var checksum = CyclicChecksum(kind)
        for byte in "123456789".utf8 { checksum.update([byte].span.bytes) }
        #expect(checksum.text == expected)
    }

    @Test func `a range is within an archive, or is refused`() throws {
        #expect(try UploadDoor.range("bytes=0-0", of: 1) == 0..<1)
        #expect(try UploadDoor.range("bytes=2-", of: 5) == 2..<5)
        #expect(try UploadDoor.range("bytes=2-9223372036854775807", of: 5) == 2..<5)
        for wrong in ["bytes=5-", "bytes=-3", "bytes=3-2", "bytes=0-1,3-4", "lines=0-1", "bytes=", ""] {
            #expect(throws: UploadError.self) { try UploadDoor.range(wrong, of: 5) }
        }
    }

    @Test func `a list of parts is read as clients write it, and nothing else`() throws {
        let text = """
            <CompleteMultipartUpload xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Part><ETag>"aa"</ETag>\
            <PartNumber>1</PartNumber></Part><Part><PartNumber>3</PartNumber><ETag>&quot;bb&quot;</ETag>\
            <ChecksumCRC32>x</ChecksumCRC32></Part></CompleteMultipartUpload>
            """
        let parts = try PartList.parts(Array(text.utf8))
        #expect(parts.map(\.number) == [1, 3] && parts.map(\.tag) == ["aa", "bb"])
        for wrong in [
            "", "<Part></Part>", "<Part><PartNumber>x</PartNumber><ETag>a</ETag></Part>", "<!DOCTYPE a>" + text,
        ] {
            #expect(throws: UploadError.self) { try PartList.parts(Array(wrong.utf8)) }
        }
    }
}
