import Foundation

/// An address of a function's own that any HTTP client can call.
package struct FunctionURL: Codable, Equatable, Sendable {
    /// 32 letters and digits, a host label.
    package var id: String
    package var isSigned: Bool
    package var cors: JSONValue?
    /// nil where nobody said: then it is `BUFFERED`.
    package var invokeMode: String?
    var created: String
    var modified: String

    package var isStreamed: Bool { invokeMode == "RESPONSE_STREAM" }

    /// - Parameters:
    ///   - origin: scheme and authority under which the caller reached this node, such as `http://127.0.0.1:8080`.
    ///   - isFresh: just made; then the mode is only shown where it was given.
    func document(
        _ qualifier: String?,
        of function: String,
        in account: LambdaAccount,
        origin: String,
        isFresh: Bool = false
    ) -> JSONValue {
        .present([
            "FunctionUrl": .text("\(origin)/url/\(id)/"),
            "FunctionArn": .text(account.functionARN(function, qualifier)),
            "AuthType": isSigned ? "AWS_IAM" : "NONE",
            "Cors": cors,
            "CreationTime": .text(created),
            "LastModifiedTime": .text(modified),
            "InvokeMode": invokeMode.map { .text($0) } ?? (isFresh ? nil : "BUFFERED"),
        ])
    }
}

extension LambdaFunction {
    mutating func createURL(
        _ fields: RequestFields,
        qualifier: String?,
        in account: LambdaAccount,
        origin: String,
        now: Date
    ) throws(LambdaError) -> JSONValue {
        try checkURL(qualifier, in: account)
        guard urls[qualifier ?? ""] == nil else {
            let arn = account.functionARN(name, qualifier)
            throw LambdaError(
                .resourceConflict,
                "Failed to create function url config for [functionArn = \(arn)]. Error message:  FunctionUrlConfig "
                    + "exists for this Lambda function"
            )
        }
        guard let auth = try fields.choice("AuthType", ["NONE", "AWS_IAM"]) else {
            throw .constraint("null", at: "authType", "Member must not be null")
        }
        let time = LambdaTime.text(now)
        var url = FunctionURL(
            id: UUID().uuidString.lowercased().filter { $0 != "-" },
            isSigned: auth == "AWS_IAM",
            created: time,
            modified: time
        )
        try apply(fields, to: &url)
        urls[qualifier ?? ""] = url
        return url.document(qualifier, of: name, in: account, origin: origin, isFresh: true)
    }

    mutating func updateURL(
        _ fields: RequestFields,
        qualifier: String?,
        in account: LambdaAccount,
        origin: String,
        now: Date
    ) throws(LambdaError) -> JSONValue {
        guard var url = urls[qualifier ?? ""] else { throw .noSuchResource }
        if let auth = try fields.choice("AuthType", ["NONE", "AWS_IAM"]) { url.isSigned = auth == "AWS_IAM" }
        try apply(fields, to: &url)
        url.modified = LambdaTime.text(now)
        urls[qualifier ?? ""] = url
        return url.document(qualifier, of: name, in: account, origin: origin)
    }

    private func apply(_ fields: RequestFields, to url: inout FunctionURL) throws(LambdaError) {
        if let cors = try fields.object("Cors") {
            _ = try cors.integer("MaxAge", in: 0...86_400)
            url.cors = cors.document
        }
        if let mode = try fields.choice("InvokeMode", ["BUFFERED", "RESPONSE_STREAM"]) { url.invokeMode = mode }
    }

    /// A URL belongs to the function or to an alias, never to a version.
    private func checkURL(_ qualifier: String?, in account: LambdaAccount) throws(LambdaError) {
        guard let qualifier else { return }
        guard Int(qualifier) == nil, qualifier != "$LATEST" else {
            throw .constraint(
                qualifier,
                at: "qualifier",
                "Member must satisfy regular expression pattern: ((?!^\\d+$)^[0-9a-zA-Z-_]+$)"
            )
        }
        guard aliases[qualifier] != nil else { throw .functionNotFound(account.functionARN(name, qualifier)) }
    }

    func url(_ qualifier: String?, in account: LambdaAccount, origin: String) throws(LambdaError) -> JSONValue {
        guard let url = urls[qualifier ?? ""] else { throw .noSuchResource }
        return url.document(qualifier, of: name, in: account, origin: origin)
    }

    mutating func deleteURL(_ qualifier: String?) throws(LambdaError) {
        guard urls.removeValue(forKey: qualifier ?? "") != nil else { throw .noSuchResource }
    }

    func urlDocuments(in account: LambdaAccount, origin: String) -> [JSONValue] {
        urls.sorted { $0.key < $1.key }.map { qualifier, url in
            url.document(qualifier.isEmpty ? nil : qualifier, of: name, in: account, origin: origin)
        }
    }
}
