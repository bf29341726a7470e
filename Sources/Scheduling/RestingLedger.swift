/// Everything that rests, in bytes, under one budget: templates without work, their reserve, packed snapshots.
///
/// What is loaded is entered before it is loaded; what is in use is pinned, or not entered at all.
struct RestingLedger: Sendable {
    enum Item: Equatable, Sendable {
        /// The template of the pool in this place, with its reserve.
        case template(pool: Int)
        /// The file of the snapshot in this place, in memory.
        case packed(snapshot: Int)

        fileprivate var key: Int {
            switch self {
            case .template(let pool): pool * 2
            case .packed(let snapshot): snapshot * 2 + 1
            }
        }

        fileprivate init(key: Int) {
            self = key.isMultiple(of: 2) ? .template(pool: key / 2) : .packed(snapshot: key / 2)
        }
    }

    /// What a byte of an item is worth; of equal ones the one used longest ago is worth less.
    struct Worth: Comparable, Sendable {
        /// Nanoseconds of waiting that the byte is expected to save.
        var value: Double
        var usedAt: Instant

        static func < (left: Worth, right: Worth) -> Bool {
            (left.value, left.usedAt) < (right.value, right.usedAt)
        }
    }

    let bytesMax: UInt64
    private(set) var bytes: UInt64 = 0
    private var bytesOf: [Int: UInt64] = [:]
    private var worths = PriorityIndex<Worth>()

    init(bytesMax: UInt64) {
        self.bytesMax = bytesMax
    }

    var isOverdrawn: Bool { bytes > bytesMax }

    func hasRoom(for more: UInt64) -> Bool {
        let (sum, overflow) = bytes.addingReportingOverflow(more)
        return !overflow && sum <= bytesMax
    }

    /// What goes first when room is needed.
    var leastWorth: (item: Item, worth: Worth)? {
        worths.first.map { (Item(key: $0.key), $0.priority) }
    }

    func bytes(of item: Item) -> UInt64? {
        bytesOf[item.key]
    }

    /// Enters an item or changes it; without a worth it is pinned: it never goes first.
    mutating func hold(_ item: Item, bytes more: UInt64, worth: Worth?) {
        bytes = bytes - (bytesOf[item.key] ?? 0) + more
        bytesOf[item.key] = more
        if let worth { worths.set(item.key, worth) } else { worths.remove(item.key) }
    }

    /// Changes what an item weighs, if it is entered.
    mutating func reweigh(_ item: Item, bytes now: UInt64) {
        guard let before = bytesOf[item.key] else { return }
        bytes = bytes - before + now
        bytesOf[item.key] = now
    }

    mutating func pin(_ item: Item) {
        worths.remove(item.key)
    }

    mutating func release(_ item: Item) {
        worths.remove(item.key)
        guard let freed = bytesOf.removeValue(forKey: item.key) else { return }
        bytes -= freed
    }
}
