import ControlPlane
import Digests
import Metering

/// Checks signatures of AWS's version 4, in the header `Authorization` or in the query.
struct SignatureVerifier: Sendable {
    let keys: AccessKeys
    /// Seconds since 1970.
    let now: @Sendable () -> Int

    /// How far a signer's clock may be off.
    static let skewSecondsMax = 300
    /// A week, as the service has it.
    static let expirySecondsMax = 604_800
    /// How long a location of code can be fetched from.
    static let locationSeconds = 600
    /// What a body may be called instead of its digest, where that is allowed.
    static let unsignedPayload = "UNSIGNED-PAYLOAD"

    /// What the signer says of the signature.
    private struct Claim {
        var keyID: String
        var scope: Scope
        var signedHeaders: [String]
        var signature: String
        /// As it was sent: `20260102T030405Z`.
        var date: String
        /// nil for a signature in the header.
        var expirySeconds: Int?
    }

    struct Scope {
        var date: String
        var region: String
        var service: String
        var text: String { "\(date)/\(region)/\(service)/aws4_request" }
    }

    /// Refuses what no body could make right: a request that is not signed, not by a key of ours, or not now.
    ///
    /// - Parameter services: for one of which the signature must have been made.
    func admit(_ request: SignedRequest, for services: Set<String>) throws(LambdaError) {
        let claim = try Self.claim(of: request)
        _ = try secret(claim)
        guard services.contains(claim.scope.service) else {
            throw LambdaError(
                .invalidSignature,
                "Credential should be scoped to correct service: '\(services.sorted().joined(separator: "', '"))'."
            )
        }
        try checkTime(claim)
    }

    private func secret(_ claim: Claim) throws(LambdaError) -> String {
        guard let secret = keys.secret(of: claim.keyID) else {
            throw LambdaError(.unrecognizedClient, "The security token included in the request is invalid.")
        }
        return secret
    }

    /// - Returns: the id of the key that signed.
    /// - Throws: what the service answers to a request that is not signed, not by us, not now, or changed on its way.
    @discardableResult
    func verify(_ request: SignedRequest) throws(LambdaError) -> String {
        let claim = try Self.claim(of: request)
        let secret = try secret(claim)
        try checkTime(claim)
        guard claim.signedHeaders.contains("host") else {
            throw LambdaError(
                .invalidSignature,
                "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."
            )
        }
        let payload = try Self.payload(of: request, isPresigned: claim.expirySeconds != nil, claim.scope.service)
        let isEncodedOnce = claim.scope.service == "s3"
        let canonical = request.canonical(claim.signedHeaders, payload: payload, isEncodedOnce: isEncodedOnce)
        let expected: String
        do throws(DigestError) {
            expected = try Self.signature(of: canonical, at: claim.date, claim.scope, secret)
        } catch {
            throw LambdaError(.service, "the signature could not be checked: \(error)")
        }
        guard Hexadecimal.areEqual(expected, claim.signature) else {
            throw LambdaError(
                .invalidSignature,
                "The request signature we calculated does not match the signature you provided. Check your AWS Secret "
                    + "Access Key and signing method. Consult the service documentation for details."
            )
        }
        return claim.keyID
    }

    /// The query with which anybody may `GET` a path for ten minutes, as the service signs locations of code.
    func presigned(_ path: String, host: String, region: String) throws(LambdaError) -> String {
        guard let id = keys.first, let secret = keys.secret(of: id) else { return "" }
        let date = Self.text(seconds: now())
        let scope = Scope(date: String(date.prefix(8)), region: region, service: "s3")
        let pairs = [
            ("X-Amz-Algorithm", "AWS4-HMAC-SHA256"), ("X-Amz-Credential", "\(id)/\(scope.text)"),
            ("X-Amz-Date", date), ("X-Amz-Expires", "\(Self.locationSeconds)"), ("X-Amz-SignedHeaders", "host"),
        ]
        let query = pairs.map { "\($0.0)=\(PercentCoding.encode($0.1))" }.joined(separator: "&")
        let request = SignedRequest(method: "GET", path: path, query: query, headers: [("host", host)])
        let canonical = request.canonical(["host"], payload: Self.unsignedPayload, isEncodedOnce: true)
        do throws(DigestError) {
            return "\(query)&X-Amz-Signature=\(try Self.signature(of: canonical, at: date, scope, secret))"
        } catch {
            throw LambdaError(.service, "the location could not be signed: \(error)")
        }
    }

