import Foundation
import Invoking

/// What hangs on a function or one of its qualifiers.
extension ControlPlane {
    // MARK: Aliases

    package func createAlias(_ function: FunctionReference, _ fields: RequestFields) async throws(LambdaError)
        -> JSONValue
    {
        try await change(function) { [account] in try $0.createAlias(fields, in: account) }
    }

    package func updateAlias(
        _ function: FunctionReference,
        _ alias: String,
        _ fields: RequestFields
    ) async throws(LambdaError) -> JSONValue {
        let document = try await change(function) { [account] in try $0.updateAlias(alias, fields, in: account) }
        provision(function)
        return document
    }

    package func getAlias(_ reference: FunctionReference, _ alias: String) throws(LambdaError) -> JSONValue {
        var function = try function(reference)
        function.aliases = aliases(of: function)
        return try function.alias(alias, in: account)
    }

    package func listAliases(
        _ reference: FunctionReference,
        of version: String?,
        _ page: Page
    ) throws(LambdaError) -> JSONValue {
        var function = try function(reference)
        function.aliases = aliases(of: function)
        return try page.document(of: function.aliasDocuments(of: version, in: account), as: "Aliases")
    }

    package func deleteAlias(_ function: FunctionReference, _ alias: String) async throws(LambdaError) {
        try await change(function) { try $0.deleteAlias(alias) }
    }

    // MARK: Permissions

    package func addPermission(_ function: FunctionReference, _ fields: RequestFields) async throws(LambdaError)
        -> JSONValue
    {
        let statement = try await change(function) { [account] in
            try $0.addPermission(fields, qualifier: function.qualifier, in: account)
        }
        return ["Statement": .text(statement)]
    }

    package func getPolicy(_ reference: FunctionReference) throws(LambdaError) -> JSONValue {
        try function(reference).policy(reference.qualifier, in: account)
    }

    package func removePermission(
        _ function: FunctionReference,
        _ statement: String,
        revision: String?
    ) async throws(LambdaError) {
        try await change(function) { [account] in
            try $0.removePermission(statement, qualifier: function.qualifier, revision: revision, in: account)
        }
    }

    // MARK: Concurrency

    package func putConcurrency(_ reference: FunctionReference, _ fields: RequestFields) async throws(LambdaError)
        -> JSONValue
    {
        let reserved = store.read { image in
            image.functions.values.reduce(0) { $0 + ($1.name == reference.name ? 0 : $1.reservedConcurrency ?? 0) }
        }
        let (name, count, document) = try await change(reference) { function in
            let document = try function.reserveConcurrency(fields, reservedByOthers: reserved)
            return (function.registryName, function.reservedConcurrency, document)
        }
        gate.limit(name, to: count)
        return document
    }

    package func getConcurrency(_ reference: FunctionReference) throws(LambdaError) -> JSONValue {
        let reserved = try function(reference).reservedConcurrency
        return .present(["ReservedConcurrentExecutions": reserved.map { .integer($0) }])
    }

    package func deleteConcurrency(_ reference: FunctionReference) async throws(LambdaError) {
        let name = try await change(reference) { function in
            function.reservedConcurrency = nil
            return function.registryName
        }
        gate.limit(name, to: nil)
    }

    package func putProvisioned(_ function: FunctionReference, _ fields: RequestFields) async throws(LambdaError)
        -> JSONValue
    {
        let now = now()
        let config = try await change(function) { [account] in
            try $0.provision(fields, qualifier: function.qualifier, in: account, now: now)
        }
        provision(function)
        return config.document(available: 0)
    }

    package func getProvisioned(_ reference: FunctionReference) throws(LambdaError) -> JSONValue {
        let function = try function(reference)
        let config = try function.provisioned(reference.qualifier, in: account)
        return config.document(available: acts.workers(function.registryName))
    }

    package func listProvisioned(_ reference: FunctionReference, _ page: Page) throws(LambdaError) -> JSONValue {
        let function = try function(reference)
        let available = acts.workers(function.registryName)
        let rows = function.provisioned.sorted { $0.key < $1.key }.map { qualifier, config -> JSONValue in
            var members = config.document(available: available).members ?? [:]
            members["FunctionArn"] = .text(account.functionARN(function.name, qualifier))
            return .object(members)
        }
        return try page.document(of: rows, as: "ProvisionedConcurrencyConfigs")
    }

    package func deleteProvisioned(_ function: FunctionReference) async throws(LambdaError) {
        try await change(function) { [account] in try $0.unprovision(function.qualifier, in: account) }
        provision(function)
    }

    /// Tells the pools what is to be kept from now on.
    private func provision(_ reference: FunctionReference) {
        guard let function = find(reference.name) else { return }
        acts.provision(function.registryName, function.workersProvisioned)
    }

    // MARK: Event invocations

    package func setEventInvoke(
        _ function: FunctionReference,
        _ fields: RequestFields,
        isReplacement: Bool
    ) async throws(LambdaError) -> JSONValue {
        let now = now()
        return try await change(function) { [account] in
            try $0.setEventInvoke(
                fields,
                qualifier: function.qualifier,
                isReplacement: isReplacement,
                in: account,
                now: now
            )
        }
    }

    package func getEventInvoke(_ reference: FunctionReference) throws(LambdaError) -> JSONValue {
        try function(reference).eventInvokeDocument(reference.qualifier, in: account)
    }

    package func listEventInvokes(_ reference: FunctionReference, _ page: Page) throws(LambdaError) -> JSONValue {
        let rows = try function(reference).eventInvokeDocuments(in: account)
        return try page.document(of: rows, as: "FunctionEventInvokeConfigs")
    }

    package func deleteEventInvoke(_ function: FunctionReference) async throws(LambdaError) {
        try await change(function) { [account] in try $0.deleteEventInvoke(function.qualifier, in: account) }
    }

    // MARK: Function URLs

    package func createURL(
        _ function: FunctionReference,
        _ fields: RequestFields,
        origin: String
    ) async throws(LambdaError) -> JSONValue {
        let now = now()
        return try await change(function) { [account] in
            try $0.createURL(fields, qualifier: function.qualifier, in: account, origin: origin, now: now)
        }
    }

    package func updateURL(
        _ function: FunctionReference,
        _ fields: RequestFields,
        origin: String
    ) async throws(LambdaError) -> JSONValue {
        let now = now()
        return try await change(function) { [account] in
            try $0.updateURL(fields, qualifier: function.qualifier, in: account, origin: origin, now: now)
        }
    }

    package func getURL(_ reference: FunctionReference, origin: String) throws(LambdaError) -> JSONValue {
        try function(reference).url(reference.qualifier, in: account, origin: origin)
    }

    package func listURLs(_ reference: FunctionReference, _ page: Page, origin: String) throws(LambdaError) -> JSONValue
    {
        let rows = try function(reference).urlDocuments(in: account, origin: origin)
        return try page.document(of: rows, as: "FunctionUrlConfigs")
    }

    package func deleteURL(_ function: FunctionReference) async throws(LambdaError) {
        try await change(function) { try $0.deleteURL(function.qualifier) }
    }

    /// Whose address an id is; nil for one that nobody has.
    package func url(id: String) -> URLTarget? { store.read { $0.urls[id] } }
}
