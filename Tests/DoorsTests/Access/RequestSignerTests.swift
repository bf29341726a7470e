import Testing

@testable import Doors

@Suite struct RequestSignerTests {
    @Test func `a request is signed as botocore 1.43.11 signs it for S3`() throws {
        let signer = RequestSigner(
            keyID: "AKIDEXAMPLE",
            secret: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
            region: "us-east-1",
            service: "s3"
        )
        let headers = try signer.headers(
            path: "/numbers",
            query: "continuation-token=a%2Fb%3D&list-type=2&max-keys=1000&prefix=in%2F%20x",
            host: "127.0.0.1:9000",
            unixSeconds: 1_767_323_045
        )
        #expect(headers.map(\.name) == ["x-amz-content-sha256", "x-amz-date", "authorization"])
        #expect(headers[1].value == "20260102T030405Z")
        #expect(
            headers[2].value == """
                AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/s3/aws4_request, \
                SignedHeaders=host;x-amz-content-sha256;x-amz-date, \
                Signature=aea72a1dc4a8a00c64c9dc2ea9d98a4d3eefdf77d735cfcbc41a78a9c3a3d2b6
                """
        )
    }
}
