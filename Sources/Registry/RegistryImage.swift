import Manifests

/// Everything the registry knows, in memory: calls are resolved here and never touch the database.
struct RegistryImage: Sendable {
    private var functions: [String: FunctionEntry] = [:]
    /// Route → function; only the version that serves has a route.
    private var routes: [String: String] = [:]
    /// Counts the changes of functions: what was resolved under one number stands for as long as it stays.
    private(set) var generation: UInt64 = 0
    /// Digests that some version refers to, with the file state in which each was verified.
    var snapshots: [String: SnapshotFileState?] = [:]

    func entry(_ name: String) throws(RegistryError) -> FunctionEntry {
        guard let entry = functions[name] else { throw .unknownFunction(name) }
        return entry
    }

    func functionName(route: String) -> String? { routes[route] }

    var records: [FunctionRecord] {
        functions.values.map(\.record).sorted { $0.name < $1.name }
    }

    /// Puts an entry in the place of what was known of the function; nil forgets it.
    mutating func set(_ name: String, _ entry: FunctionEntry?) {
        generation += 1
        if let route = functions[name]?.serving.manifest.route { routes[route] = nil }
        functions[name] = entry
        if let route = entry?.serving.manifest.route { routes[route] = name }
    }
}

/// One function with its versions and aliases; one of them always serves.
struct FunctionEntry: Sendable {
    let serving: FunctionVersion
    /// In the order of their numbers; never empty.
    let versions: [FunctionVersion]
    let aliases: [String: Int]

    /// - Returns: nil where no version has the number that is said to serve.
    init?(serving: Int, versions: [FunctionVersion], aliases: [String: Int]) {
        guard let version = FunctionEntry.find(serving, in: versions) else { return nil }
        self.serving = version
        self.versions = versions
        self.aliases = aliases
    }

    func version(_ qualifier: Qualifier) -> FunctionVersion? {
        switch qualifier {
        case .serving: serving
        case .newest: versions.last
        case .version(let number): FunctionEntry.find(number, in: versions)
        case .alias(let label): aliases[label].flatMap { FunctionEntry.find($0, in: versions) }
        }
    }

    var record: FunctionRecord {
        FunctionRecord(
            name: serving.function,
            serving: serving,
            newest: versions.last?.version ?? serving.version,
            versionCount: versions.count,
            aliases: aliases,
            createdAt: versions.first?.createdAt ?? serving.createdAt
        )
    }

    /// Numbers have gaps where a function was deleted and made again, so the index is not the number.
    private static func find(_ number: Int, in versions: [FunctionVersion]) -> FunctionVersion? {
        var low = 0
        var high = versions.count
        while low < high {
            let middle = (low + high) / 2
            if versions[middle].version < number { low = middle + 1 } else { high = middle }
        }
        guard low < versions.count, versions[low].version == number else { return nil }
        return versions[low]
    }
}
