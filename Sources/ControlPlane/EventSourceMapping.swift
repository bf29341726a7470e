import Foundation

/// What brings a function the records of a queue or a stream.
package struct EventSourceMapping: Codable, Equatable, Sendable {
    package let uuid: String
    /// The function's name, and the qualifier its records go to.
    package var function: String
    package var qualifier: String?
    package var isEnabled: Bool
    /// What was said of it, under the API's own names.
    package var settings: [String: JSONValue]
    var lastModified: Double
    /// Written by a deploy, of what the manifest says; nil where somebody made it.
    private var declared: Bool?

    var isDeclared: Bool { declared ?? false }

    private static let keys = [
        "EventSourceArn", "BatchSize", "FilterCriteria", "MaximumBatchingWindowInSeconds", "ParallelizationFactor",
        "StartingPosition", "StartingPositionTimestamp", "DestinationConfig", "MaximumRecordAgeInSeconds",
        "BisectBatchOnFunctionError", "MaximumRetryAttempts", "TumblingWindowInSeconds", "Topics", "Queues",
        "SourceAccessConfigurations", "SelfManagedEventSource", "FunctionResponseTypes",
        "AmazonManagedKafkaEventSourceConfig", "SelfManagedKafkaEventSourceConfig", "ScalingConfig",
        "DocumentDBEventSourceConfig", "KMSKeyArn", "MetricsConfig", "LoggingConfig", "ProvisionedPollerConfig",
    ]

    package var sourceARN: String? { settings["EventSourceArn"]?.text }

    /// The source as people and records are shown it: without a password.
    package var shownSource: String { Self.masked(sourceARN ?? sourceAddress ?? "") }

    private static func masked(_ text: String) -> String {
        guard let start = text.firstRange(of: "://")?.upperBound, let at = text[start...].firstIndex(of: "@"),
            let colon = text[start..<at].firstIndex(of: ":")
        else { return text }
        return text.replacingCharacters(in: text.index(after: colon)..<at, with: "…")
    }

    /// The source as a URL, where it is one, or has one: Kafka of one's own is named by its servers and topics.
    package var sourceAddress: String? {
        if let arn = sourceARN { return arn.contains("://") ? arn : nil }
        guard let servers = settings["SelfManagedEventSource"]?["Endpoints"]?["KAFKA_BOOTSTRAP_SERVERS"]?.elements,
            let topic = settings["Topics"]?.elements?.first?.text
        else { return nil }
        let group = settings["SelfManagedKafkaEventSourceConfig"]?["ConsumerGroupId"]?.text ?? uuid
        let start = settings["StartingPosition"]?.text ?? "TRIM_HORIZON"
        let hosts = servers.compactMap(\.text).joined(separator: ",")
        return "kafka:///\(topic)?servers=\(hosts)&group=\(group)&start=\(start == "LATEST" ? "latest" : "earliest")"
    }

    private enum Source {
        case queue
        case stream
        case broker

        init?(_ settings: [String: JSONValue]) {
            guard let arn = settings["EventSourceArn"]?.text else {
                guard settings["SelfManagedEventSource"] != nil else { return nil }
                self = .broker
                return
            }
            // A URL names a source that the service has none of: redis://…, nats://….
            if let scheme = arn.firstRange(of: "://").map({ arn[..<$0.lowerBound] }) {
                self = scheme == "kafka" || scheme == "mqtt" ? .stream : .queue
                return
            }
            let parts = arn.split(separator: ":", omittingEmptySubsequences: false)
            guard parts.count >= 6, parts[0] == "arn" else { return nil }
            switch parts[2] {
            case "sqs": self = .queue
            case "kinesis", "dynamodb": self = .stream
            case "kafka", "mq", "rds": self = .broker
            default: return nil
            }
        }
    }

    init(_ fields: RequestFields, of reference: FunctionReference, now: Date) throws(LambdaError) {
        uuid = UUID().uuidString.lowercased()
        function = reference.name
        qualifier = reference.qualifier
        isEnabled = try fields.bool("Enabled") ?? true
        settings = [:]
        lastModified = 0
        try apply(fields, now: now)
        guard let source = Source(settings) else { throw .invalid("Unrecognized event source.") }
        switch source {
        case .queue:
            settings["BatchSize"] = settings["BatchSize"] ?? 10
            settings["MaximumBatchingWindowInSeconds"] = settings["MaximumBatchingWindowInSeconds"] ?? 0
        case .stream:
            if settings["StartingPosition"] == nil, sourceARN?.contains("://") == true {
                settings["StartingPosition"] = "TRIM_HORIZON"
            }
            guard settings["StartingPosition"] != nil else {
                throw .invalid(
                    "1 validation error detected: Value null at 'startingPosition' failed to satisfy "
                        + "constraint: Member must not be null."
                )
            }
            settings["BatchSize"] = settings["BatchSize"] ?? 100
            for (key, value) in Self.streamDefaults where settings[key] == nil { settings[key] = value }
        case .broker:
            settings["BatchSize"] = settings["BatchSize"] ?? 100
        }
        settings["FunctionResponseTypes"] = settings["FunctionResponseTypes"] ?? .array([])
        try checkWindow()
    }

    /// One of a manifest, which is checked already.
    init(uuid: String, function: String, settings: [String: JSONValue], now: Date) {
        self.uuid = uuid
        self.function = function
        self.settings = settings
        isEnabled = true
        declared = true
        lastModified = (now.timeIntervalSince1970 * 1000).rounded() / 1000
    }

    private static let streamDefaults: [String: JSONValue] = [
        "MaximumBatchingWindowInSeconds": 0, "ParallelizationFactor": 1, "MaximumRecordAgeInSeconds": -1,
        "BisectBatchOnFunctionError": false, "MaximumRetryAttempts": -1, "TumblingWindowInSeconds": 0,
        "DestinationConfig": ["OnFailure": .object([:])],
    ]

    mutating func apply(_ fields: RequestFields, now: Date) throws(LambdaError) {
        let ranges: [(String, ClosedRange<Int>)] = [
            ("BatchSize", 1...10_000), ("MaximumBatchingWindowInSeconds", 0...300), ("ParallelizationFactor", 1...10),
            ("MaximumRecordAgeInSeconds", -1...604_800), ("MaximumRetryAttempts", -1...10_000),
            ("TumblingWindowInSeconds", 0...900),
        ]
        for (key, range) in ranges { _ = try fields.integer(key, in: range) }
        _ = try fields.choice("StartingPosition", ["TRIM_HORIZON", "LATEST", "AT_TIMESTAMP"])
        _ = try fields.object("ScalingConfig")?.integer("MaximumConcurrency", in: 2...1000)
        for filter in fields.value("FilterCriteria")?["Filters"]?.elements ?? [] {
            guard let pattern = filter["Pattern"]?.text, let document = JSONValue(parsing: pattern.utf8),
                document.members != nil, pattern.count <= 4096
            else { throw .invalid("Invalid filter pattern definition.") }
        }
        for key in Self.keys {
            if let value = fields.value(key) { settings[key] = value }
        }
        if let isEnabled = try fields.bool("Enabled") { self.isEnabled = isEnabled }
        lastModified = (now.timeIntervalSince1970 * 1000).rounded() / 1000
        if fields.has("BatchSize") { try checkWindow() }
    }

    private func checkWindow() throws(LambdaError) {
        guard case .queue? = Source(settings) else { return }
        let window = settings["MaximumBatchingWindowInSeconds"]?.integer ?? 0
        if (settings["BatchSize"]?.integer ?? 10) > 10, window == 0 {
            throw .invalid(
                "Maximum batch window in seconds must be greater than 0 if maximum batch size is greater than 10"
            )
        }
    }

    /// - Parameter state: what the mapping is becoming; nil for what it is.
    package func document(state: String? = nil, in account: LambdaAccount) -> JSONValue {
        var members = settings
        members["UUID"] = .text(uuid)
        if let source = sourceARN { members["EventSourceArn"] = .text(Self.masked(source)) }
        members["EventSourceMappingArn"] = .text(account.mappingARN(uuid))
        members["FunctionArn"] = .text(account.functionARN(function, qualifier))
        members["State"] = .text(state ?? (isEnabled ? "Enabled" : "Disabled"))
        members["StateTransitionReason"] = members["EventSourceArn"] == nil ? "USER_INITIATED" : "User action"
        members["LastModified"] = .number(lastModified)
        if case .stream? = Source(settings) { members["LastProcessingResult"] = "No records processed" }
        return .object(members)
    }
}
