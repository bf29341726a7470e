import Foundation
import GRDB

/// Schedules and their groups on the disk; memory holds only when they run.
final class ScheduleStore: Sendable {
    private let database: DatabaseQueue

    /// A schedule with the number that its runs are remembered by.
    struct Stored: Equatable, Sendable {
        var id: Int64
        var schedule: Schedule
    }

    init(path: String) throws(ScheduleStoreError) {
        database = try ScheduleSchema.open(path)
    }

    // MARK: Schedules

    func find(_ group: String, _ name: String) async throws -> Stored? {
        try await database.read { try Self.find($0, group, name) }
    }

    func find(_ ids: [Int64]) async throws -> [Int64: Schedule] {
        try await database.read { database in
            var found: [Int64: Schedule] = [:]
            for id in ids {
                let sql = "SELECT id, document FROM schedules WHERE id = ?"
                guard let row = try Row.fetchOne(database, sql: sql, arguments: [id]) else { continue }
                found[id] = try Self.stored(row).schedule
            }
            return found
        }
    }

    /// Changes one schedule in one step; nil means that there is none, before or after.
    ///
    /// - Returns: what was stored before and what is now.
    func change(
        _ group: String,
        _ name: String,
        _ body: @escaping @Sendable (inout Schedule?) throws -> Void
    ) async throws -> (before: Stored?, after: Stored?) {
        try await database.write { database in
            let before = try Self.find(database, group, name)
            var schedule = before?.schedule
            try body(&schedule)
            return (before, try Self.replace(database, before, with: schedule))
        }
    }

    /// Makes the schedules of a function those of its manifest; one that stayed the same stays as it is.
    ///
    /// - Returns: what changed, as it was and as it is.
    func reconcile(_ owner: String, _ wanted: [Schedule]) async throws -> [(before: Stored?, after: Stored?)] {
        try await database.write { database in
            let sql = "SELECT id, document FROM schedules WHERE owner = ?"
            let rows = try Row.fetchAll(database, sql: sql, arguments: [owner]).map(Self.stored)
            var old: [String: Stored] = [:]
            for row in rows { old[row.schedule.name] = row }
            var changes: [(before: Stored?, after: Stored?)] = []
            for schedule in wanted {
                let before = old.removeValue(forKey: schedule.name)
                if let before, before.schedule.isSameInManifest(as: schedule) { continue }
                changes.append((before, try Self.replace(database, before, with: schedule)))
            }
            for left in old.values { changes.append((left, try Self.replace(database, left, with: nil))) }
            return changes
        }
    }

    /// Functions that have schedules of their own.
    func owners() async throws -> Set<String> {
        try await database.read { database in
            let sql = "SELECT DISTINCT owner FROM schedules WHERE owner IS NOT NULL"
            return Set(try String.fetchAll(database, sql: sql))
        }
    }

    /// A page of schedules by group and name.
    func list(
        group: String?,
        prefix: String,
        isEnabled: Bool?,
        after: (group: String, name: String)?,
        countMax: Int
    ) async throws -> [Stored] {
        try await database.read { database in
            let sql = """
                SELECT id, document FROM schedules
                WHERE (:group IS NULL OR "group" = :group) AND substr(name, 1, length(:prefix)) = :prefix
                    AND (:isEnabled IS NULL OR isEnabled = :isEnabled)
                    AND (:afterGroup IS NULL OR ("group", name) > (:afterGroup, :afterName))
                ORDER BY "group", name LIMIT :countMax
                """
            let arguments: StatementArguments = [
                "group": group, "prefix": prefix, "isEnabled": isEnabled, "afterGroup": after?.group,
                "afterName": after?.name, "countMax": countMax,
            ]
            return try Row.fetchAll(database, sql: sql, arguments: arguments).map(Self.stored)
        }
    }

    /// Hands over every schedule that may run, one after the other: memory holds one at a time.
    func forEachEnabled(_ body: @escaping @Sendable (Stored) -> Void) async throws {
        try await database.read { database in
            let sql = "SELECT id, document FROM schedules WHERE isEnabled"
            let rows = try Row.fetchCursor(database, sql: sql)
            while let row = try rows.next() { body(try Self.stored(row)) }
        }
    }

    /// Deletes a schedule that has run for the last time, unless it was changed meanwhile.
    func delete(_ id: Int64) async throws {
        try await database.write { try $0.execute(sql: "DELETE FROM schedules WHERE id = ?", arguments: [id]) }
    }

