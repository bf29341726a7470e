import Manifests

/// What an author sets of a function through the Lambda API; published versions keep theirs for ever.
package struct FunctionSettings: Codable, Equatable, Sendable {
    package var runtime: String?
    package var handler: String?
    package var role: String
    package var description = ""
    package var timeoutSeconds = LambdaLimits.timeoutSecondsDefault
    package var memoryMebibytes = LambdaLimits.memoryMebibytesDefault
    package var temporaryMebibytes = LambdaLimits.temporaryMebibytesDefault
    /// nil where none was ever given: then replies have no such key.
    package var environment: [String: String]?
    package var layers: [String] = []
    /// The layers' archives, in the same order: kept while the function is, also where a layer's version is deleted.
    ///
    /// nil in documents of before, whose layers were not laid out.
    package var layerCode: [LayerCode]?
    package var architectures: [String]
    package var packageType = "Zip"
    /// Kept and shown as they were given: this node has no use for them.
    package var others: [String: JSONValue] = [:]

    /// Members that are kept and shown as they came.
    static let otherKeys = [
        "VpcConfig", "DeadLetterConfig", "FileSystemConfigs", "ImageConfig", "LoggingConfig", "KMSKeyArn", "SnapStart",
        "TracingConfig", "DurableConfig", "TenancyConfig", "CapacityProviderConfig",
    ]

    package init(role: String, architecture: String = LambdaLimits.architecture) {
        self.role = role
        architectures = [architecture]
    }

    /// Reads what a create or an update says; what it does not say stays.
    mutating func apply(_ fields: RequestFields) throws(LambdaError) {
        if let role = try fields.text("Role") { self.role = role }
        if let runtime = try fields.text("Runtime") {
            try CodeRuntime.check(runtime)
            self.runtime = runtime
        }
        if let handler = try fields.text("Handler", charactersMax: LambdaLimits.handlerCharactersMax) {
            self.handler = handler
        }
        if let text = try fields.text("Description", charactersMax: LambdaLimits.descriptionCharactersMax) {
            description = text
        }
        if let timeout = try fields.integer("Timeout", in: LambdaLimits.timeoutSeconds) { timeoutSeconds = timeout }
        if let memory = try fields.integer("MemorySize", in: LambdaLimits.memoryMebibytes) { memoryMebibytes = memory }
        if let size = try fields.object("EphemeralStorage")?.integer("Size", in: LambdaLimits.temporaryMebibytes) {
            temporaryMebibytes = size
        }
        if let environment = try fields.object("Environment") {
            self.environment = try Self.environment(environment.map("Variables") ?? [:])
        }
        if let layers = try fields.texts("Layers") {
            guard layers.count <= LambdaLimits.layersMax else {
                throw .invalid("Cannot reference more than \(LambdaLimits.layersMax) layers.")
            }
            self.layers = layers
            layerCode = nil
        }
        if let architectures = try fields.texts("Architectures"), !architectures.isEmpty {
            self.architectures = architectures
        }
        for key in Self.otherKeys {
            if let value = fields.value(key) { others[key] = value }
        }
        try checkDeadLetters()
    }

    private static func environment(_ variables: [String: String]) throws(LambdaError) -> [String: String] {
        for name in variables.keys.sorted() {
            guard let first = name.utf8.first, (first | 0x20 >= 0x61 && first | 0x20 <= 0x7A) || first == 0x5F,
                name.utf8.allSatisfy({ FunctionReference.isNameByte($0) && $0 != UInt8(ascii: "-") })
            else {
                throw .constraint(
                    name,
                    at: "environment.variables",
                    "Map keys must satisfy constraint: [Member must satisfy regular expression pattern: "
                        + "[a-zA-Z]([a-zA-Z0-9_])+]"
                )
            }
        }
        let byteCount = variables.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count + 2 }
        guard byteCount <= LambdaLimits.environmentBytesMax else {
            throw .invalid(
                "Lambda was unable to configure your environment variables because the environment variables you have "
                    + "provided exceeded the 4KB limit. String measured: \(JSONValue.texts(variables).json)"
            )
        }
        if let network = variables[networkVariable], NetworkAccess(rawValue: network) == nil {
            throw .invalid("The environment variable \(networkVariable) is none or egress, not \(network).")
        }
        return variables
    }

    /// The variable by which a function asks for a network: the API has no member for it.
    static let networkVariable = "THAW_NETWORK"

    /// nil where the environment does not say.
    var network: NetworkAccess? {
        environment?[Self.networkVariable].flatMap(NetworkAccess.init(rawValue:))
    }

    private func checkDeadLetters() throws(LambdaError) {
        guard let target = others["DeadLetterConfig"]?["TargetArn"]?.text, !target.isEmpty else { return }
        guard target.hasPrefix("arn:") else {
            throw .constraint(
                target,
                at: "deadLetterConfig.targetArn",
                "Member must satisfy regular expression pattern: (arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*)|()"
            )
        }
    }

    /// Whether the snapshot has to be made anew to run with `other` instead.
    func needsPacking(for other: FunctionSettings) -> Bool {
        runtime != other.runtime || handler != other.handler || layers != other.layers
    }
}