    /// What checks the chunks of a body, where they are signed one by one; the request itself was verified.
    func chunkSigner(of request: SignedRequest) throws(LambdaError) -> ChunkSigner? {
        guard request.header("authorization") != nil else { return nil }
        let claim = try Self.claim(of: request)
        let secret = try secret(claim)
        do throws(DigestError) {
            return ChunkSigner(
                key: try Self.key(secret, claim.scope),
                date: claim.date,
                scope: claim.scope.text,
                previous: claim.signature
            )
        } catch {
            throw LambdaError(.service, "the signature could not be checked: \(error)")
        }
    }

    static func signature(
        of canonical: String,
        at date: String,
        _ scope: Scope,
        _ secret: String
    ) throws(DigestError) -> String {
        let digest = Hexadecimal.text(try SHA256.digest(of: Array(canonical.utf8)))
        let text = "AWS4-HMAC-SHA256\n\(date)\n\(scope.text)\n\(digest)"
        let code = try SHA256.authenticationCode(of: Array(text.utf8), key: try key(secret, scope))
        return Hexadecimal.text(code)
    }

    static func key(_ secret: String, _ scope: Scope) throws(DigestError) -> [UInt8] {
        var key = Array("AWS4\(secret)".utf8)
        for part in [scope.date, scope.region, scope.service, "aws4_request"] {
            key = try SHA256.authenticationCode(of: Array(part.utf8), key: key)
        }
        return key
    }

    // MARK: What the request says

    private static func claim(of request: SignedRequest) throws(LambdaError) -> Claim {
        if let authorization = request.header("authorization") {
            return try claim(header: authorization, request)
        }
        let pairs = Dictionary(request.queryPairs.map { ($0.name, $0.value) }) { first, _ in first }
        guard pairs["X-Amz-Signature"] != nil else {
            throw LambdaError(.missingAuthenticationToken, "Missing Authentication Token")
        }
        guard pairs["X-Amz-Algorithm"] == "AWS4-HMAC-SHA256", let credential = pairs["X-Amz-Credential"],
            let date = pairs["X-Amz-Date"], let names = pairs["X-Amz-SignedHeaders"],
            let signature = pairs["X-Amz-Signature"], let expiry = pairs["X-Amz-Expires"].flatMap({ Int($0) }),
            (1...expirySecondsMax).contains(expiry), let (keyID, scope) = parse(credential: credential)
        else { throw incomplete("the query's X-Amz-* parameters are not those of a presigned request") }
        return Claim(
            keyID: keyID,
            scope: scope,
            signedHeaders: names.split(separator: ";").map(String.init),
            signature: signature,
            date: date,
            expirySeconds: expiry
        )
    }

