/// The processes and waiting calls of one function version.
///
/// A value: ``WorkerPool`` drives it. Ten thousand of them are idle, so it is small: lists that are empty cost a word.
///
/// ```
/// template   none ──boot──► booting ──resident──► resident ──end──► ending ──gone──► none
/// rest       awake ──no work──► resident ──► leaving ──► packed ──► disk     (each may go back to awake with a call)
/// ```
struct FunctionPool: Sendable {
    enum Template: Equatable, Sendable {
        case none
        case booting(TemplateID, since: Instant)
        case resident(TemplateID, bytes: UInt64)
        case ending(TemplateID)
    }

    /// What the pool does while nobody calls it.
    enum Rest: Equatable, Sendable {
        /// It has work, or never had any.
        case awake
        /// Its template rests, held in the ledger.
        case resident
        /// Its reserve is told to end, then its template is.
        case leaving
        /// Its snapshot's file is held in memory, or is being loaded.
        case packed
        case disk
    }

    /// A call without a worker.
    struct Waiting: Equatable, Sendable {
        var call: CallID
        var deadline: Instant
        /// The template was not resident when the call came, so its start is cold.
        var isCold: Bool
        /// When it came.
        var since: Instant
        /// Bytes of its body.
        var bytes: Int
    }

    let key: PoolKey
    /// Places in the tables of snapshots and of functions.
    let snapshot: Int
    let function: Int
    var limits: PoolLimits
    var admission = Admission()
    var template = Template.none
    /// Workers by state; those of `idle` in the order in which they became so.
    var idle: [WorkerID] = []
    var leased: [WorkerID] = []
    var parked: [WorkerID] = []
    var reserved: [WorkerID] = []
    /// Workers on their way out: those with a place on the node, and those of the reserve.
    var endingCount = 0
    var endingReserveCount = 0
    /// Calls that a worker has.
    var runningCallCount = 0
    /// First come, first served; bounded by `limits.queueDepthMax`.
    var queue: [Waiting] = []
    /// The function was deleted: finish, then go.
    var isRemoved = false
    /// Calls without a qualifier come here; only this version keeps a minimum.
    var serves = false

    var rest = Rest.awake
    /// Of the last time that it came to rest.
    var plan: KeepAlivePlan?
    var usedAt = Instant(nanoseconds: 0)
    /// The template was booted, or is being booted, ahead of a call that has not come yet.
    var isPrewarmed = false
    /// Somebody has asked for it to be resident, with or without calls.
    var isLoaded = false
    /// Somebody has asked for it to rest on the disk; a call overrules that.
    var mustRest = false
    /// It is one of those for which its snapshot's file is held.
    var wantsPacked = false
    /// When the reserve is looked after.
    var reserveDueAt: Instant?
    /// Private bytes of a parked worker, as the kernel counted them.
    var parkedBytes = FunctionPool.parkedBytesAssumed
    /// Its place in the index of due instants; never later than what is due.
    var dueAt: Instant?
    /// Its calls gather behind a busy worker.
    var isGathering = false
    /// It stands in the index of pools that wait for a place on the node.
    var seeksRoom = false

    /// What a parked worker is taken to weigh before one was measured: the bar that it is built to is 2 MB, most stay
    /// under half of that.
    static let parkedBytesAssumed: UInt64 = 1 << 20

    init(key: PoolKey, limits: PoolLimits, snapshot: Int, function: Int) {
        self.key = key
        self.limits = limits
        self.snapshot = snapshot
        self.function = function
    }

    var residentTemplate: TemplateID? {
        guard case .resident(let id, _) = template else { return nil }
        return id
    }

    /// Workers kept even when nothing is called.
    var workersMin: Int {
        isRemoved ? 0 : max(serves ? limits.workersMin : 0, limits.workersProvisioned)
    }

    var workerCount: Int { activeCount + reserved.count + endingReserveCount }

    /// Workers that have a place on the node.
    var activeCount: Int { idle.count + leased.count + parked.count + endingCount }

    /// Workers that are not on their way out, the reserve apart.
    var liveCount: Int { idle.count + leased.count + parked.count }

    /// Bytes of the template and its reserve.
    var residentBytes: UInt64 {
        guard case .resident(_, let bytes) = template else { return 0 }
        return bytes + UInt64(reserved.count) * parkedBytes
    }

    /// When the calls that gather have done so for long enough; nil where none do.
    var gathersUntil: Instant? {
        guard isGathering, let first = queue.first else { return nil }
        return first.since.advanced(byNanoseconds: limits.batch.delayNanoseconds)
    }

    /// A call waits, and the function's own bound is not what keeps it waiting.
    var waitsForRoom: Bool {
        !queue.isEmpty && activeCount < limits.workersMax && !isGathering
    }
}
