import GRDB
import GRDBSQLite
import Scheduling

/// Binds receipts to the ledger's one `INSERT`, by SQLite's own calls.
///
/// GRDB's arguments are boxed, put into an array and bound as values of any type, which costs a row more than its
/// insertion. Words that stand in row after row are bound once: SQLite keeps what is not bound anew.
struct ReceiptInserter {
    private let statement: Statement
    /// What is bound at each place; nil where that is NULL, or bound anew for each row.
    private var bound = [String?](repeating: nil, count: columnCount + 1)

    private static let columnCount = 22

    /// - Parameter statement: nothing is bound to it.
    init(_ statement: Statement) {
        self.statement = statement
    }

    /// Inserts one row.
    ///
    /// - Throws: `DatabaseError`, in SQLite's words.
    mutating func insert(_ receipt: Receipt, _ database: Database) throws {
        bind(receipt)
        let code = unsafe sqlite3_step(statement.sqliteStatement)
        unsafe sqlite3_reset(statement.sqliteStatement)
        guard code == SQLITE_DONE else {
            throw DatabaseError(resultCode: ResultCode(rawValue: code), message: database.lastErrorMessage)
        }
    }

    /// Lets go of the texts; call once, at the end.
    mutating func finish() {
        unsafe sqlite3_reset(statement.sqliteStatement)
        unsafe sqlite3_clear_bindings(statement.sqliteStatement)
    }

    /// The columns in the order of the table.
    private mutating func bind(_ receipt: Receipt) {
        bind(receipt.id.description, 1)
        bind(Int64(receipt.attempt), 2)
        bindAgain(receipt.node, 3)
        bindAgain(receipt.function, 4)
        bind(Int64(receipt.version), 5)
        bindAgain(receipt.snapshot, 6)
        bindAgain(receipt.start?.rawValue, 7)
        // SQLite knows signed integers only. A duration beyond 292 years is shown as 292 years.
        bind(Int64(clamping: receipt.acceptedUnixNanoseconds), 8)
        bind(Int64(clamping: receipt.queueNanoseconds), 9)
        bind(Int64(clamping: receipt.bindNanoseconds), 10)
        bind(Int64(clamping: receipt.runNanoseconds), 11)
        bind(Int64(clamping: receipt.cpuNanoseconds), 12)
        bind(Int64(receipt.memoryBytesPeak), 13)
        bind(Int64(receipt.bytesIn), 14)
        bind(Int64(receipt.bytesOut), 15)
        bindAgain(receipt.outcome.rawValue, 16)
        bindAgain(receipt.reason, 17)
        bind(Int64(receipt.status), 18)
        bind(Int64(receipt.billedNanodollars), 19)
        bindAgain(receipt.rateCard, 20)
        bind(Int64(receipt.batchSize), 21)
        bindAgain(receipt.parent?.description, 22)
    }

    private func bind(_ number: Int64, _ place: Int32) {
        unsafe sqlite3_bind_int64(statement.sqliteStatement, place, number)
    }

    private func bind(_ text: String?, _ place: Int32) {
        guard var text else {
            unsafe sqlite3_bind_null(statement.sqliteStatement, place)
            return
        }
        text.withUTF8 { bytes in
            // SQLite copies it now: the string may be gone at the step.
            let copied = unsafe unsafeBitCast(-1, to: sqlite3_destructor_type.self)
            unsafe bytes.withMemoryRebound(to: CChar.self) { text in
                _ = unsafe sqlite3_bind_text(
                    statement.sqliteStatement,
                    place,
                    text.baseAddress,
                    Int32(text.count),
                    copied
                )
            }
        }
    }

    /// A text that is mostly the same in the next row.
    private mutating func bindAgain(_ text: String?, _ place: Int32) {
        guard bound[Int(place)] != text else { return }
        bound[Int(place)] = text
        bind(text, place)
    }
}
