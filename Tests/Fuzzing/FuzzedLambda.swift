import HTTPTypes

@testable import ControlPlane
@testable import Doors

/// Requests of AWS's clients: what they ask for, how they sign it, and what they upload.
enum FuzzedLambda {
    private static let account = LambdaAccount()

    /// A line `METHOD path`, then a body: the path is looked up, and the body is what every operation on a function takes.
    static func operate(_ bytes: [UInt8]) {
        let end = bytes.firstIndex(of: 0x0A) ?? bytes.endIndex
        let line = String(decoding: bytes[..<end], as: UTF8.self).split(separator: " ", maxSplits: 1).map(String.init)
        let path = LambdaPath(line.last ?? "")
        let method = HTTPRequest.Method(line.first ?? "") ?? .get
        _ = UploadDoor.kind(path)
        _ = FunctionURLDoor.Address(host: line.last, path)
        if let call = LambdaCallPath(method, path) {
            _ = try? FunctionReference(call.function, qualifier: call.qualifier, in: account)
        }
        for route in LambdaRoute.all where route.method == method {
            for parameter in route.parameters(of: path.segments) ?? [] {
                _ = try? FunctionReference(parameter, in: account)
            }
        }
        guard let document = JSONValue(parsing: bytes[end...].dropFirst()) else { return }
        precondition(JSONValue(parsing: document.bytes) == document, "what was read is written and read again")
        change(RequestFields(document))
    }

    /// What a request would change of a function; every change is made or refused.
    private static func change(_ fields: RequestFields) {
        var settings = FunctionSettings(role: "arn:aws:iam::000000000000:role/any")
        _ = try? settings.apply(fields)
        _ = CodeManifest.bytes(name: "f", settings)
        let code = CodeFacts(sha256: "", byteCount: 0)
        let latest = LambdaVersion(settings: settings, code: code, lastModified: "")
        var function = LambdaFunction(name: "f", registryName: "f", latest: latest)
        _ = try? function.createAlias(fields, in: account)
        _ = try? function.updateAlias("live", fields, in: account)
        _ = try? function.addPermission(fields, qualifier: nil, in: account)
        _ = function.configuration(function.latest, in: account).bytes
    }

    /// A line `METHOD path?query`, then headers; the last line is the body.
    static func verify(_ bytes: [UInt8]) {
        var lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)[...]
        let first = (lines.popFirst() ?? "").split(separator: " ", maxSplits: 1).map(String.init)
        let path = LambdaPath(first.last ?? "")
        let headers = lines.compactMap { line -> (name: String, value: String)? in
            guard let colon = line.firstIndex(of: ":") else { return nil }
            return (String(line[..<colon]), String(line[line.index(after: colon)...]))
        }
        let request = SignedRequest(
            method: first.first ?? "",
            path: path.path,
            query: path.query,
            headers: headers,
            bodyDigest: "015abd7f5cc57a2dd94b7590f04ad8084273905ee33ec5cebeae62276a97f862"
        )
        _ = try? verifier.admit(request, for: ["lambda", "s3"])
        _ = try? verifier.verify(request)
        _ = try? verifier.chunkSigner(of: request)
    }

    /// In the minute in which the seeds were signed.
    private static let verifier: SignatureVerifier = {
        let text = "aws_access_key_id = AKIDEXAMPLE\naws_secret_access_key = wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY\n"
        guard let keys = try? AccessKeys(credentials: text) else { preconditionFailure("they are a pair") }
        return SignatureVerifier(keys: keys) { 1_767_323_045 }
    }()

    /// How the bytes are cut, whether they are signed, and an upload in chunks; the same bytes are a list of parts.
    static func upload(_ bytes: [UInt8]) {
        _ = try? PartList.parts(bytes)
        guard let cut = bytes.first.map({ Int($0 & 0x7F) + 1 }) else { return }
        let signer = ChunkSigner(
            key: [1, 2, 3],
            date: "20260102T030405Z",
            scope: "a/b/s3/aws4_request",
            previous: "00"
        )
        var chunks = ChunkedUpload(signer: bytes[0] & 0x80 == 0 ? nil : signer)
        var count = 0
        for start in stride(from: 1, to: bytes.count, by: cut) {
            guard let piece = try? chunks.take(bytes[start..<min(start + cut, bytes.count)]) else { return }
            count += piece.count
        }
        precondition(count == chunks.byteCount && count <= bytes.count, "what is taken came")
    }
}
