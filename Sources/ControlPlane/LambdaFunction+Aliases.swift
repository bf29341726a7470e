import Foundation

/// A name that means a version, or one of two by chance.
package struct LambdaAlias: Codable, Equatable, Sendable {
    package var functionVersion: String
    package var description = ""
    /// Part of the calls that go to another version, 0 to 1.
    package var weights: [String: Double] = [:]
    package var revisionID = UUID().uuidString.lowercased()

    init(functionVersion: String) {
        self.functionVersion = functionVersion
    }

    /// - Parameter chance: from 0 up to 1.
    func pick(_ chance: Double) -> String {
        var rest = chance
        for (label, weight) in weights.sorted(by: { $0.key < $1.key }) {
            if rest < weight { return label }
            rest -= weight
        }
        return functionVersion
    }

    func document(_ alias: String, of function: String, in account: LambdaAccount) -> JSONValue {
        var members: [String: JSONValue] = [
            "AliasArn": .text(account.functionARN(function, alias)),
            "Name": .text(alias),
            "FunctionVersion": .text(functionVersion),
            "Description": .text(description),
            "RevisionId": .text(revisionID),
        ]
        if !weights.isEmpty {
            members["RoutingConfig"] = ["AdditionalVersionWeights": .object(weights.mapValues { .number($0) })]
        }
        return .object(members)
    }
}

extension LambdaFunction {
    mutating func createAlias(_ fields: RequestFields, in account: LambdaAccount) throws(LambdaError) -> JSONValue {
        let alias = try fields.required("Name", charactersMax: 128)
        guard FunctionReference.isName(alias), Int(alias) == nil else {
            throw .constraint(
                alias,
                at: "name",
                "Member must satisfy regular expression pattern: (?!^[0-9]+$)([a-zA-Z0-9-_]+)"
            )
        }
        guard aliases[alias] == nil else {
            throw LambdaError(.resourceConflict, "Alias already exists: \(account.functionARN(name, alias))")
        }
        var made = LambdaAlias(functionVersion: try fields.required("FunctionVersion"))
        try apply(fields, to: &made, in: account)
        aliases[alias] = made
        return made.document(alias, of: name, in: account)
    }

    mutating func updateAlias(
        _ alias: String,
        _ fields: RequestFields,
        in account: LambdaAccount
    ) throws(LambdaError) -> JSONValue {
        guard var changed = aliases[alias] else { throw aliasNotFound(alias, in: account) }
        if let revision = try fields.text("RevisionId"), revision != changed.revisionID { throw .staleRevision }
        if let label = try fields.text("FunctionVersion") { changed.functionVersion = label }
        try apply(fields, to: &changed, in: account)
        changed.revisionID = UUID().uuidString.lowercased()
        aliases[alias] = changed
        return changed.document(alias, of: name, in: account)
    }

    private func apply(
        _ fields: RequestFields,
        to alias: inout LambdaAlias,
        in account: LambdaAccount
    ) throws(LambdaError) {
        if let text = try fields.text("Description", charactersMax: LambdaLimits.descriptionCharactersMax) {
            alias.description = text
        }
        if let routing = try fields.object("RoutingConfig") { alias.weights = try weights(routing) }
        guard version(alias.functionVersion) != nil else {
            throw .functionNotFound(account.functionARN(name, alias.functionVersion))
        }
        for label in alias.weights.keys.sorted() {
            if alias.functionVersion == "$LATEST" {
                throw .invalid("$LATEST is not supported for an alias pointing to more than 1 version")
            }
            guard label != alias.functionVersion else {
                throw .invalid(
                    "Invalid function version \(label). Function version \(label) is already included in routing "
                        + "configuration."
                )
            }
            guard version(label) != nil else { throw .functionNotFound(account.functionARN(name, label)) }
        }
    }

    private func weights(_ routing: RequestFields) throws(LambdaError) -> [String: Double] {
        guard let members = routing.value("AdditionalVersionWeights")?.members else { return [:] }
        guard members.count <= 1 else {
            throw .invalid("Number of items in AdditionalVersionWeights cannot be greater than 1")
        }
        var weights: [String: Double] = [:]
        for (label, value) in members {
            let weight: Double? =
                switch value {
                case .integer(let number): Double(number)
                case .number(let number): number
                default: nil
                }
            guard let weight, (0...1).contains(weight) else {
                throw .constraint(
                    value.json,
                    at: "routingConfig.additionalVersionWeights",
                    "Map value must satisfy constraint: [Member must have value less than or equal to 1.0, Member must "
                        + "have value greater than or equal to 0.0]"
                )
            }
            guard let number = Int(label), number > 0 else {
                throw .constraint(
                    "{\(label)=\(weight)}",
                    at: "routingConfig.additionalVersionWeights",
                    "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: [0-9]+]"
                )
            }
            weights[label] = weight
        }
        return weights
    }

    func alias(_ alias: String, in account: LambdaAccount) throws(LambdaError) -> JSONValue {
        guard let found = aliases[alias] else { throw aliasNotFound(alias, in: account) }
        return found.document(alias, of: name, in: account)
    }

    /// One that is not there is as good as deleted.
    mutating func deleteAlias(_ alias: String) throws(LambdaError) {
        guard provisioned[alias] == nil else {
            throw LambdaError(
                .resourceConflict,
                "Alias is used by a provisioned concurrency config; delete that first: \(alias)"
            )
        }
        aliases[alias] = nil
        policies[alias] = nil
        urls[alias] = nil
        eventInvokes[alias] = nil
    }

    /// - Parameter label: nil for all of them.
    func aliasDocuments(of label: String?, in account: LambdaAccount) -> [JSONValue] {
        aliases.sorted { $0.key < $1.key }
            .filter { label == nil || $0.value.functionVersion == label || $0.value.weights[label ?? ""] != nil }
            .map { $0.value.document($0.key, of: name, in: account) }
    }

    private func aliasNotFound(_ alias: String, in account: LambdaAccount) -> LambdaError {
        LambdaError(.resourceNotFound, "Cannot find alias arn: \(account.functionARN(name, alias))")
    }
}
