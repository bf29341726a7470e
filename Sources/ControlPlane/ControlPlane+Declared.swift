import Digests
import Foundation
package import Manifests

/// What a manifest says of events and sources becomes what the API would have been told, marked as the manifest's own.
extension ControlPlane {
    /// Makes what the manifest of the version that serves says; what another version's manifest made, and this one does not say, goes.
    ///
    /// What somebody made through the API is left alone.
    package func declare(_ manifest: Manifest) async throws(LambdaError) {
        let name = name(ofRegistry: manifest.name)
        let reference = FunctionReference(name: name, qualifier: nil)
        try await declareEvents(manifest.events, of: reference)
        let now = self.now()
        var declared: Set<String> = []
        for source in manifest.sources ?? [] {
            let mapping = EventSourceMapping(
                declared: source,
                of: name,
                account: account,
                destination: { self.destinationARN($0) },
                now: now
            )
            declared.insert(mapping.uuid)
            try await store.changeMapping(mapping.uuid) { stored in
                // Somebody may have paused it: a deploy does not start it again.
                var next = mapping
                next.isEnabled = stored?.isEnabled ?? true
                stored = next
            }
        }
        try await removeMappings { $0.function == name && $0.isDeclared && !declared.contains($0.uuid) }
        mappingsChanged()
    }

    /// Takes away what a manifest made of a function that is no more.
    package func forget(registryName: String) async throws(LambdaError) {
        let name = name(ofRegistry: registryName)
        try await removeMappings { $0.function == name && $0.isDeclared }
        mappingsChanged()
    }

    private func removeMappings(where isGone: (EventSourceMapping) -> Bool) async throws(LambdaError) {
        for mapping in allMappings() where isGone(mapping) {
            try await store.changeMapping(mapping.uuid) { $0 = nil }
        }
    }

    private func declareEvents(_ events: EventSettings?, of reference: FunctionReference) async throws(LambdaError) {
        let known = find(reference.name)?.eventInvoke(nil)
        // Most functions say nothing, and need no document of their own for it.
        guard events != nil || known?.isDeclared == true else { return }
        guard let events else {
            return try await change(reference) { $0.eventInvokes["$LATEST"] = nil }
        }
        let destinations = JSONValue.object([
            "OnSuccess": .present(["Destination": events.onSuccess.map { .text(destinationARN($0)) }]),
            "OnFailure": .present(["Destination": events.onFailure.map { .text(destinationARN($0)) }]),
        ])
        let seconds = (now().timeIntervalSince1970 * 1000).rounded() / 1000
        try await change(reference) { function in
            var config = EventInvokeConfig(lastModified: seconds)
            config.retriesMax = events.retries
            config.ageSecondsMax = events.ageSecondsMax
            config.destinations = destinations
            config.isDeclared = true
            function.eventInvokes["$LATEST"] = config
        }
    }

    /// What a manifest calls a destination, as the API does.
    private func destinationARN(_ text: String) -> String {
        if text.contains("://") || text.hasPrefix("arn:") || text.hasPrefix("file:") { return text }
        if text.hasPrefix("queue:") { return account.queueARN(String(text.dropFirst(6))) }
        return account.functionARN(name(ofRegistry: text))
    }
}

extension EventSourceMapping {
    /// One that a manifest names.
    fileprivate init(
        declared source: SourceSettings,
        of function: String,
        account: LambdaAccount,
        destination: (String) -> String,
        now: Date
    ) {
        // The same for the same source of the same function, so that a deploy changes it and makes no second one.
        let digest = Hexadecimal.text((try? SHA256.digest(of: Array("\(function)\n\(source.url)".utf8))) ?? [])
        let groups = [8, 4, 4, 4, 12]
        var (rest, parts) = (Substring(digest), [Substring]())
        for count in groups {
            parts.append(rest.prefix(count))
            rest = rest.dropFirst(count)
        }
        let isQueue = source.url.hasPrefix("queue:")
        let name = String(source.url.dropFirst(6))
        let filters = source.filters.map { JSONValue.object(["Pattern": .text($0)]) }
        self.init(
            uuid: parts.joined(separator: "-"),
            function: function,
            settings: JSONValue.present([
                "EventSourceArn": .text(isQueue ? account.queueARN(name) : source.url),
                "BatchSize": .integer(source.batch ?? 10),
                "MaximumBatchingWindowInSeconds": .integer(source.windowSeconds ?? 0),
                "FilterCriteria": filters.isEmpty ? nil : ["Filters": .array(filters)],
                "FunctionResponseTypes": .texts(source.reportsFailures ? ["ReportBatchItemFailures"] : []),
                "MaximumRetryAttempts": source.retries.map { .integer($0) },
                "MaximumRecordAgeInSeconds": source.ageSecondsMax.map { .integer($0) },
                "BisectBatchOnFunctionError": .bool(source.bisects),
                "ScalingConfig": source.concurrency.map { ["MaximumConcurrency": .integer($0)] },
                "DestinationConfig": source.onFailure.map {
                    ["OnFailure": ["Destination": .text(destination($0))]]
                },
            ]).members ?? [:],
            now: now
        )
    }
}
