import Manifests

/// All schedules that may run, and which of them is due next: a value that decides, with time coming in from outside.
///
/// ```
///  set ──► planned ──► due ──takeDue──► a run, and the next planned time
///             ▲                                   │
///             └───────────────────────────────────┘   none left: complete
/// ```
package struct ScheduleTable: Sendable {
    /// A run that is to be made now.
    package struct Run: Equatable, Sendable {
        package var id: Int64
        /// Seconds since 1970, as the expression says; the moment of the run may be later.
        package var planned: Int64
        /// No run follows.
        package var isLast: Bool
        package var timing: ScheduleTiming
    }

    /// A run that begins within so many milliseconds of its due time is as punctual as the service promises.
    package static let punctualMilliseconds: Int64 = 60_000

    private struct Entry: Sendable {
        var timing: ScheduleTiming
        var planned: Int64
        /// Its place in the heap, or a later one: earlier places are stale.
        var dueUnixMilliseconds: Int64
    }

    private struct Place: Sendable {
        var dueUnixMilliseconds: Int64
        var id: Int64

        static func < (left: Place, right: Place) -> Bool {
            (left.dueUnixMilliseconds, left.id) < (right.dueUnixMilliseconds, right.id)
        }
    }

    private var entries: [Int64: Entry] = [:]
    /// A binary heap: the earliest place is the first.
    private var heap: [Place] = []

    package init() {}

    /// Schedules that have a run ahead.
    package var count: Int { entries.count }

    /// When something is to be done next, in milliseconds since 1970; nil where nothing ever is.
    package var nextDueUnixMilliseconds: Int64? { heap.first?.dueUnixMilliseconds }

    /// The time that a schedule runs for next, in seconds since 1970.
    package func nextPlanned(of id: Int64) -> Int64? { entries[id]?.planned }

    /// Takes a schedule in, or anew.
    ///
    /// - Parameter position: the planned time up to which it has run; nil where it has not.
    package mutating func set(_ id: Int64, _ timing: ScheduleTiming, position: Int64?) {
        remove(id)
        guard let planned = timing.next(after: position ?? timing.since - 1) else { return }
        add(id, timing, planned)
    }

    package mutating func remove(_ id: Int64) {
        // Its place stays until it comes up; a table of nothing but such places is made anew.
        entries[id] = nil
        if heap.count > 64, heap.count > entries.count * 2 { rebuild() }
        dropStale()
    }

    private mutating func rebuild() {
        heap = entries.map { Place(dueUnixMilliseconds: $1.dueUnixMilliseconds, id: $0) }.sorted { $0 < $1 }
    }

    private mutating func add(_ id: Int64, _ timing: ScheduleTiming, _ planned: Int64) {
        let due = timing.dueUnixMilliseconds(planned, of: id)
        entries[id] = Entry(timing: timing, planned: planned, dueUnixMilliseconds: due)
        push(Place(dueUnixMilliseconds: due, id: id))
    }

    /// Takes runs that are due; those that were missed as their schedules say.
    ///
    /// - Parameter countMax: asked again where so many came, for there may be more.
    package mutating func takeDue(nowUnixMilliseconds now: Int64, countMax: Int) -> [Run] {
        var runs: [Run] = []
        while runs.count < countMax, let first = heap.first, first.dueUnixMilliseconds <= now {
            guard let entry = entries.removeValue(forKey: first.id) else {
                preconditionFailure("stale places are dropped")
            }
            popFirst()
            let planned = Self.planned(entry, of: first.id, nowUnixMilliseconds: now)
            // Without one, nothing of what was missed is run.
            let isRun = planned.map { entry.timing.dueUnixMilliseconds($0, of: first.id) <= now } ?? false
            if let planned, isRun {
                let next = entry.timing.next(after: planned)
                if let next { add(first.id, entry.timing, next) }
                runs.append(Run(id: first.id, planned: planned, isLast: next == nil, timing: entry.timing))
            } else if let planned {
                add(first.id, entry.timing, planned)
            }
            dropStale()
        }
        return runs
    }

    /// Which planned time is next when one is due: that one, a later one in place of what was missed, or none.
    private static func planned(_ entry: Entry, of id: Int64, nowUnixMilliseconds now: Int64) -> Int64? {
        let timing = entry.timing
        func isPunctual(_ planned: Int64) -> Bool {
            now - timing.dueUnixMilliseconds(planned, of: id) <= punctualMilliseconds
        }
        if isPunctual(entry.planned) { return entry.planned }
        let nowSeconds = now.flooredQuotient(by: 1000)
        /// The first from a time on that is not yet late.
        func firstPunctual(from seconds: Int64) -> Int64? {
            var planned = timing.next(after: max(seconds, entry.planned))
            while let late = planned, !isPunctual(late) { planned = timing.next(after: late) }
            return planned
        }
        // Nothing planned before this can be punctual.
        let horizon = nowSeconds - timing.windowSeconds - punctualMilliseconds / 1000 - 1
        switch timing.missed {
        case .skip:
            return firstPunctual(from: horizon)
        case .once:
            // What a window puts off until later than now is not missed.
            var last = timing.last(after: entry.planned - 1, through: nowSeconds)
            while let late = last, timing.dueUnixMilliseconds(late, of: id) > now {
                last = timing.last(after: entry.planned - 1, through: late - 1)
            }
            guard let last, nowSeconds - last <= timing.ageSecondsMax else { return firstPunctual(from: horizon) }
            return last
        case .all:
            let oldest = nowSeconds - timing.ageSecondsMax
            return entry.planned >= oldest ? entry.planned : timing.next(after: oldest - 1)
        }
    }

    // MARK: The heap

    /// Places of schedules that were removed or taken in anew.
    private mutating func dropStale() {
        while let first = heap.first, entries[first.id]?.dueUnixMilliseconds != first.dueUnixMilliseconds { popFirst() }
    }

    private mutating func push(_ place: Place) {
        heap.append(place)
        var index = heap.count - 1
        while index > 0, heap[index] < heap[(index - 1) / 2] {
            heap.swapAt(index, (index - 1) / 2)
            index = (index - 1) / 2
        }
    }

    private mutating func popFirst() {
        heap.swapAt(0, heap.count - 1)
        heap.removeLast()
        var index = 0
        while true {
            let left = index * 2 + 1
            guard left < heap.count else { return }
            let right = left + 1
            let smaller = right < heap.count && heap[right] < heap[left] ? right : left
            guard heap[smaller] < heap[index] else { return }
            heap.swapAt(index, smaller)
            index = smaller
        }
    }
}
