import Foundation
import GRDB
import Metering
import Testing

/// What the ledger says to files and directories that are not as it left them.
@Suite struct LedgerStorageTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    @Test func `a file of slots that is not ours is refused and left alone`() throws {
        let foreign = Data(repeating: 0x41, count: 8_192)
        try foreign.write(to: URL(filePath: scratch.slots))
        #expect(throws: LedgerError.notSlots(path: scratch.slots)) { try scratch.ledger() }
        #expect(try Data(contentsOf: URL(filePath: scratch.slots)) == foreign)
    }

    @Test(arguments: [0, 100, 1_024, 8_192])
    func `a file of slots whose making was cut short is made again`(_ byteCount: Int) throws {
        try Data(count: byteCount).write(to: URL(filePath: scratch.slots))
        let ledger = try scratch.ledger()
        #expect(ledger.recovered == LedgerRecovery())
        _ = try ledger.begin(Scratch.attempt())
    }

    @Test func `a directory that cannot be written is refused by name`() throws {
        try Data().write(to: URL(filePath: scratch.path + "/file"))
        for directory in ["/missing", "/file"] {
            #expect {
                try Ledger(directory: scratch.path + directory, node: "node-1")
            } throws: { error in
                guard case LedgerError.storage(let detail) = error else { return false }
                return detail.contains(directory + "/ledger.slots")
            }
        }
    }

    @Test func `a database of a newer Thaw is refused`() async throws {
        try await scratch.ledger().close()
        let database = try DatabaseQueue(path: scratch.database)
        try await database.write { try $0.execute(sql: "INSERT INTO grdb_migrations VALUES ('999')") }
        try database.close()
        #expect(throws: LedgerError.newerSchema(path: scratch.database)) { try scratch.ledger() }
    }

    @Test func `a file that is no database is refused by name`() throws {
        try Data(repeating: 0x41, count: 8_192).write(to: URL(filePath: scratch.database))
        #expect {
            try scratch.ledger()
        } throws: { error in
            guard case LedgerError.corrupt(scratch.database, _) = error else { return false }
            return true
        }
    }
}
