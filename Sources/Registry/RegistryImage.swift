import Manifests

/// Everything the registry knows, in memory: calls are resolved here and never touch the database.
struct RegistryImage: Sendable {
    private var functions: [String: FunctionEntry] = [:]
    /// Route → function; only the version that serves has a route.
    private var routes: [String: String] = [:]
    /// Counts the changes of functions: what was resolved under one number stands for as long as it stays.
    private(set) var generation: UInt64 = 0
    var snapshots = SnapshotTable()
    /// What many versions have in common is held once.
    private var manifests = SharedValues<Manifest>()
    private var snapshotRecords = SharedValues<SnapshotRecord>()

    func entry(_ name: String) throws(RegistryError) -> FunctionEntry {
        guard let entry = functions[name] else { throw .unknownFunction(name) }
        return entry
    }

    func names(where isWanted: (Manifest) -> Bool) -> [String] {
        functions.values.filter { isWanted($0.servingManifest) }.map(\.name)
    }

    func functionName(route: String) -> String? { routes[route] }

    var records: [FunctionRecord] {
        let owners = owners(of: functions.values.flatMap { $0.servingSnapshot.bases.map(\.digest) })
        return functions.values.map { $0.record(owners) }.sorted { $0.name < $1.name }
    }

    func record(_ name: String) throws(RegistryError) -> FunctionRecord {
        let entry = try entry(name)
        return entry.record(owners(of: entry.servingSnapshot.bases.map(\.digest)))
    }

    /// A version of each of these snapshots, as in `embed@3`: the first by name and number.
    private func owners(of digests: [String]) -> [String: String] {
        guard !digests.isEmpty else { return [:] }
        let wanted = Set(digests)
        var owners: [String: String] = [:]
        for (name, entry) in functions.sorted(by: { $0.key < $1.key }) {
            for (number, snapshot) in entry.snapshots where wanted.contains(snapshot.digest) {
                owners[snapshot.digest] = owners[snapshot.digest] ?? "\(name)@\(number)"
            }
        }
        return owners
    }

    /// See ``Registry/recentSnapshots(for:ownMax:countMax:)``.
    func recentSnapshots(for name: String, ownMax: Int, countMax: Int) -> [SnapshotRecord] {
        var found: [SnapshotRecord] = []
        var digests: Set<String> = []
        func take(_ snapshots: some Sequence<SnapshotRecord>, until count: Int) {
            for snapshot in snapshots where found.count < count && digests.insert(snapshot.digest).inserted {
                found.append(snapshot)
            }
        }
        take(functions[name]?.snapshots.reversed().map(\.snapshot) ?? [], until: min(ownMax, countMax))
        let others = functions.filter { $0.key != name }.sorted {
            ($0.value.newestUnixMilliseconds, $0.key) > ($1.value.newestUnixMilliseconds, $1.key)
        }
        take(others.lazy.compactMap { $0.value.snapshots.last?.snapshot }, until: countMax)
        return found
    }

    /// Puts an entry in the place of what was known of the function; nil forgets it.
    mutating func set(_ name: String, _ entry: FunctionEntry?) {
        generation += 1
        if let route = functions[name]?.route { routes[route] = nil }
        functions[name] = entry?.sharing(&manifests, &snapshotRecords)
        if let route = entry?.route { routes[route] = name }
    }
}

/// What is known of the files that versions need.
struct SnapshotTable: Sendable {
    /// Snapshots that some version refers to, with the states in which its files were verified: its own, then its bases'.
    ///
    /// None where one of them was not.
    var verified: [String: [SnapshotFileState]] = [:]
    /// Snapshots in whose files tensors of those lie, versions of their own or not.
    var bases: Set<String> = []

    func needs(_ digest: String) -> Bool { verified[digest] != nil || bases.contains(digest) }
}
