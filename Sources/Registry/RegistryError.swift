import GRDB

/// Why the registry refused.
package enum RegistryError: Error, Equatable, Sendable, CustomStringConvertible {
    case unknownFunction(String)
    /// No version has this number, and no alias this label.
    case unknownQualifier(function: String, qualifier: String)
    case invalidLabel(String)
    /// The version that serves is the oldest.
    case nothingToRollBack(function: String, serving: Int)
    case routeTaken(route: String, by: String)
    /// A newer Thaw has written the database.
    case newerSchema(path: String)
    /// The file is not a database, or not a whole one.
    case corrupt(path: String, detail: String)
    /// The disk, in SQLite's words: full, read-only, gone.
    case storage(String)

    package var description: String {
        switch self {
        case .unknownFunction(let name):
            "there is no function \"\(name)\"; `thaw list` shows those there are"
        case .unknownQualifier(let function, let qualifier):
            "function \"\(function)\" has no version or alias \"\(qualifier)\"; "
                + "`thaw versions \(function)` shows those it has"
        case .invalidLabel(let label):
            "\"\(label.prefix(80))\" cannot be an alias: a label is a letter followed by up to "
                + "\(Qualifier.labelBytesMax - 1) letters, digits, - or _, and not \"latest\""
        case .nothingToRollBack(let function, let serving):
            "version \(serving) of \"\(function)\" serves and is its oldest: there is nothing to roll back to"
        case .routeTaken(let route, let owner):
            "route \"\(route)\" belongs to function \"\(owner)\"; choose another, or delete that function first"
        case .newerSchema(let path):
            "\(path) was written by a newer Thaw; run that one, or restore the file from before the upgrade"
        case .corrupt(let path, let detail):
            "\(path) is damaged (\(detail)); restore it from a backup, or move it away and deploy the functions again"
        case .storage(let detail):
            "the registry cannot be read or written: \(detail)"
        }
    }

    /// Says what an error of the database means to a caller.
    init(_ error: any Error, path: String) {
        switch error {
        case let error as RegistryError:
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
