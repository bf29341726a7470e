import Foundation

extension ControlPlane {
    package func createMapping(_ fields: RequestFields) async throws(LambdaError) -> JSONValue {
        let reference = try reference(try fields.required("FunctionName"))
        let function = try function(reference)
        try function.check(qualifier: reference.qualifier, in: account)
        let mapping = try EventSourceMapping(fields, of: reference, now: now())
        try checkNoOther(mapping)
        defer { mappingsChanged() }
        return try await store.changeMapping(mapping.uuid) { [account] stored in
            stored = mapping
            return mapping.document(state: "Creating", in: account)
        }
    }

    private func checkNoOther(_ mapping: EventSourceMapping) throws(LambdaError) {
        guard let arn = mapping.sourceARN else { return }
        let other = store.read { image in
            image.mappings.values.first { $0.sourceARN == arn && $0.function == mapping.function }
        }
        guard let other else { return }
        let kind = arn.split(separator: ":").dropFirst(2).first.map { $0.uppercased() } ?? ""
        throw LambdaError(
            .resourceConflict,
            "An event source mapping with \(kind) arn (\" \(arn) \") and function (\" \(mapping.function) \") already "
                + "exists. Please update or delete the existing mapping with UUID \(other.uuid)"
        )
    }

    package func allMappings() -> [EventSourceMapping] { store.read { Array($0.mappings.values) } }

    package func getMapping(_ uuid: String) throws(LambdaError) -> JSONValue {
        guard let mapping = store.read({ $0.mappings[uuid] }) else { throw .noSuchResource }
        return mapping.document(in: account)
    }

    package func updateMapping(_ uuid: String, _ fields: RequestFields) async throws(LambdaError) -> JSONValue {
        let moved: FunctionReference?
        if let name = try fields.text("FunctionName") {
            let reference = try reference(name)
            _ = try function(reference)
            moved = reference
        } else {
            moved = nil
        }
        let now = now()
        defer { mappingsChanged() }
        return try await store.changeMapping(uuid) { [account] stored in
            guard var mapping = stored else { throw LambdaError.noSuchResource }
            let wasEnabled = mapping.isEnabled
            try mapping.apply(fields, now: now)
            if let moved {
                mapping.function = moved.name
                mapping.qualifier = moved.qualifier
            }
            stored = mapping
            let state =
                wasEnabled == mapping.isEnabled ? "Updating" : mapping.isEnabled ? "Enabling" : "Disabling"
            return mapping.document(state: state, in: account)
        }
    }

    package func deleteMapping(_ uuid: String) async throws(LambdaError) -> JSONValue {
        defer { mappingsChanged() }
        return try await store.changeMapping(uuid) { [account] stored in
            guard let mapping = stored else { throw LambdaError.noSuchResource }
            stored = nil
            return mapping.document(state: "Deleting", in: account)
        }
    }

    package func listMappings(function: String?, source: String?, _ page: Page) throws(LambdaError) -> JSONValue {
        let name = try function.map { (text) throws(LambdaError) in try reference(text).name }
        let rows = store.read { Array($0.mappings.values) }
            .filter { (name == nil || $0.function == name) && (source == nil || $0.sourceARN == source) }
            .sorted { $0.uuid < $1.uuid }
        return try page.document(of: rows.map { $0.document(in: account) }, as: "EventSourceMappings")
    }
}
