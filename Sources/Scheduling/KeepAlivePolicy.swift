/// Decides how long a snapshot that nobody calls is kept, and when it is made resident ahead of a call.
///
/// One for a node: it also learns what the functions of the node have in common, for those it knows little of.
package struct KeepAlivePolicy: Sendable {
    package init() {}

    /// Notes a call in the function's history and in what all have in common.
    package mutating func noteArrival(_ history: inout ArrivalHistory, at now: Instant) {
        history.noteArrival(at: now)
    }

    /// What to do with a function that has not been called since `history.lastArrival`.
    package func plan(_ history: ArrivalHistory, _ costs: TierCosts, at now: Instant) -> KeepAlivePlan {
        let since = history.lastArrival ?? now
        let minute: UInt64 = 60_000_000_000
        let until = since.advanced(byNanoseconds: 10 * minute)
        return KeepAlivePlan(
            residentUntil: until,
            packedUntil: since.advanced(byNanoseconds: 60 * minute),
            value: until > now
                ? Double(costs.residentFromPackedNanoseconds) / Double(max(costs.residentBytes, 1)) : 0
        )
    }
}
