extension LambdaFunction {
    /// The document that most operations answer with.
    ///
    /// - Parameter qualifier: shown in the ARN as the caller wrote it; an alias stays an alias.
    package func configuration(
        _ version: LambdaVersion,
        qualifier: String? = nil,
        in account: LambdaAccount
    ) -> JSONValue {
        let settings = version.settings
        var members = settings.members
        members["FunctionName"] = .text(name)
        members["FunctionArn"] = .text(account.functionARN(name, qualifier ?? version.number.map(String.init)))
        members["CodeSize"] = .integer(version.code.byteCount)
        members["CodeSha256"] = .text(version.code.sha256)
        members["LastModified"] = .text(version.lastModified)
        members["Version"] = .text(version.label)
        members["RevisionId"] = .text(version.revisionID)
        members["SnapStart"] = [
            "ApplyOn": settings.others["SnapStart"]?["ApplyOn"] ?? "None",
            "OptimizationStatus": version.number != nil && settings.isSnapStarted ? "On" : "Off",
        ]
        members["LoggingConfig"] =
            settings.others["LoggingConfig"]
            ?? ["LogFormat": "Text", "LogGroup": .text("/aws/lambda/\(name)")]
        if let runtime = settings.runtime {
            members["RuntimeVersionConfig"] = [
                "RuntimeVersionArn": .text("arn:aws:lambda:\(account.region)::runtime:\(runtime)")
            ]
        }
        if !settings.layers.isEmpty {
            members["Layers"] = .array(
                settings.layers.enumerated().map { number, arn in
                    let code = settings.layerCode.flatMap { $0.indices.contains(number) ? $0[number] : nil }
                    return ["Arn": .text(arn), "CodeSize": .integer(code?.byteCount ?? 0)]
                }
            )
        }
        addState(of: version, to: &members)
        return .object(members)
    }

    private func addState(of version: LambdaVersion, to members: inout [String: JSONValue]) {
        // What was published runs, whatever becomes of $LATEST.
        guard version.number == nil else {
            members["State"] = "Active"
            members["LastUpdateStatus"] = "Successful"
            return
        }
        switch phase {
        case .pending:
            members["State"] = "Pending"
            members["StateReason"] = "The function is being created."
            members["StateReasonCode"] = "Creating"
        case .active:
            members["State"] = "Active"
        case .failed(let reason):
            members["State"] = "Failed"
            members["StateReason"] = .text(reason)
            members["StateReasonCode"] = "InvalidZipFileException"
        }
        switch update {
        case nil: break
        case .inProgress:
            members["LastUpdateStatus"] = "InProgress"
            members["LastUpdateStatusReason"] = "The function is being created."
            members["LastUpdateStatusReasonCode"] = "Creating"
        case .successful:
            members["LastUpdateStatus"] = "Successful"
        case .failed(let reason):
            members["LastUpdateStatus"] = "Failed"
            members["LastUpdateStatusReason"] = .text(reason)
            members["LastUpdateStatusReasonCode"] = "InvalidZipFileException"
        }
    }
}

extension FunctionSettings {
    var isSnapStarted: Bool { others["SnapStart"]?["ApplyOn"]?.text == "PublishedVersions" }

    fileprivate var members: [String: JSONValue] {
        var members: [String: JSONValue] = [
            "Role": .text(role),
            "Description": .text(description),
            "Timeout": .integer(timeoutSeconds),
            "MemorySize": .integer(memoryMebibytes),
            "PackageType": .text(packageType),
            "Architectures": .texts(architectures),
            "EphemeralStorage": ["Size": .integer(temporaryMebibytes)],
            "TracingConfig": ["Mode": others["TracingConfig"]?["Mode"] ?? "PassThrough"],
        ]
        members["Runtime"] = runtime.map { .text($0) }
        members["Handler"] = handler.map { .text($0) }
        members["Environment"] = environment.map { ["Variables": .texts($0)] }
        for key in ["DeadLetterConfig", "FileSystemConfigs", "KMSKeyArn", "DurableConfig", "TenancyConfig"] {
            members[key] = others[key]
        }
        members["CapacityProviderConfig"] = others["CapacityProviderConfig"]
        members["ImageConfigResponse"] = others["ImageConfig"].map { ["ImageConfig": $0] }
        if let vpc = others["VpcConfig"], vpc["SubnetIds"]?.elements?.isEmpty == false {
            members["VpcConfig"] = .object((vpc.members ?? [:]).merging(["VpcId": "vpc-0"]) { $1 })
        }
        return members
    }
}

extension JSONValue: ExpressibleByDictionaryLiteral {
    package init(dictionaryLiteral elements: (String, JSONValue)...) {
        self = .object(Dictionary(elements) { $1 })
    }
}
