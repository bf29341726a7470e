/// What a snapshot costs in each tier, as this node has measured it.
///
/// Tiers, from the dearest to hold to the dearest to restore: resident (a template, arena mapped and decoded), packed
/// (the compressed file in memory), disk.
package struct TierCosts: Equatable, Sendable {
    /// Nanoseconds from packed to resident.
    package var residentFromPackedNanoseconds: UInt64
    /// Nanoseconds from disk to packed.
    package var packedFromDiskNanoseconds: UInt64
    /// Bytes that being resident holds.
    package var residentBytes: UInt64
    /// Bytes that being packed holds.
    package var packedBytes: UInt64

    package init(
        residentFromPackedNanoseconds: UInt64,
        packedFromDiskNanoseconds: UInt64,
        residentBytes: UInt64,
        packedBytes: UInt64
    ) {
        self.residentFromPackedNanoseconds = residentFromPackedNanoseconds
        self.packedFromDiskNanoseconds = packedFromDiskNanoseconds
        self.residentBytes = residentBytes
        self.packedBytes = packedBytes
    }
}

/// What to do with one idle snapshot until it is called, or until an instant named here has come: then ask again.
///
/// ```
///  now ────► residentUntil ────────► prewarmAt ────► prewarmedUntil
///   resident │      packed or on disk    │   resident   │  ask again
/// ```
package struct KeepAlivePlan: Equatable, Sendable {
    /// Resident while `now` is before this; not after now where it is to be let go at once.
    package var residentUntil: Instant
    /// Kept packed, once it is not resident, while `now` is before this.
    package var packedUntil: Instant
    /// When to make it resident again without a call, nil for never; not before `residentUntil`.
    package var prewarmAt: Instant?
    /// How long to stay resident then; `prewarmAt`'s companion.
    package var prewarmedUntil: Instant?
    /// Nanoseconds of waiting that a resident byte is expected to save in the next minute.
    ///
    /// The cost to restore × the chance of use ÷ bytes: under a budget the least valuable goes first.
    package var value: Double

    package init(
        residentUntil: Instant,
        packedUntil: Instant,
        prewarmAt: Instant? = nil,
        prewarmedUntil: Instant? = nil,
        value: Double = 0
    ) {
        self.residentUntil = residentUntil
        self.packedUntil = packedUntil
        self.prewarmAt = prewarmAt
        self.prewarmedUntil = prewarmedUntil
        self.value = value
    }

    /// The next instant at which to ask again or to act, after `now`; nil when nothing is planned.
    package func nextInstant(after now: Instant) -> Instant? {
        [residentUntil, packedUntil, prewarmAt, prewarmedUntil].compactMap(\.self).filter { $0 > now }.min()
    }
}