/// What a function has of one layer's version.
package struct LayerCode: Codable, Equatable, Sendable {
    /// The archive's name in the code store.
    package var archive: String
    package var byteCount: Int
}

/// The API's bounds and defaults, as the service has them where nothing else is said.
package enum LambdaLimits {
    static let timeoutSeconds = 1...900
    static let timeoutSecondsDefault = 3
    static let memoryMebibytes = 128...32_768
    static let memoryMebibytesDefault = 128
    static let temporaryMebibytes = 512...10_240
    static let temporaryMebibytesDefault = 512
    static let handlerCharactersMax = 128
    static let descriptionCharactersMax = 256
    static let layersMax = 5
    static let environmentBytesMax = 4096
    static let tagsMax = 50
    /// Calls that may run at once for all functions: the account's limit, of which reservations take their part.
    static let concurrencyMax = 1000
    static let unreservedConcurrencyMin = 100
    static let codeBytesMax = 75 << 30
    static let zipBytesMax = 52_428_800
    static let unzippedBytesMax = 262_144_000
    /// A request with a zip of the largest size in it, in base64.
    package static let requestBytesMax = 70_167_211
    /// A client context: base64 of JSON.
    package static let clientContextBytesMax = 3583
    /// Rows of one page where the caller does not say.
    static let pageItemsDefault = 50

    #if arch(arm64)
    package static let architecture = "arm64"
    #else
    package static let architecture = "x86_64"
    #endif
}

/// Which of the API's runtimes this node runs, and as what.
package enum CodeRuntime: Equatable, Sendable {
    case python
    /// The program `bootstrap` of the code.
    case provided
    /// What the `function.yaml` in the archive says.
    case bundle

    /// As which functions appear that were not made through this API.
    package static let bundleName = "provided.thaw"

    static func named(_ name: String?) -> CodeRuntime? {
        guard let name else { return nil }
        if name == bundleName { return .bundle }
        if name == "provided" || name.hasPrefix("provided.") { return .provided }
        guard name.hasPrefix("python3"), name.dropFirst("python3".count).allSatisfy({ $0 == "." || $0.isNumber })
        else { return nil }
        return .python
    }

    static func check(_ name: String) throws(LambdaError) {
        guard named(name) == nil else { return }
        throw .invalid(
            "Value \(name) at 'runtime' failed to satisfy constraint: Member must satisfy enum value set: "
                + "[python3.9, python3.10, python3.11, python3.12, python3.13, python3.14, provided, provided.al2, "
                + "provided.al2023, \(bundleName)] or be a valid ARN"
        )
    }
}
