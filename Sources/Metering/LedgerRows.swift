import GRDB
import Scheduling

/// Receipts to rows and back.
enum LedgerRows {
    /// Adds receipts; one that is there already stays as it is.
    ///
    /// So a commit whose slots were not freed before the process ended may be repeated.
    static func insert(_ receipts: some Sequence<Receipt>, _ database: Database) throws {
        let statement = try database.cachedStatement(
            sql: """
                INSERT INTO receipts VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
                ON CONFLICT (id, attempt) DO NOTHING
                """
        )
        var inserter = ReceiptInserter(statement)
        defer { inserter.finish() }
        for receipt in receipts {
            try inserter.insert(receipt, database)
        }
    }

    /// All attempts of a call, the first one first.
    static func attempts(of id: InvocationID, _ database: Database) throws -> [Receipt] {
        try Row.fetchAll(
            database,
            sql: "SELECT * FROM receipts WHERE id = ? ORDER BY attempt",
            arguments: [id.description]
        ).map(receipt)
    }

    /// The last receipts, the newest last.
    static func last(_ count: Int, function: String?, _ database: Database) throws -> [Receipt] {
        let filter = function == nil ? "" : "WHERE function = ?"
        let rows = try Row.fetchAll(
            database,
            sql: "SELECT * FROM receipts \(filter) ORDER BY id DESC, attempt DESC LIMIT ?",
            arguments: StatementArguments([function].compactMap { $0 }) + [max(0, count)]
        )
        return try rows.reversed().map(receipt)
    }

    private static func receipt(_ row: Row) throws -> Receipt {
        let text: String = row["id"]
        let outcomeName: String = row["outcome"]
        let startName: String? = row["start"]
        let start = startName.flatMap(StartKind.init(rawValue:))
        guard
            let id = InvocationID(text), let outcome = Receipt.Outcome(rawValue: outcomeName),
            (start == nil) == (startName == nil)
        else { throw LedgerError.storage("the row of receipt \"\(text)\" holds words that this Thaw does not know") }
        var receipt = Receipt(
            Attempt(
                id: id,
                number: row["attempt"],
                parent: (row["parent"] as String?).flatMap { InvocationID($0) },
                function: row["function"],
                version: row["version"],
                snapshot: row["snapshot"],
                bytesIn: row["bytesIn"],
                acceptedUnixNanoseconds: UInt64(clamping: row["acceptedUnixNanoseconds"] as Int64)
            )
        )
        receipt.node = row["node"]
        receipt.start = start
        receipt.queueNanoseconds = UInt64(clamping: row["queueNanoseconds"] as Int64)
        receipt.bindNanoseconds = UInt64(clamping: row["bindNanoseconds"] as Int64)
        receipt.runNanoseconds = UInt64(clamping: row["runNanoseconds"] as Int64)
        receipt.cpuNanoseconds = UInt64(clamping: row["cpuNanoseconds"] as Int64)
        receipt.memoryBytesPeak = row["memoryBytesPeak"]
        receipt.bytesOut = row["bytesOut"]
        receipt.outcome = outcome
        receipt.reason = row["reason"]
        receipt.status = row["status"]
        receipt.billedNanodollars = row["billedNanodollars"]
        receipt.rateCard = row["rateCard"]
        receipt.batchSize = row["batchSize"]
        return receipt
    }
}
