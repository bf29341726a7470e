/// One worker process, as the pool sees it.
///
/// ```
///              ┌──► parked ───┐
/// (forked) ────┤              ├──► leased ⇄ idle ──► ending ──► (gone)
///              └──► reserved ─┘
/// ```
struct Worker: Sendable {
    enum State: Sendable {
        /// Forked and sandboxed for a call or for `workersMin`, never used; it has one of the node's places.
        case parked
        /// Forked and sandboxed ahead of any call, on resting memory: it takes one of the node's places with its first
        /// call.
        case reserved
        case leased(Leases)
        /// Has served and waits; only such a worker makes a call hot.
        case idle(since: Instant)
        /// Told to end; one of the reserve never had a place.
        case ending(hasPlace: Bool)
    }

    /// The place of its pool in the table.
    let pool: Int
    var state: State
    /// The number of the event in whose answer it was given its first call; 0 before.
    var firstLeasedIn: UInt64 = 0
    /// Its template has died while it was leased: it will end as well, and gets no other call.
    var isOrphan = false

    var leases: Leases? {
        guard case .leased(let leases) = state else { return nil }
        return leases
    }
}

/// A call in a worker.
struct Lease: Sendable {
    var call: CallID
    var since: Instant
    var deadline: Instant
}

/// The calls of one worker; one costs no allocation.
struct Leases: Sendable {
    private var first: Lease?
    private var others: [Lease] = []

    init(_ lease: Lease) {
        first = lease
    }

    var count: Int { (first == nil ? 0 : 1) + others.count }
    var isEmpty: Bool { first == nil && others.isEmpty }

    mutating func add(_ lease: Lease) {
        if first == nil { first = lease } else { others.append(lease) }
    }

    mutating func remove(_ call: CallID) -> Lease? {
        if let lease = first, lease.call == call {
            first = nil
            return lease
        }
        guard let place = others.firstIndex(where: { $0.call == call }) else { return nil }
        return others.remove(at: place)
    }

    /// Oldest call first.
    var inOrder: [Lease] {
        guard let first else { return others.sorted { $0.call.number < $1.call.number } }
        if others.isEmpty { return [first] }
        return (others + [first]).sorted { $0.call.number < $1.call.number }
    }

    var firstDeadline: Instant? {
        let least = others.lazy.map(\.deadline).min()
        guard let first else { return least }
        return least.map { min($0, first.deadline) } ?? first.deadline
    }
}
