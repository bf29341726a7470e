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
    /// What many versions have in common is held once.
    private var manifests = SharedValues<Manifest>()
    private var snapshotRecords = SharedValues<SnapshotRecord>()

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
        if let route = functions[name]?.route { routes[route] = nil }
        functions[name] = entry?.sharing(&manifests, &snapshotRecords)
        if let route = entry?.route { routes[route] = name }
    }
}
