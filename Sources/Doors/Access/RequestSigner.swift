package import Digests

/// Signs requests that the node itself makes of services that speak AWS's protocols.
package struct RequestSigner: Sendable {
    private let keyID: String
    private let secret: String
    private let region: String
    private let service: String

    package init(keyID: String, secret: String, region: String, service: String) {
        (self.keyID, self.secret, self.region, self.service) = (keyID, secret, region, service)
    }

    /// The headers that a `GET` without a body is sent with, beside `Host`.
    ///
    /// - Parameters:
    ///   - path: with its percent signs.
    ///   - host: with the port, where the client sends one.
    package func headers(
        path: String,
        query: String,
        host: String,
        unixSeconds: Int
    ) throws(DigestError) -> [(name: String, value: String)] {
        let date = SignatureVerifier.text(seconds: unixSeconds)
        let body = Hexadecimal.text(try SHA256.digest(of: []))
        let scope = SignatureVerifier.Scope(date: String(date.prefix(8)), region: region, service: service)
        var headers = [("x-amz-content-sha256", body), ("x-amz-date", date)]
        let request = SignedRequest(method: "GET", path: path, query: query, headers: [("host", host)] + headers)
        let names = ["host", "x-amz-content-sha256", "x-amz-date"]
        let canonical = request.canonical(names, payload: body, isEncodedOnce: service == "s3")
        let signature = try SignatureVerifier.signature(of: canonical, at: date, scope, secret)
        headers.append(
            (
                "authorization",
                "AWS4-HMAC-SHA256 Credential=\(keyID)/\(scope.text), SignedHeaders=\(names.joined(separator: ";")), "
                    + "Signature=\(signature)"
            )
        )
        return headers.map { (name: $0.0, value: $0.1) }
    }
}
