import ControlPlane
import Testing

@testable import Doors

/// The vectors were made by botocore 1.43.11, with the keys of AWS's own examples.
struct SignatureVerifierTests {
    private static let keys = """
        [default]
        aws_access_key_id = AKIDEXAMPLE
        aws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY
        """
    /// 2026-01-02T03:04:05Z.
    private static let signedAt = 1_767_323_045

    private func verifier(now: Int = signedAt) throws -> SignatureVerifier {
        SignatureVerifier(keys: try AccessKeys(credentials: Self.keys), now: { now })
    }

    private static func authorization(_ headers: String, _ signature: String) -> String {
        "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260102/us-east-1/lambda/aws4_request, SignedHeaders=\(headers), "
            + "Signature=\(signature)"
    }

    static let invoke = SignedRequest(
        method: "POST",
        path: "/2015-03-31/functions/f%3Alive/invocations",
        query: "",
        headers: [
            ("Host", "127.0.0.1:9001"), ("X-Amz-Log-Type", "Tail"), ("X-Amz-Date", "20260102T030405Z"),
            (
                "Authorization",
                authorization(
                    "host;x-amz-date;x-amz-log-type",
                    "87e02d532d639d6a42f7bec97f77f78945210a04fdb21948f45d785b1fe68999"
                )
            ),
        ],
        bodyDigest: "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
    )

    private static let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    static let get = SignedRequest(
        method: "GET",
        path: "/2015-03-31/functions/f",
        query: "Qualifier=%24LATEST",
        headers: [
            ("Host", "127.0.0.1:9001"), ("X-Amz-Date", "20260102T030405Z"), ("X-Amz-Security-Token", "TOKEN123"),
            (
                "Authorization",
                authorization(
                    "host;x-amz-date;x-amz-security-token",
                    "c07f25fd4fa32d93ba91c59dc93f35e94759014b17aa9e494537f1159fbb0b4a"
                )
            ),
        ],
        bodyDigest: empty
    )

    static let presigned = SignedRequest(
        method: "GET",
        path: "/2015-03-31/functions/f",
        query: "X-Amz-Algorithm=AWS4-HMAC-SHA256"
            + "&X-Amz-Credential=AKIDEXAMPLE%2F20260102%2Fus-east-1%2Flambda%2Faws4_request"
            + "&X-Amz-Date=20260102T030405Z&X-Amz-Expires=300&X-Amz-SignedHeaders=host"
            + "&X-Amz-Signature=d43bf4161415d05a98668782fcfb6d1bc4e1b9693ac882381610154754e73972",
        headers: [("Host", "127.0.0.1:9001")],
        bodyDigest: empty
    )

    @Test(arguments: [invoke, get, presigned])
    func `requests that botocore signed pass`(_ request: SignedRequest) throws {
        #expect(try verifier().verify(request) == "AKIDEXAMPLE")
    }

