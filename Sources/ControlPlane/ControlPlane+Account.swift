import Foundation

/// Tags, settings of the account, and what a node of this kind has no use for but is asked about.
extension ControlPlane {
    /// - Parameter arn: of a function or an event source mapping.
    package func listTags(_ arn: String) throws(LambdaError) -> JSONValue {
        ["Tags": .texts(try function(try tagged(arn)).tags)]
    }

    package func tag(_ arn: String, _ fields: RequestFields) async throws(LambdaError) {
        let tags = try Self.tags(fields)
        try await change(try tagged(arn)) { function in
            let merged = function.tags.merging(tags) { $1 }
            guard merged.count <= LambdaLimits.tagsMax else {
                throw LambdaError.invalid("Number of tags exceeds resource tag limit.")
            }
            function.tags = merged
        }
    }

    package func untag(_ arn: String, _ keys: [String]) async throws(LambdaError) {
        try await change(try tagged(arn)) { function in
            for key in keys { function.tags[key] = nil }
        }
    }

    private func tagged(_ arn: String) throws(LambdaError) -> FunctionReference {
        let reference = try reference(arn)
        guard arn.hasPrefix("arn:") else {
            throw .constraint(
                arn,
                at: "resource",
                "Member must satisfy regular expression pattern: arn:(aws[a-zA-Z-]*):.*"
            )
        }
        guard reference.qualifier == nil else {
            throw .invalid("Tags on function aliases and versions are not supported. Please specify a function ARN.")
        }
        return reference
    }

    package func accountSettings() -> JSONValue {
        let functions = functions()
        let reserved = functions.reduce(0) { $0 + ($1.reservedConcurrency ?? 0) }
        return [
            "AccountLimit": [
                "TotalCodeSize": .integer(LambdaLimits.codeBytesMax),
                "CodeSizeUnzipped": .integer(LambdaLimits.unzippedBytesMax),
                "CodeSizeZipped": .integer(LambdaLimits.zipBytesMax),
                "ConcurrentExecutions": .integer(LambdaLimits.concurrencyMax),
                "UnreservedConcurrentExecutions": .integer(LambdaLimits.concurrencyMax - reserved),
            ],
            "AccountUsage": [
                "TotalCodeSize": .integer(functions.reduce(0) { $0 + $1.codeByteCount }),
                "FunctionCount": .integer(functions.count),
            ],
        ]
    }

    // MARK: Kept and given back

    package func recursion(_ reference: FunctionReference) throws(LambdaError) -> JSONValue {
        ["RecursiveLoop": try function(reference).extras["recursion"] ?? "Terminate"]
    }

    package func setRecursion(_ reference: FunctionReference, _ fields: RequestFields) async throws(LambdaError)
        -> JSONValue
    {
        guard let choice = try fields.choice("RecursiveLoop", ["Allow", "Terminate"]) else {
            throw .constraint("null", at: "recursiveLoop", "Member must not be null")
        }
        try await change(reference) { $0.extras["recursion"] = .text(choice) }
        return ["RecursiveLoop": .text(choice)]
    }

    package func runtimeManagement(_ reference: FunctionReference) throws(LambdaError) -> JSONValue {
        let function = try function(reference)
        let label = reference.qualifier ?? "$LATEST"
        var members = function.extras["runtime " + label]?.members ?? ["UpdateRuntimeOn": "Auto"]
        members["FunctionArn"] = .text(account.functionARN(function.name, label))
        return .object(members)
    }

    package func setRuntimeManagement(
        _ reference: FunctionReference,
        _ fields: RequestFields
    ) async throws(LambdaError) -> JSONValue {
        guard let choice = try fields.choice("UpdateRuntimeOn", ["Auto", "FunctionUpdate", "Manual"]) else {
            throw .constraint("null", at: "updateRuntimeOn", "Member must not be null")
        }
        let arn = try fields.text("RuntimeVersionArn")
        let kept = JSONValue.present(["UpdateRuntimeOn": .text(choice), "RuntimeVersionArn": arn.map { .text($0) }])
        try await change(reference) { $0.extras["runtime " + (reference.qualifier ?? "$LATEST")] = kept }
        return try runtimeManagement(reference)
    }

    package func scalingConfig(_ reference: FunctionReference) throws(LambdaError) -> JSONValue {
        let function = try function(reference)
        let kept = function.extras["scaling " + (reference.qualifier ?? "$LATEST")]
        return .present([
            "FunctionArn": .text(account.functionARN(function.name, reference.qualifier ?? "$LATEST")),
            "AppliedFunctionScalingConfig": kept, "RequestedFunctionScalingConfig": kept,
        ])
    }

    package func setScalingConfig(
        _ reference: FunctionReference,
        _ fields: RequestFields
    ) async throws(LambdaError) -> JSONValue {
        let config = try fields.object("FunctionScalingConfig")
        _ = try config?.integer("MinExecutionEnvironments", in: 0...15_000)
        _ = try config?.integer("MaxExecutionEnvironments", in: 0...15_000)
        let kept = config?.document
        try await change(reference) { $0.extras["scaling " + (reference.qualifier ?? "$LATEST")] = kept }
        return ["FunctionState": "Active"]
    }

    package func codeSigning(_ reference: FunctionReference) throws(LambdaError) -> JSONValue {
        let function = try function(reference)
        return .present(["CodeSigningConfigArn": nil, "FunctionName": .text(function.name)])
    }
}
