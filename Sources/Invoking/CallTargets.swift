import Manifests
import Registry
import Scheduling
import Synchronization

/// What a call's name and qualifier mean, as far as a call needs it.
final class CallTarget: Sendable {
    let key: PoolKey
    let snapshotDigest: String
    let payloadBytesMax: Int
    let timeoutMilliseconds: Int
    let isCode: Bool
    /// As programs of Lambda expect a name; account and region are nobody's.
    let functionARN: String
    let version: FunctionVersion
    let counter: CallCounter

    init(_ version: FunctionVersion, _ counter: CallCounter) {
        self.counter = counter
        key = PoolKey(function: version.function, version: version.version)
        snapshotDigest = version.snapshot.digest
        payloadBytesMax = version.manifest.limits.payloadBytes
        timeoutMilliseconds = version.manifest.limits.timeoutMilliseconds
        isCode = version.manifest.runtime != .model
        functionARN = "arn:aws:lambda:us-east-1:000000000000:function:\(version.function):\(version.version)"
        self.version = version
    }
}

/// Remembers what names mean until the registry changes: a call copies no version and searches no alias.
final class CallTargets: Sendable {
    private struct Name: Hashable {
        let function: String
        let qualifier: String?
    }

    private struct Known {
        var generation: UInt64 = 0
        var targets: [Name: CallTarget] = [:]
    }

    /// Only names that exist are remembered; more than this many between two changes, and they are forgotten.
    ///
    /// An entry is some 200 bytes, so all of them stay under a megabyte.
    private static let countMax = 4096

    private let known = Mutex(Known())
    /// One for each version that was ever called: some 200 bytes each.
    private let counters = Mutex<[PoolKey: CallCounter]>([:])

    /// nil where the version was never called.
    func statistics(of key: PoolKey) -> CallStatistics? {
        counters.withLock { $0[key] }?.statistics
    }

    private func counter(_ key: PoolKey) -> CallCounter {
        counters.withLock { counters in
            if let counter = counters[key] { return counter }
            let counter = CallCounter()
            counters[key] = counter
            return counter
        }
    }

    func target(_ function: String, _ qualifier: String?, in registry: Registry) throws(Failure) -> CallTarget {
        // Read before anything is resolved: what changes in between makes the entry old, never wrong.
        let generation = registry.generation
        let name = Name(function: function, qualifier: qualifier)
        let found = known.withLock { known in known.generation == generation ? known.targets[name] : nil }
        if let found { return found }
        let version = try Self.resolve(function, qualifier, in: registry)
        let target = CallTarget(version, counter(PoolKey(function: version.function, version: version.version)))
        known.withLock { known in
            if known.generation != generation || known.targets.count >= Self.countMax {
                known = Known(generation: generation)
            }
            known.targets[name] = target
        }
        return target
    }

    private static func resolve(
        _ function: String,
        _ qualifier: String?,
        in registry: Registry
    ) throws(Failure) -> FunctionVersion {
        do throws(RegistryError) {
            return try registry.resolve(function, qualifier: qualifier)
        } catch {
            switch error {
            case .unknownFunction(let name): throw .unknownFunction(name)
            case .unknownQualifier(let function, let qualifier):
                throw .unknownQualifier(function: function, qualifier: qualifier)
            default: throw .unavailable("\(error)")
            }
        }
    }
}
