import Foundation

extension ControlPlane {
    package func publishLayer(
        _ text: String,
        _ fields: RequestFields,
        locator: CodeLocator
    ) async throws(LambdaError) -> JSONValue {
        let name = try layerName(text)
        guard let content = try fields.object("Content") else {
            throw .constraint("null", at: "content", "Member must not be null")
        }
        let (archive, _) = try archive(content)
        let description = try fields.text("Description", charactersMax: LambdaLimits.descriptionCharactersMax)
        let created = LambdaTime.text(now())
        let layer = try await store.addLayer(name) { number in
            LayerVersion(
                name: name,
                number: number,
                description: description ?? "",
                created: created,
                sha256: archive.sha256,
                archive: archive.name,
                byteCount: archive.byteCount,
                settings: (fields.document.members ?? [:]).filter { LayerVersion.settingKeys.contains($0.key) }
            )
        }
        return layer.document(in: account, at: try locator.location(of: layer.archive))
    }

    package func getLayer(_ text: String, _ number: String, locator: CodeLocator) throws(LambdaError) -> JSONValue {
        let layer = try layer(text, number)
        return layer.document(in: account, at: try locator.location(of: layer.archive))
    }

    /// - Parameter arn: of a layer's version.
    package func getLayer(arn: String, locator: CodeLocator) throws(LambdaError) -> JSONValue {
        let parts = arn.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 8, parts[0] == "arn", parts[5] == "layer" else {
            throw .constraint(
                arn,
                at: "arn",
                "Member must satisfy regular expression pattern: arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\\d{12}:layer:"
                    + "[a-zA-Z0-9-_]+:[0-9]+"
            )
        }
        return try getLayer(parts[6], parts[7], locator: locator)
    }

    /// Finds what `settings` name; what was found before stays.
    func findLayers(_ settings: inout FunctionSettings) throws(LambdaError) {
        guard settings.layerCode == nil else { return }
        var found: [LayerCode] = []
        for arn in settings.layers {
            let parts = arn.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
            guard parts.count == 8, parts[0] == "arn", parts[5] == "layer", let layer = try? layer(parts[6], parts[7])
            else { throw .invalid("Layer version \(arn) does not exist.") }
            found.append(LayerCode(archive: layer.archive, byteCount: layer.byteCount))
        }
        let names = settings.layers.map { $0[..<($0.lastIndex(of: ":") ?? $0.endIndex)] }
        guard Set(names).count == names.count else {
            throw .invalid(
                "Two different versions of the same layer are not allowed to be referenced in the same function."
            )
        }
        settings.layerCode = found
    }

    package func listLayers(runtime: String?, _ page: Page) throws(LambdaError) -> JSONValue {
        let rows = store.read { $0.layers }.sorted { $0.key < $1.key }.compactMap { name, versions -> JSONValue? in
            guard let newest = versions.last(where: { $0.suits(runtime) }) else { return nil }
            return [
                "LayerName": .text(name), "LayerArn": .text(account.layerARN(name)),
                "LatestMatchingVersion": newest.document(in: account, at: nil),
            ]
        }
        return try page.document(of: rows, as: "Layers")
    }

    package func listLayerVersions(_ text: String, runtime: String?, _ page: Page) throws(LambdaError) -> JSONValue {
        let name = try layerName(text)
        let rows = store.read { $0.layers[name] ?? [] }.reversed().filter { $0.suits(runtime) }
            .map { $0.document(in: account, at: nil) }
        return try page.document(of: rows, as: "LayerVersions")
    }

    /// One that is not there is as good as deleted.
    package func deleteLayer(_ text: String, _ number: String) async throws(LambdaError) {
        guard let number = Int(number) else { return }
        try await store.changeLayer(try layerName(text), number) { $0 = nil }
        collect()
    }

    // MARK: Who may use a layer

    package func addLayerPermission(
        _ text: String,
        _ number: String,
        _ fields: RequestFields
    ) async throws(LambdaError) -> JSONValue {
        let layer = try layer(text, number)
        let id = try fields.required("StatementId", charactersMax: 100)
        let statement: JSONValue = [
            "Sid": .text(id), "Effect": "Allow", "Principal": .text(try fields.required("Principal")),
            "Action": .text(try fields.required("Action")),
            "Resource": .text(account.layerARN(layer.name, layer.number)),
        ]
        let revision = try await store.changeLayer(layer.name, layer.number) { stored in
            guard !(stored?.policy.statements.contains { $0.id == id } ?? false) else {
                throw LambdaError(
                    .resourceConflict,
                    "The statement id (\(id)) provided already exists. Please provide a new statement id, or remove the "
                        + "existing statement."
                )
            }
            stored?.policy.statements.append(ResourcePolicy.Statement(id: id, document: statement))
            stored?.policy.revisionID = UUID().uuidString.lowercased()
            return stored?.policy.revisionID ?? ""
        }
        return ["Statement": .text(statement.json), "RevisionId": .text(revision)]
    }

    package func layerPolicy(_ text: String, _ number: String) throws(LambdaError) -> JSONValue {
        let policy = try layer(text, number).policy
        guard !policy.statements.isEmpty else {
            throw LambdaError(.resourceNotFound, "No policy is associated with the given resource.")
        }
        return ["Policy": .text(policy.document.json), "RevisionId": .text(policy.revisionID)]
    }

    package func removeLayerPermission(_ text: String, _ number: String, _ id: String) async throws(LambdaError) {
        let layer = try layer(text, number)
        try await store.changeLayer(layer.name, layer.number) { stored in
            guard stored?.policy.statements.contains(where: { $0.id == id }) ?? false else {
                throw LambdaError(.resourceNotFound, "Statement \(id) is not found in resource policy.")
            }
            stored?.policy.statements.removeAll { $0.id == id }
        }
    }

    private func layer(_ text: String, _ number: String) throws(LambdaError) -> LayerVersion {
        let name = try layerName(text)
        let layer = store.read { $0.layers[name]?.first { String($0.number) == number } }
        guard let layer else { throw .noSuchResource }
        return layer
    }

    /// A layer's name, or its ARN.
    private func layerName(_ text: String) throws(LambdaError) -> String {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false).map(String.init)
        let name = parts.count >= 7 && parts[0] == "arn" && parts[5] == "layer" ? parts[6] : text
        guard FunctionReference.isName(name), name.count <= 140 else {
            throw .constraint(
                text,
                at: "layerName",
                "Member must satisfy regular expression pattern: (arn:[a-zA-Z0-9-]+:lambda:[a-zA-Z0-9-]+:\\d{12}:layer:"
                    + "[a-zA-Z0-9-_]+)|[a-zA-Z0-9-_]+"
            )
        }
        return name
    }
}

extension LayerVersion {
    fileprivate func suits(_ runtime: String?) -> Bool {
        guard let runtime, let runtimes = settings["CompatibleRuntimes"]?.elements else { return true }
        return runtimes.contains(.text(runtime))
    }
}
