/// A value that many hold and nobody changes.
final class SharedValue<Value: Hashable & Sendable>: Hashable, Sendable {
    let value: Value

    init(_ value: Value) {
        self.value = value
    }

    static func == (one: SharedValue, other: SharedValue) -> Bool { one === other || one.value == other.value }

    func hash(into hasher: inout Hasher) { hasher.combine(value) }
}

/// Gives equal values one place in memory; values that nobody holds any more are let go from time to time.
struct SharedValues<Value: Hashable & Sendable>: Sendable {
    private var known: Set<SharedValue<Value>> = []
    /// Doubles with what is held, so that each value is looked at a few times on the whole.
    private var countAtSweep = SharedValues.countAtFirstSweep

    /// Below it a sweep could not free a kilobyte worth naming.
    private static var countAtFirstSweep: Int { 64 }

    /// How many values are held, swept or not.
    var count: Int { known.count }

    /// The value that was there before an equal one, or this one.
    mutating func shared(_ value: SharedValue<Value>) -> SharedValue<Value> {
        let (isNew, member) = known.insert(value)
        if isNew, known.count >= countAtSweep { sweep() }
        return member
    }

    private mutating func sweep() {
        var all = Array(known)
        known = []
        for index in all.indices where !isKnownUniquelyReferenced(&all[index]) {
            known.insert(all[index])
        }
        countAtSweep = max(2 * known.count, Self.countAtFirstSweep)
    }
}
