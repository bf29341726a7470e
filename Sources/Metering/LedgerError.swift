import GRDB

/// Why the ledger refused.
package enum LedgerError: Error, Equatable, Sendable, CustomStringConvertible {
    /// As many attempts are in flight or uncommitted as there are slots.
    case full(slots: Int)
    /// The last commit failed; admission goes on when one succeeds.
    case notWritable(String)
    case closed
    /// A name that a slot has no room for.
    case nameTooLong(field: String, bytesMax: Int)
    /// Another process has the ledger open.
    case inUse(path: String)
    /// The file is not a file of slots.
    case notSlots(path: String)
    /// A newer Thaw has written the database.
    case newerSchema(path: String)
    /// The database is not one, or not a whole one.
    case corrupt(path: String, detail: String)
    /// The disk, in the words of the system or of SQLite.
    case storage(String)

    package var description: String {
        switch self {
        case .full(let slots):
            "\(slots) attempts are in flight or wait for the disk; the ledger has room for no more; try again shortly"
        case .notWritable(let detail):
            "receipts cannot be written (\(detail)); calls are admitted again when they can"
        case .closed:
            "the ledger is closed: the node is shutting down"
        case .nameTooLong(let field, let bytesMax):
            "the \(field) is too long for a receipt: at most \(bytesMax) bytes of UTF-8"
        case .inUse(let path):
            "another process has \(path) open; two schedulers cannot share a data directory"
        case .notSlots(let path):
            "\(path) is not a file that this Thaw wrote; move it away, and find out whose it is"
        case .newerSchema(let path):
            "\(path) was written by a newer Thaw; run that one, or restore the file from before the upgrade"
        case .corrupt(let path, let detail):
            "\(path) is damaged (\(detail)); restore it from a backup, or move it away: receipts begin anew"
        case .storage(let detail):
            "the ledger cannot be read or written: \(detail)"
        }
    }

    /// Says what an error of the database means to a caller.
    init(_ error: any Error, path: String) {
        switch error {
        case let error as LedgerError:
            self = error
        case let error as DatabaseError where [.SQLITE_NOTADB, .SQLITE_CORRUPT].contains(error.resultCode):
            self = .corrupt(path: path, detail: error.message ?? "\(error.resultCode)")
        case let error as DatabaseError:
            self = .storage("\(path): \(error.message ?? "\(error.resultCode)")")
        default:
            self = .storage("\(path): \(error)")
        }
    }
}