    @Test func `the canonical request has the path's percent signs encoded again`() {
        let canonical = Self.invoke.canonical(
            ["host", "x-amz-date", "x-amz-log-type"],
            payload: Self.invoke.bodyDigest ?? "",
            isEncodedOnce: false
        )
        #expect(
            canonical == """
                POST
                /2015-03-31/functions/f%253Alive/invocations

                host:127.0.0.1:9001
                x-amz-date:20260102T030405Z
                x-amz-log-type:Tail

                host;x-amz-date;x-amz-log-type
                015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862
                """
        )
    }

    @Test func `a signature holds for five minutes, a presigned one as long as it says`() throws {
        for age in [-300, 300] { try verifier(now: Self.signedAt + age).verify(Self.invoke) }
        for age in [-301, 301] {
            #expect(throws: LambdaError.self) { try verifier(now: Self.signedAt + age).verify(Self.invoke) }
        }
        try verifier(now: Self.signedAt + 299).verify(Self.presigned)
        #expect(throws: LambdaError.self) { try verifier(now: Self.signedAt + 301).verify(Self.presigned) }
    }

    @Test func `each part of a request is covered`() throws {
        let changes: [(inout SignedRequest) -> Void] = [
            { $0.method = "PUT" }, { $0.path += "x" }, { $0.query += "&a=b" },
            { $0.bodyDigest = Self.empty.uppercased() },
            { $0.headers[0].value = "127.0.0.1:9002" }, { $0.headers[1].value += "0" },
        ]
        for (number, change) in changes.enumerated() {
            var request = Self.invoke
            change(&request)
            #expect(throws: LambdaError.self, "change \(number)") { try verifier().verify(request) }
        }
    }

    @Test func `a key that nobody has, a missing signature and half of one are told apart`() throws {
        func code(_ change: (inout SignedRequest) -> Void) throws -> LambdaError.Code? {
            var request = Self.invoke
            change(&request)
            let verifier = try verifier()
            do throws(LambdaError) {
                try verifier.verify(request)
                return nil
            } catch {
                return error.code
            }
        }
        #expect(try code { $0.headers[3].value.replace("AKIDEXAMPLE", with: "AKIDOTHER") } == .unrecognizedClient)
        #expect(try code { $0.headers.removeLast() } == .missingAuthenticationToken)
        #expect(try code { $0.headers[3].value.replace("SignedHeaders", with: "Signed") } == .incompleteSignature)
        #expect(try code { $0.headers[3].value.replace("20260102/", with: "20260103/") } == .invalidSignature)
        #expect(try code { $0.headers[3].value.replace("host;", with: "") } == .invalidSignature)
    }

    @Test func `a signature for another service, or of no body, is refused before or after`() throws {
        let verifier = try verifier()
        try verifier.admit(Self.invoke, for: ["lambda"])
        #expect(throws: LambdaError.self) { try verifier.admit(Self.invoke, for: ["s3"]) }
        var request = Self.invoke
        request.headers.append(("X-Amz-Content-Sha256", SignatureVerifier.unsignedPayload))
        #expect(throws: LambdaError(.invalidSignature, "The body of this request must be signed.")) {
            try verifier.verify(request)
        }
    }

    @Test func `no mutation of a signed request passes, and none ends the process`() throws {
        let verifier = try verifier()
        var random = SeededRandom(state: 16)
        for _ in 0..<300 {
            var request = [Self.invoke, Self.get, Self.presigned].randomElement(using: &random) ?? Self.get
            let original = request
            if request.headers.count > 3, Bool.random(using: &random) {
                request.headers[3].value = Self.mutated(request.headers[3].value, &random)
            } else {
                request.query = Self.mutated(request.query, &random)
            }
            let isSame = request.query == original.query && request.headers.last?.value == original.headers.last?.value
            // What is no part of the canonical text may change: spaces after commas, the order of the query.
            guard !isSame, (try? verifier.verify(request)) != nil else { continue }
            #expect(Set(request.queryPairs.map(\.name)) == Set(original.queryPairs.map(\.name)))
        }
    }

    private static func mutated(_ text: String, _ random: inout SeededRandom) -> String {
        var bytes = Array(text.utf8)
        guard !bytes.isEmpty else { return "X-Amz-Signature=%" }
        let place = Int.random(in: bytes.indices, using: &random)
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[place] = UInt8.random(in: 0x20..<0x7F, using: &random)
        case 1: bytes.remove(at: place)
        default: bytes.insert(contentsOf: bytes.shuffled(using: &random).prefix(3), at: place)
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `half a pair of keys, and a file without any, are refused`() {
        #expect(throws: AccessError.keysMalformed) { try AccessKeys(credentials: "") }
        #expect(throws: AccessError.keysMalformed) { try AccessKeys(credentials: "aws_access_key_id = A") }
        #expect(throws: AccessError.keysMalformed) { try AccessKeys(credentials: "aws_secret_access_key = B") }
    }
}