    private static func claim(header: String, _ request: SignedRequest) throws(LambdaError) -> Claim {
        let algorithm = "AWS4-HMAC-SHA256 "
        guard header.hasPrefix(algorithm) else {
            throw incomplete("Authorization header requires 'AWS4-HMAC-SHA256' as its algorithm")
        }
        var fields: [Substring: Substring] = [:]
        for part in header.dropFirst(algorithm.count).split(separator: ",") {
            let pair = part.drop { $0 == " " }.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            guard pair.count == 2 else { throw incomplete("Authorization header has a part without a value") }
            fields[pair[0]] = pair[1]
        }
        for name in ["Credential", "SignedHeaders", "Signature"] where fields[name[...]] == nil {
            throw incomplete("Authorization header requires '\(name)' parameter.")
        }
        guard let credential = fields["Credential"], let (keyID, scope) = parse(credential: String(credential)) else {
            throw incomplete("Credential should be a key id and a scope of four parts")
        }
        guard let date = request.header("x-amz-date") else {
            throw incomplete("Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
        }
        return Claim(
            keyID: keyID,
            scope: scope,
            signedHeaders: (fields["SignedHeaders"] ?? "").split(separator: ";").map { $0.lowercased() },
            signature: String(fields["Signature"] ?? ""),
            date: date,
            expirySeconds: nil
        )
    }

    private static func parse(credential: String) -> (keyID: String, scope: Scope)? {
        let parts = credential.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 5, parts[4] == "aws4_request", parts.allSatisfy({ !$0.isEmpty }) else { return nil }
        return (parts[0], Scope(date: parts[1], region: parts[2], service: parts[3]))
    }

    private static func incomplete(_ message: String) -> LambdaError {
        LambdaError(.incompleteSignature, message)
    }

    /// What stands for the body in the canonical request.
    ///
    /// - Throws: where the body's digest was sent, and is not the body's.
    private static func payload(
        of request: SignedRequest,
        isPresigned: Bool,
        _ service: String
    ) throws(LambdaError) -> String {
        if let sent = request.header("x-amz-content-sha256") {
            // Without a digest nothing says that the body is the signer's; archives are compared by their own.
            guard sent != unsignedPayload || service == "s3" else {
                throw LambdaError(.invalidSignature, "The body of this request must be signed.")
            }
            // Whoever reads an upload compares its digest; of every other request the body is here.
            guard let body = request.bodyDigest, sent != unsignedPayload, sent != body else { return sent }
            throw LambdaError(
                .invalidSignature,
                "The provided 'x-amz-content-sha256' header does not match what was computed."
            )
        }
        if isPresigned, service == "s3" { return unsignedPayload }
        return request.bodyDigest ?? unsignedPayload
    }

    // MARK: Time

    private func checkTime(_ claim: Claim) throws(LambdaError) {
        guard let signed = Self.seconds(claim.date), claim.date.hasPrefix(claim.scope.date) else {
            throw LambdaError(.invalidSignature, "Date in Credential scope does not match the date of the request")
        }
        let age = now() - signed
        guard age >= -Self.skewSecondsMax else {
            throw LambdaError(.invalidSignature, "Signature not yet current: \(claim.date) is in the future")
        }
        guard age <= claim.expirySeconds ?? Self.skewSecondsMax else {
            throw LambdaError(.invalidSignature, "Signature expired: \(claim.date) is \(age) s ago")
        }
    }

    /// As a signature has it: `20260102T030405Z`.
    static func text(seconds: Int) -> String {
        let time = CalendarTime(unixNanoseconds: UInt64(max(0, seconds)) * 1_000_000_000).description
        return time.prefix(19).filter { $0 != "-" && $0 != ":" } + "Z"
    }

    /// Seconds since 1970 of `20260102T030405Z`; nil for text that is no such time.
    static func seconds(_ text: String) -> Int? {
        let bytes = Array(text.utf8)
        guard bytes.count == 16, bytes[8] == UInt8(ascii: "T"), bytes[15] == UInt8(ascii: "Z") else { return nil }
        func number(_ range: Range<Int>) -> Int? {
            bytes[range].reduce(Optional(0)) { sum, byte in
                guard let sum, (0x30...0x39).contains(byte) else { return nil }
                return sum * 10 + Int(byte - 0x30)
            }
        }
        guard let year = number(0..<4), let month = number(4..<6), let day = number(6..<8), let hour = number(9..<11),
            let minute = number(11..<13), let second = number(13..<15), (1...12).contains(month),
            (1...31).contains(day), hour < 24, minute < 60, second < 61
        else { return nil }
        // After Howard Hinnant, `days_from_civil`: years begin in March.
        let shifted = month <= 2 ? year - 1 : year
        let cycle = shifted / 400
        let yearOfCycle = shifted - cycle * 400
        let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
        let dayOfCycle = yearOfCycle * 365 + yearOfCycle / 4 - yearOfCycle / 100 + dayOfYear
        return (cycle * 146_097 + dayOfCycle - 719_468) * 86_400 + hour * 3600 + minute * 60 + second
    }
}
