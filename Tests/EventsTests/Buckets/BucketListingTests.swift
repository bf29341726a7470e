import Testing

@testable import Events

@Suite struct BucketListingTests {
    private static let page = """
        <?xml version="1.0" encoding="UTF-8"?>
        <ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>numbers</Name><Prefix>in/</Prefix>
          <KeyCount>2</KeyCount><IsTruncated>true</IsTruncated>
          <Contents><Key>in/a &amp; b&#x20;&#233;.csv</Key><LastModified>2026-01-02T03:04:05.000Z</LastModified>
            <ETag>&quot;9b74c989&quot;</ETag><Size>42</Size><StorageClass>STANDARD</StorageClass></Contents>
          <Contents><Key>in/empty</Key><LastModified>2026-01-02T03:04:06.000Z</LastModified><ETag>"0"</ETag>
            <Size>0</Size><Owner><ID>x</ID><DisplayName/></Owner></Contents>
          <NextContinuationToken>1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=</NextContinuationToken>
        </ListBucketResult>
        """

    @Test func `keys, tags, times and sizes are read, and with what the rest is asked for`() throws {
        let listing = try #require(BucketListing(Array(Self.page.utf8)))
        #expect(listing.objects.map(\.key) == ["in/a & b é.csv", "in/empty"])
        #expect(listing.objects.map(\.tag) == ["\"9b74c989\"", "\"0\""])
        #expect(listing.objects.map(\.byteCount) == [42, 0])
        #expect(listing.objects[1].modified == "2026-01-02T03:04:06.000Z")
        #expect(listing.continuation == "1ueGcxLPRx1Tr/XYExHnhbYLgveDs2J/wm36Hy4vbOwM=")
    }

    @Test func `a refusal is read in the bucket's words`() throws {
        let text = "<Error><Code>NoSuchBucket</Code><Message>There is none</Message><X>1</X></Error>"
        let listing = try #require(BucketListing(Array(text.utf8)))
        #expect(listing.errorCode == "NoSuchBucket")
        #expect(listing.errorMessage == "There is none")
    }

    @Test(arguments: [
        "", "nothing", "<html><body>Bad gateway</body></html>", "<ListBucketResult>", "<ListBucketResult></Other>",
        "<ListBucketResult><IsTruncated>true</IsTruncated></ListBucketResult>",
        "<ListBucketResult><Contents></Contents></ListBucketResult>",
        String(repeating: "<a>", count: 100),
    ])
    func `what is no listing is none`(text: String) {
        #expect(BucketListing(Array(text.utf8)) == nil)
    }

    @Test func `no change of a listing's bytes makes reading it fail otherwise`() {
        var generator = SeededGenerator(seed: 19)
        for _ in 0..<3000 {
            var bytes = Array(Self.page.utf8)
            for _ in 0..<Int.random(in: 1...8, using: &generator) {
                let place = Int.random(in: bytes.indices, using: &generator)
                switch Int.random(in: 0..<3, using: &generator) {
                case 0: bytes[place] = UInt8.random(in: 0...255, using: &generator)
                case 1: bytes.remove(at: place)
                default: bytes.insert(contentsOf: bytes.prefix(place).suffix(20), at: place)
                }
            }
            let listing = BucketListing(bytes)
            #expect(listing.map { $0.objects.count <= bytes.count / 20 } ?? true)
        }
    }
}
