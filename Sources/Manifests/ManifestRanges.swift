extension Manifest {
    /// Whether every number is one that the parser would have accepted.
    ///
    /// For a manifest that came by another way than the parser: as JSON, from a process that is not believed.
    package var isWithinBounds: Bool {
        let memoryIsWithin = limits.memoryBytes.map {
            (ManifestBounds.memoryBytesMin...ManifestBounds.memoryBytesMax).contains($0)
        }
        let environmentBytes = environment.reduce(0) { $0 + $1.key.utf8.count + $1.value.utf8.count }
        return Manifest.isName(name)
            && memoryIsWithin ?? true
            && (1...ManifestBounds.timeoutMillisecondsMax).contains(limits.timeoutMilliseconds)
            && (1...ManifestBounds.payloadBytesMax).contains(limits.payloadBytes)
            && limits.tmpBytes <= ManifestBounds.tmpBytesMax
            && (1...ManifestBounds.timeoutMillisecondsMax).contains(limits.initMilliseconds)
            && (1...ManifestBounds.concurrencyMax).contains(concurrency)
            && (batching.map(\.isWithinBounds) ?? true) && (batching == nil || concurrency == 1)
            && (0...ManifestBounds.workersMax).contains(scaling.min)
            && (1...ManifestBounds.workersMax).contains(scaling.max ?? 1)
            && scaling.min <= scaling.max ?? scaling.min
            && (0...ManifestBounds.idleMillisecondsMax).contains(scaling.idleMilliseconds)
            && (golden.map { $0.tolerance > 0 && $0.tolerance <= ManifestBounds.toleranceMax } ?? true)
            && (evidence?.trials.count ?? 0) <= Precision.allCases.count
            && (handler?.utf8.count ?? 0) <= ManifestBounds.handlerBytesMax
            && (layers?.count ?? 0) <= ManifestBounds.layersMax
            && calls.count <= ManifestBounds.callsMax && calls.allSatisfy(Manifest.isName)
            && (schedules?.count ?? 0) <= ManifestBounds.schedulesMax
            && (schedules ?? []).allSatisfy { schedule in
                schedule.expression.utf8.count <= ManifestBounds.expressionBytesMax
                    && (schedule.zone?.utf8.count ?? 0) <= ManifestBounds.zoneBytesMax
                    && (schedule.input?.utf8.count ?? 0) <= ManifestBounds.inputBytesMax
            }
            && (runtime == .model || model == nil)
            && environmentBytes <= ManifestBounds.environmentBytesMax
    }
}

extension Batching {
    fileprivate var isWithinBounds: Bool {
        (2...ManifestBounds.batchMax).contains(max)
            && (0...ManifestBounds.batchDelayMillisecondsMax).contains(delayMilliseconds)
    }
}
