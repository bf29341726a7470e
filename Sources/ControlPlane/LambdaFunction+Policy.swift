import Foundation

/// Who else may call a function; kept and shown, and asked by doors that are open to strangers.
package struct ResourcePolicy: Codable, Equatable, Sendable {
    /// By statement id, in the order in which they were added.
    var statements: [Statement] = []
    var revisionID = UUID().uuidString.lowercased()

    struct Statement: Codable, Equatable, Sendable {
        var id: String
        var document: JSONValue
    }

    var document: JSONValue {
        [
            "Version": "2012-10-17", "Id": "default",
            "Statement": .array(statements.map(\.document)),
        ]
    }
}

extension LambdaFunction {
    /// - Returns: the statement, as the API's text of JSON.
    mutating func addPermission(
        _ fields: RequestFields,
        qualifier: String?,
        in account: LambdaAccount
    ) throws(LambdaError) -> String {
        try check(qualifier: qualifier, in: account)
        guard qualifier != "$LATEST" else {
            throw .invalid("We currently do not support adding policies for $LATEST.")
        }
        let id = try fields.required("StatementId", charactersMax: 100)
        guard FunctionReference.isName(id) else {
            throw .constraint(
                id,
                at: "statementId",
                "Member must satisfy regular expression pattern: ([a-zA-Z0-9-_]+)"
            )
        }
        var policy = policies[qualifier ?? ""] ?? ResourcePolicy()
        if let revision = try fields.text("RevisionId"), revision != policy.revisionID { throw .staleRevision }
        guard !policy.statements.contains(where: { $0.id == id }) else {
            throw LambdaError(
                .resourceConflict,
                "The statement id (\(id)) provided already exists. Please provide a new statement id, or remove the "
                    + "existing statement."
            )
        }
        let statement = try Self.statement(id, fields, resource: account.functionARN(name, qualifier))
        policy.statements.append(ResourcePolicy.Statement(id: id, document: statement))
        policy.revisionID = UUID().uuidString.lowercased()
        policies[qualifier ?? ""] = policy
        latest.revisionID = UUID().uuidString.lowercased()
        return statement.json
    }

    private static func statement(
        _ id: String,
        _ fields: RequestFields,
        resource: String
    ) throws(LambdaError) -> JSONValue {
        let action = try fields.required("Action")
        let verb = action.dropFirst("lambda:".count)
        guard
            action == "*" || action == "lambda:*"
                || action.hasPrefix("lambda:") && !verb.isEmpty && verb.allSatisfy({ $0.isASCII && $0.isLetter })
        else {
            throw .constraint(
                action,
                at: "action",
                "Member must satisfy regular expression pattern: (lambda:[*]|lambda:[a-zA-Z]+|[*])"
            )
        }
        var conditions: [String: [String: JSONValue]] = [:]
        if let arn = try fields.text("SourceArn") { conditions["ArnLike"] = ["AWS:SourceArn": .text(arn)] }
        let equal: [(String, String)] = [
            ("SourceAccount", "AWS:SourceAccount"), ("EventSourceToken", "lambda:EventSourceToken"),
            ("PrincipalOrgID", "aws:PrincipalOrgID"), ("FunctionUrlAuthType", "lambda:FunctionUrlAuthType"),
        ]
        for (key, name) in equal {
            if let text = try fields.text(key) { conditions["StringEquals", default: [:]][name] = .text(text) }
        }
        if let isViaURL = try fields.bool("InvokedViaFunctionUrl") {
            conditions["Bool"] = ["lambda:InvokedViaFunctionUrl": .text(isViaURL ? "true" : "false")]
        }
        var members: [String: JSONValue] = [
            "Sid": .text(id), "Effect": "Allow", "Action": .text(action), "Resource": .text(resource),
            "Principal": principal(try fields.required("Principal")),
        ]
        if !conditions.isEmpty { members["Condition"] = .object(conditions.mapValues { .object($0) }) }
        return .object(members)
    }

    private static func principal(_ text: String) -> JSONValue {
        if text == "*" { return "*" }
        if text.count == 12, text.allSatisfy(\.isNumber) { return ["AWS": .text("arn:aws:iam::\(text):root")] }
        return text.hasPrefix("arn:") ? ["AWS": .text(text)] : ["Service": .text(text)]
    }

    func policy(_ qualifier: String?, in account: LambdaAccount) throws(LambdaError) -> JSONValue {
        try check(qualifier: qualifier, in: account)
        guard let policy = policies[qualifier ?? ""], !policy.statements.isEmpty else { throw .noSuchResource }
        return ["Policy": .text(policy.document.json), "RevisionId": .text(policy.revisionID)]
    }

    mutating func removePermission(
        _ id: String,
        qualifier: String?,
        revision: String?,
        in account: LambdaAccount
    ) throws(LambdaError) {
        try check(qualifier: qualifier, in: account)
        guard var policy = policies[qualifier ?? ""], !policy.statements.isEmpty else {
            throw LambdaError(.resourceNotFound, "No policy is associated with the given resource.")
        }
        guard revision == nil || revision == policy.revisionID else { throw .staleRevision }
        guard let place = policy.statements.firstIndex(where: { $0.id == id }) else {
            throw LambdaError(.resourceNotFound, "Statement \(id) is not found in resource policy.")
        }
        policy.statements.remove(at: place)
        policy.revisionID = UUID().uuidString.lowercased()
        policies[qualifier ?? ""] = policy.statements.isEmpty ? nil : policy
        latest.revisionID = UUID().uuidString.lowercased()
    }

    /// Whether strangers may call the function's URL, as the policy of its qualifier says.
    package func allowsPublicURL(_ qualifier: String?) -> Bool {
        (policies[qualifier ?? ""]?.statements ?? []).contains { statement in
            let action = statement.document["Action"]?.text ?? ""
            return statement.document["Principal"] == "*"
                && ["lambda:InvokeFunctionUrl", "lambda:*", "*"].contains(action)
        }
    }
}
