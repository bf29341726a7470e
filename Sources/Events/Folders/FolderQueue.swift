import Linux

/// The files of a watched folder that wait, that are given out, and that come again later.
///
/// The folder itself is the store: what is forgotten here is found by the next look at it.
struct FolderQueue: Sendable {
    typealias Name = OpenFolder.Name

    private var waiting: [Name] = []
    /// Names in `waiting` and `later`.
    private var known: Set<Name> = []
    private var later: [(name: Name, dueNanoseconds: UInt64)] = []
    private var taken: [Name: FileIdentity] = [:]
    /// Somebody wrote them when they were found: they are looked at once more.
    private var written: Set<Name> = []
    private var attempts: [Name: Int] = [:]
    /// There may be files that nobody has told of: the folder is to be looked through.
    private(set) var needsLook = true

    /// Names that are remembered; the rest stays in the folder until these are through.
    static let namesMax = 10_000

    /// The names of all files that lie there, in the order they are to be done in.
    mutating func found(_ names: [Name]) {
        needsLook = false
        for name in names where taken[name] == nil { add(name) }
    }

    /// A file was closed or moved in: one of that name that is given out already is another now, which its settling sees.
    mutating func arrived(_ name: Name) {
        if taken[name] == nil { add(name) }
    }

    mutating func overflowed() { needsLook = true }

    private mutating func add(_ name: Name) {
        guard known.count < Self.namesMax else {
            needsLook = true
            return
        }
        if known.insert(name).inserted { waiting.append(name) }
    }

    /// - Returns: the names that are due, in order; each is then given out, put off or dropped.
    mutating func next(_ countMax: Int, now: UInt64) -> [Name] {
        let due = later.filter { $0.dueNanoseconds <= now }.map(\.name)
        later.removeAll { $0.dueNanoseconds <= now }
        waiting += due
        let names = Array(waiting.prefix(countMax))
        waiting.removeFirst(names.count)
        known.subtract(names)
        return names
    }

    /// A look is due when nothing waits that was told of, and there is room for what it finds.
    var isLookDue: Bool { needsLook && waiting.isEmpty && known.count < Self.namesMax }

    /// When the first of those that come later is due.
    var dueNanoseconds: UInt64? { later.map(\.dueNanoseconds).min() }

    /// - Returns: how often it was given out, this time included.
    mutating func give(_ name: Name, _ identity: FileIdentity) -> Int {
        taken[name] = identity
        attempts[name, default: 0] += 1
        return attempts[name] ?? 1
    }

    /// - Returns: the file that was given out under the name.
    mutating func settle(_ name: Name) -> FileIdentity? {
        attempts[name] = nil
        return taken.removeValue(forKey: name)
    }

    mutating func putOff(_ name: Name, untilNanoseconds due: UInt64) {
        taken[name] = nil
        if known.insert(name).inserted { later.append((name, due)) }
    }

    /// As ``putOff(_:untilNanoseconds:)``, for one that somebody still writes.
    mutating func putOffWritten(_ name: Name, untilNanoseconds due: UInt64) {
        guard taken[name] == nil else { return }
        putOff(name, untilNanoseconds: due)
        written.insert(name)
    }

    /// - Returns: whether it was put off for being written.
    mutating func wasWritten(_ name: Name) -> Bool { written.remove(name) != nil }

    /// It is not there, or is no file.
    mutating func drop(_ name: Name) { attempts[name] = nil }
}
