/// Gathers records until there are enough for a call, or until the first has waited long enough.
struct BatchCollector {
    private let countMax: Int
    private let windowMilliseconds: Int64
    private var records: [SourceRecord] = []
    private var byteCount = 0
    private var sinceUnixMilliseconds: Int64 = 0

    /// What an event may carry, less its frame.
    static let bytesMax = 6 << 20 - 1 << 16

    init(countMax: Int, windowMilliseconds: Int64) {
        self.countMax = countMax
        self.windowMilliseconds = windowMilliseconds
    }

    var isEmpty: Bool { records.isEmpty }
    /// How many more may come.
    var room: Int { countMax - records.count }

    /// When the batch goes though it is not full; nil where there is none.
    var dueUnixMilliseconds: Int64? { records.isEmpty ? nil : sinceUnixMilliseconds + windowMilliseconds }

    /// - Returns: the batch that the record did not fit into any more.
    mutating func add(_ record: SourceRecord, nowUnixMilliseconds now: Int64) -> [SourceRecord]? {
        var full: [SourceRecord]?
        if !records.isEmpty, byteCount + record.byteCount > Self.bytesMax { full = take() }
        if records.isEmpty { sinceUnixMilliseconds = now }
        records.append(record)
        byteCount += record.byteCount
        return full
    }

    /// - Returns: the batch, where it is full or its window is over.
    mutating func takeIfReady(nowUnixMilliseconds now: Int64) -> [SourceRecord]? {
        guard let due = dueUnixMilliseconds, records.count >= countMax || now >= due || byteCount >= Self.bytesMax
        else { return nil }
        return take()
    }

    mutating func take() -> [SourceRecord] {
        defer {
            records = []
            byteCount = 0
        }
        return records
    }
}
