/// The pools of all versions, the functions and snapshots that they belong to, each at a place that does not move.
///
/// Ten thousand functions lie here idle, so an event finds what it needs by place and walks nothing.
struct PoolTable: Sendable {
    private(set) var pools: [FunctionPool] = []
    private(set) var functions: [FunctionRecord] = []
    private(set) var snapshots: [SnapshotRecord] = []
    /// Only of functions that were called: they are the larger part of what an idle function costs.
    private(set) var histories: [ArrivalHistory] = []
    private var placeOfPool: [PoolKey: Int] = [:]
    private var placeOfFunction: [String: Int] = [:]
    private var placeOfSnapshot: [SnapshotID: Int] = [:]
    private var freePools: [Int] = []
    private var freeFunctions: [Int] = []
    private var freeSnapshots: [Int] = []
    private var freeHistories: [Int] = []

    func place(of key: PoolKey) -> Int? { placeOfPool[key] }

    func place(of snapshot: SnapshotID) -> Int? { placeOfSnapshot[snapshot] }

    func hasVersion(of function: String) -> Bool { placeOfFunction[function] != nil }

    /// Places of all pools, by name and number.
    var placesInOrder: [Int] {
        placeOfPool.sorted { $0.key < $1.key }.map(\.value)
    }

    subscript(_ place: Int) -> FunctionPool {
        _read { yield pools[place] }
        _modify { yield &pools[place] }
    }

    subscript(function place: Int) -> FunctionRecord {
        _read { yield functions[place] }
        _modify { yield &functions[place] }
    }

    subscript(snapshot place: Int) -> SnapshotRecord {
        _read { yield snapshots[place] }
        _modify { yield &snapshots[place] }
    }

    // MARK: Coming and going

    mutating func add(_ key: PoolKey, _ limits: PoolLimits, _ source: PoolSource) -> Int {
        let function = function(named: key.function)
        let snapshot = snapshot(source)
        let pool = FunctionPool(key: key, limits: limits, snapshot: snapshot, function: function)
        let place = Self.put(pool, in: &pools, free: &freePools)
        placeOfPool[key] = place
        functions[function].pools.append(place)
        snapshots[snapshot].userCount += 1
        return place
    }

    mutating func remove(_ place: Int) {
        let pool = pools[place]
        placeOfPool[pool.key] = nil
        freePools.append(place)
        letGo(snapshot: pool.snapshot)
        functions[pool.function].pools.removeAll { $0 == place }
        if functions[pool.function].lastCalled == place { functions[pool.function].lastCalled = nil }
        guard functions[pool.function].pools.isEmpty else { return }
        if let history = functions[pool.function].history { freeHistories.append(history) }
        placeOfFunction[functions[pool.function].name] = nil
        freeFunctions.append(pool.function)
    }

    private mutating func function(named name: String) -> Int {
        if let place = placeOfFunction[name] { return place }
        let place = Self.put(FunctionRecord(name: name), in: &functions, free: &freeFunctions)
        placeOfFunction[name] = place
        return place
    }

    private mutating func snapshot(_ source: PoolSource) -> Int {
        let place = snapshot(source.snapshot, source.fileBytes)
        // It may have been known as a base of another before.
        guard snapshots[place].bases.isEmpty else { return place }
        for base in source.bases {
            let other = snapshot(base.snapshot, base.fileBytes)
            snapshots[other].userCount += 1
            snapshots[place].bases.append(other)
            snapshots[place].baseBytes += base.fileBytes
        }
        return place
    }

    private mutating func snapshot(_ id: SnapshotID, _ fileBytes: UInt64) -> Int {
        if let place = placeOfSnapshot[id] { return place }
        let place = Self.put(SnapshotRecord(id: id, fileBytes: fileBytes), in: &snapshots, free: &freeSnapshots)
        placeOfSnapshot[id] = place
        return place
    }

    private mutating func letGo(snapshot place: Int) {
        snapshots[place].userCount -= 1
        guard snapshots[place].userCount == 0 else { return }
        placeOfSnapshot[snapshots[place].id] = nil
        freeSnapshots.append(place)
        for base in snapshots[place].bases { letGo(snapshot: base) }
    }

    /// Places of the snapshots whose files a template of this pool is built from: its own first, then its bases'.
    func files(of place: Int) -> [Int] {
        [pools[place].snapshot] + snapshots[pools[place].snapshot].bases
    }

    /// Whether all files of this pool are in memory, and then their bytes there.
    func packedBytes(of place: Int) -> UInt64? {
        var sum: UInt64 = 0
        for file in files(of: place) {
            guard case .held(let bytes) = snapshots[file].packed else { return nil }
            sum += bytes
        }
        return sum
    }

    private static func put<Element>(_ element: Element, in table: inout [Element], free: inout [Int]) -> Int {
        guard let place = free.popLast() else {
            table.append(element)
            return table.count - 1
        }
        table[place] = element
        return place
    }

    // MARK: Histories

    /// The history of the function in this place, begun if there is none.
    mutating func noteArrival(function place: Int, at now: Instant, by policy: inout KeepAlivePolicy) {
        let history: Int
        if let known = functions[place].history {
            history = known
        } else {
            history = Self.put(ArrivalHistory(), in: &histories, free: &freeHistories)
            functions[place].history = history
        }
        policy.noteArrival(&histories[history], at: now)
    }

    func history(function place: Int) -> ArrivalHistory {
        functions[place].history.map { histories[$0] } ?? ArrivalHistory()
    }
}
