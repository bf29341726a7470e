import Crypto
import Foundation
import GRDB
import Linux

/// Values that a function's code needs and nobody else may read: encrypted on the disk, shown by no door.
///
/// Each is sealed by AES-256 in Galois/Counter Mode, with its function and name as associated data: a row that somebody moves
/// to another function does not open. The key lies beside, readable by the node's user alone; who has both has the values,
/// as with every node that starts without a person.
package final class SecretStore: Sendable {
    private let database: DatabaseQueue
    private let key: SymmetricKey
    private let path: String

    /// Opens the store of a node's directory, and makes it where there is none.
    package init(directory: String) throws(SecretError) {
        path = directory + "/secrets.sqlite"
        key = try Self.key(directory + "/secret.key")
        do {
            var configuration = Configuration()
            configuration.label = "thaw.secrets"
            configuration.prepareDatabase { database in
                try database.execute(sql: "PRAGMA synchronous = FULL; PRAGMA secure_delete = ON")
            }
            database = try DatabaseQueue(path: path, configuration: configuration)
            var migrator = DatabaseMigrator()
            migrator.registerMigration("1") { database in
                try database.execute(
                    sql: """
                        CREATE TABLE secrets (
                            function TEXT NOT NULL,
                            name TEXT NOT NULL,
                            sealed BLOB NOT NULL,
                            updatedUnixMilliseconds INTEGER NOT NULL,
                            PRIMARY KEY (function, name)
                        ) STRICT, WITHOUT ROWID;
                        """
                )
            }
            try migrator.migrate(database)
            // Named here and not in the middle of a call: a key that was put in the place of another opens nothing.
            let sample = try database.read { database in
                try Row.fetchOne(database, sql: "SELECT function, name, sealed FROM secrets LIMIT 1")
            }
            if let sample { _ = try Self.open(sample, key) }
        } catch let error as SecretError {
            throw error
        } catch {
            throw .storage("\(path): \(error)")
        }
    }

    /// Keeps a value under a name; one that is there is replaced.
    ///
    /// On the disk when this returns. A function need not be deployed yet.
    package func set(_ function: String, _ name: String, to value: String) async throws(SecretError) {
        guard Self.isName(name) else { throw .invalidName(name) }
        guard value.utf8.count <= Self.valueBytesMax, !value.utf8.contains(0) else { throw .invalidValue }
        let sealed: Data
        do {
            let box = try AES.GCM.seal(Data(value.utf8), using: key, authenticating: Self.place(function, name))
            guard let combined = box.combined else { throw SecretError.damaged(function: function, name: name) }
            sealed = combined
        } catch {
            throw .damaged(function: function, name: name)
        }
        let now = Int64(Date().timeIntervalSince1970 * 1000)
        try await write { database in
            let count =
                try Int.fetchOne(
                    database,
                    sql: "SELECT count(*) FROM secrets WHERE function = ? AND name <> ?",
                    arguments: [function, name]
                ) ?? 0
            guard count < Self.countMax else { throw SecretError.tooMany }
            try database.execute(
                sql: """
                    INSERT INTO secrets VALUES (?, ?, ?, ?)
                    ON CONFLICT (function, name) DO UPDATE SET
                        sealed = excluded.sealed, updatedUnixMilliseconds = excluded.updatedUnixMilliseconds
                    """,
                arguments: [function, name, sealed, now]
            )
        }
    }

    /// - Returns: whether there was one.
    package func remove(_ function: String, _ name: String) async throws(SecretError) -> Bool {
        try await write { database in
            try database.execute(
                sql: "DELETE FROM secrets WHERE function = ? AND name = ?",
                arguments: [function, name]
            )
            return database.changesCount == 1
        }
    }

    /// All of a function that is deleted.
    package func removeAll(of function: String) async throws(SecretError) {
        try await write { database in
            try database.execute(sql: "DELETE FROM secrets WHERE function = ?", arguments: [function])
        }
    }

    /// What there is, without the values.
    package func list(_ function: String) throws(SecretError) -> [SecretEntry] {
        try read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT name, updatedUnixMilliseconds FROM secrets WHERE function = ? ORDER BY name",
                arguments: [function]
            ).map { SecretEntry(name: $0["name"], updatedUnixMilliseconds: $0["updatedUnixMilliseconds"]) }
        }
    }

    /// `NAME=value` of each, for the function's own processes.
    package func environment(of function: String) throws(SecretError) -> [String] {
        let key = key
        return try read { database in
            try Row.fetchAll(
                database,
                sql: "SELECT function, name, sealed FROM secrets WHERE function = ? ORDER BY name",
                arguments: [function]
            ).map { row in
                let name: String = row["name"]
                return "\(name)=\(try Self.open(row, key))"
            }
        }
    }

    // MARK: Bounds

    /// A private key or a certificate in text.
    package static let valueBytesMax = 16 << 10
    package static let countMax = 64

    /// What may name a variable of an environment.
    package static func isName(_ text: String) -> Bool {
        guard let first = text.utf8.first, !(0x30...0x39).contains(first), text.utf8.count <= 128 else { return false }
        return text.utf8.allSatisfy { byte in
            switch byte {
            case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x5F: true
            default: false
            }
        }
    }

    // MARK: Sealing

    private static func place(_ function: String, _ name: String) -> Data {
        // No function's name holds a slash.
        Data("\(function)/\(name)".utf8)
    }

    private static func open(_ row: Row, _ key: SymmetricKey) throws(SecretError) -> String {
        let (function, name): (String, String) = (row["function"], row["name"])
        do {
            let box = try AES.GCM.SealedBox(combined: row["sealed"] as Data)
            let bytes = try AES.GCM.open(box, using: key, authenticating: place(function, name))
            return String(decoding: bytes, as: UTF8.self)
        } catch {
            throw .damaged(function: function, name: name)
        }
    }

    /// 32 bytes in a file that only the node's user may read.
    private static func key(_ path: String) throws(SecretError) -> SymmetricKey {
        do throws(SystemError) {
            do throws(SystemError) {
                let file = try FileDescriptor.open(path, [.writing, .creating, .exclusive], permissions: 0o600)
                let fresh = SymmetricKey(size: .bits256)
                try file.writeAll(unsafe fresh.withUnsafeBytes { unsafe Array($0) })
                try file.sync()
                return fresh
            } catch {
                guard error.code == SystemError.exists else { throw error }
            }
            let bytes = try FileDescriptor.open(path).readAll(countMax: 33)
            guard bytes.count == 32 else { throw SystemError(call: "read \(path)", code: SystemError.inputOutput) }
            return SymmetricKey(data: bytes)
        } catch {
            throw .key(path: path, detail: "\(error)")
        }
    }

    // MARK: The database

    private func write<Value: Sendable>(
        _ body: @escaping @Sendable (Database) throws -> Value
    ) async throws(SecretError) -> Value {
        do {
            return try await database.write(body)
        } catch let error as SecretError {
            throw error
        } catch {
            throw .storage("\(path): \(error)")
        }
    }

    private func read<Value>(_ body: (Database) throws -> Value) throws(SecretError) -> Value {
        do {
            return try database.read(body)
        } catch let error as SecretError {
            throw error
        } catch {
            throw .storage("\(path): \(error)")
        }
    }
}

/// A secret as doors show it.
package struct SecretEntry: Codable, Equatable, Sendable {
    package var name: String
    package var updatedUnixMilliseconds: Int64
}