    // MARK: Groups

    func group(_ name: String) async throws -> ScheduleGroup? {
        try await database.read { try Self.group($0, name) }
    }

    /// Changes one group; with the group go its schedules, whose ids are returned.
    func changeGroup(
        _ name: String,
        _ body: @escaping @Sendable (inout ScheduleGroup?) throws -> Void
    ) async throws -> [Int64] {
        try await database.write { database in
            var group = try Self.group(database, name)
            try body(&group)
            guard let group else {
                let sql = "SELECT id FROM schedules WHERE \"group\" = ?"
                let ids = try Int64.fetchAll(database, sql: sql, arguments: [name])
                try database.execute(sql: "DELETE FROM schedules WHERE \"group\" = ?", arguments: [name])
                try database.execute(sql: "DELETE FROM groups WHERE name = ?", arguments: [name])
                return ids
            }
            try database.execute(
                sql: "INSERT OR REPLACE INTO groups (name, document) VALUES (?, ?)",
                arguments: [name, try Self.text(group)]
            )
            return []
        }
    }

    func listGroups(prefix: String, after: String?, countMax: Int) async throws -> [ScheduleGroup] {
        try await database.read { database in
            let sql = """
                SELECT document FROM groups WHERE substr(name, 1, length(:prefix)) = :prefix
                    AND (:after IS NULL OR name > :after)
                ORDER BY name LIMIT :countMax
                """
            let arguments: StatementArguments = ["prefix": prefix, "after": after, "countMax": countMax]
            return try String.fetchAll(database, sql: sql, arguments: arguments).map { text in
                try JSONDecoder().decode(ScheduleGroup.self, from: Data(text.utf8))
            }
        }
    }

    // MARK: Rows

    private static func find(_ database: Database, _ group: String, _ name: String) throws -> Stored? {
        let sql = "SELECT id, document FROM schedules WHERE \"group\" = ? AND name = ?"
        return try Row.fetchOne(database, sql: sql, arguments: [group, name]).map(stored)
    }

    private static func group(_ database: Database, _ name: String) throws -> ScheduleGroup? {
        let sql = "SELECT document FROM groups WHERE name = ?"
        return try String.fetchOne(database, sql: sql, arguments: [name]).map { text in
            try JSONDecoder().decode(ScheduleGroup.self, from: Data(text.utf8))
        }
    }

    private static func stored(_ row: Row) throws -> Stored {
        let text: String = row["document"]
        return Stored(id: row["id"], schedule: try JSONDecoder().decode(Schedule.self, from: Data(text.utf8)))
    }

    /// One that runs at other times than before is another one, of which nothing has run.
    private static func replace(_ database: Database, _ before: Stored?, with after: Schedule?) throws -> Stored? {
        guard after != before?.schedule else { return before }
        guard let after else {
            try database.execute(sql: "DELETE FROM schedules WHERE id = ?", arguments: [before?.id])
            return nil
        }
        if let before, after.runsLike(before.schedule) {
            var kept = after
            kept.since = before.schedule.since
            try database.execute(
                sql: "UPDATE schedules SET owner = ?, document = ? WHERE id = ?",
                arguments: [kept.owner, try text(kept), before.id]
            )
            return Stored(id: before.id, schedule: kept)
        }
        try database.execute(sql: "DELETE FROM schedules WHERE id = ?", arguments: [before?.id])
        try database.execute(
            sql: "INSERT INTO schedules (\"group\", name, isEnabled, owner, document) VALUES (?, ?, ?, ?, ?)",
            arguments: [after.group, after.name, after.isEnabled, after.owner, try text(after)]
        )
        return Stored(id: database.lastInsertedRowID, schedule: after)
    }

    private static func text(_ value: some Encodable) throws -> String {
        let encoder = JSONEncoder()
        encoder.outputFormatting = .sortedKeys
        return String(decoding: try encoder.encode(value), as: UTF8.self)
    }
}

extension Schedule {
    /// Whether a manifest says the same as when this was made of one; what else happened to it is its own.
    fileprivate func isSameInManifest(as other: Schedule) -> Bool {
        expression == other.expression && timezone == other.timezone && target == other.target && missed == other.missed
            && windowMinutes == other.windowMinutes && description == other.description
    }
}
