package import ControlPlane

/// What a mapping says of how its records are batched, filtered and tried again.
package struct MappingSettings: Equatable, Sendable {
    package var batchCountMax: Int
    package var windowMilliseconds: Int64
    package var filter: RecordFilter
    package var reportsFailures: Bool
    /// Batches of a queue that run at once; a stream has one.
    package var concurrencyMax: Int
    var stream: StreamBatch.Policy
    /// Where records go that a stream gave up.
    package var failureDestination: String?

    /// Batches at once where the mapping does not say.
    static let concurrencyDefault = 5

    /// - Parameter settings: of a mapping, under the API's own names.
    package init(_ settings: [String: JSONValue], kind: SourceKind) throws(FilterPatternError) {
        batchCountMax = max(settings["BatchSize"]?.integer ?? 10, 1)
        windowMilliseconds = Int64(settings["MaximumBatchingWindowInSeconds"]?.integer ?? 0) * 1000
        filter = try RecordFilter(
            settings["FilterCriteria"],
            payloadKey: kind.payloadKey,
            isPayloadBase64: kind.isPayloadBase64
        )
        reportsFailures = (settings["FunctionResponseTypes"]?.elements ?? []).contains("ReportBatchItemFailures")
        let scaling = settings["ScalingConfig"]?["MaximumConcurrency"]?.integer
        concurrencyMax = kind.isStream ? 1 : scaling ?? Self.concurrencyDefault
        stream = StreamBatch.Policy(
            retriesMax: settings["MaximumRetryAttempts"]?.integer ?? -1,
            ageSecondsMax: settings["MaximumRecordAgeInSeconds"]?.integer ?? -1,
            bisects: settings["BisectBatchOnFunctionError"]?.bool ?? false
        )
        failureDestination = settings["DestinationConfig"]?["OnFailure"]?["Destination"]?.text
    }
}
