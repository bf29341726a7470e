package import GRDB
import GRDBSQLite

/// One statement of SQLite, bound by its own calls: GRDB's arguments are boxed values, which cost a row more than its insertion.
package struct BoundStatement {
    private let statement: Statement
    private let database: Database

    /// - Parameter sql: compiled once for the connection, found again by its text.
    package init(_ sql: String, _ database: Database) throws {
        statement = try database.cachedStatement(sql: sql)
        self.database = database
        unsafe sqlite3_reset(statement.sqliteStatement)
        unsafe sqlite3_clear_bindings(statement.sqliteStatement)
    }

    /// Places count from 1.
    package func bind(_ number: Int64?, _ place: Int32) {
        guard let number else { return }
        unsafe sqlite3_bind_int64(statement.sqliteStatement, place, number)
    }

    package func bind(_ number: Int, _ place: Int32) { bind(Int64(number), place) }

    package func bind(_ text: String?, _ place: Int32) {
        guard var text else { return }
        text.withUTF8 { bytes in
            // An empty buffer has no address, which would be NULL.
            guard let base = bytes.baseAddress, !bytes.isEmpty else {
                unsafe sqlite3_bind_text(statement.sqliteStatement, place, "", 0, nil)
                return
            }
            // SQLite copies it now: the string may be gone at the step.
            let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            unsafe base.withMemoryRebound(to: CChar.self, capacity: bytes.count) { text in
                _ = unsafe sqlite3_bind_text(statement.sqliteStatement, place, text, Int32(bytes.count), copied)
            }
        }
    }

    package func bind(_ bytes: [UInt8]?, _ place: Int32) {
        guard let bytes else { return }
        guard !bytes.isEmpty else {
            unsafe sqlite3_bind_zeroblob(statement.sqliteStatement, place, 0)
            return
        }
        let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
        unsafe sqlite3_bind_blob(statement.sqliteStatement, place, bytes, Int32(bytes.count), copied)
    }

    /// Steps to the end; lets go of what was bound.
    package func run() throws {
        while try step() {}
    }

    /// - Returns: whether a row is there to be read; where none is, the statement is at rest again.
    package func step() throws -> Bool {
        let code = unsafe sqlite3_step(statement.sqliteStatement)
        if code == SQLITE_ROW { return true }
        unsafe sqlite3_reset(statement.sqliteStatement)
        guard code == SQLITE_DONE else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: database.lastErrorMessage)
        }
        return false
    }

    /// For who does not step to the end.
    package func finish() {
        unsafe sqlite3_reset(statement.sqliteStatement)
    }

    // Columns count from 0.

    package func isNull(_ column: Int32) -> Bool {
        unsafe sqlite3_column_type(statement.sqliteStatement, column) == SQLITE_NULL
    }

    package func integer(_ column: Int32) -> Int64 {
        unsafe sqlite3_column_int64(statement.sqliteStatement, column)
    }

    package func integerIfPresent(_ column: Int32) -> Int64? { isNull(column) ? nil : integer(column) }

    package func text(_ column: Int32) -> String? {
        guard let text = unsafe sqlite3_column_text(statement.sqliteStatement, column) else { return nil }
        let count = unsafe Int(sqlite3_column_bytes(statement.sqliteStatement, column))
        return unsafe String(decoding: UnsafeBufferPointer(start: text, count: count), as: UTF8.self)
    }

    package func bytes(_ column: Int32) -> [UInt8] {
        guard let start = unsafe sqlite3_column_blob(statement.sqliteStatement, column) else { return [] }
        let count = unsafe Int(sqlite3_column_bytes(statement.sqliteStatement, column))
        return unsafe Array(UnsafeRawBufferPointer(start: start, count: count))
    }
}
