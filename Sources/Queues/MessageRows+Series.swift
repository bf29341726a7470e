import GRDB

/// Where a message stands in a row of messages that come in order: one that is not later than the last is known already.
///
/// The position is written in the step that writes the message, so that whoever counts on finds both or neither.
package struct SeriesPosition: Equatable, Sendable {
    package var series: String
    package var position: Int64

    package init(_ series: String, _ position: Int64) {
        self.series = series
        self.position = position
    }
}

extension MessageRows {
    /// How far a series has come; nil for one that has not begun.
    func position(of series: String) throws -> Int64? {
        let find = try BoundStatement("SELECT position FROM series WHERE name = ?", database)
        find.bind(series, 1)
        defer { find.finish() }
        return try find.step() ? find.integer(0) : nil
    }

    func set(_ place: SeriesPosition) throws {
        let insert = try BoundStatement("INSERT OR REPLACE INTO series (name, position) VALUES (?, ?)", database)
        insert.bind(place.series, 1)
        insert.bind(place.position, 2)
        try insert.run()
    }

    func positions(beginningWith prefix: String) throws -> [String: Int64] {
        let find = try BoundStatement(
            "SELECT name, position FROM series WHERE substr(name, 1, length(?1)) = ?1",
            database
        )
        find.bind(prefix, 1)
        defer { find.finish() }
        var positions: [String: Int64] = [:]
        while try find.step() { positions[find.text(0) ?? ""] = find.integer(1) }
        return positions
    }

    func forget(series names: [String]) throws {
        for name in names {
            let delete = try BoundStatement("DELETE FROM series WHERE name = ?", database)
            delete.bind(name, 1)
            try delete.run()
        }
    }
}

extension MessageStore {
    /// How far each series has come whose name begins so.
    package func positions(ofSeriesBeginningWith prefix: String) async throws(QueueError) -> [String: Int64] {
        try await perform { try $0.positions(beginningWith: prefix) }
    }

    /// Forgets series that nothing counts on any more.
    package func forget(series names: [String]) async throws(QueueError) {
        guard !names.isEmpty else { return }
        try await perform { try $0.forget(series: names) }
    }
}
