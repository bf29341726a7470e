#if canImport(CPostgres)
import JSON
import Linux

/// A table of PostgreSQL whose rows are records: `postgresql://USER:PASSWORD@HOST:PORT/DB?table=NAME&channel=NAME`.
///
/// A row is claimed for a while, done when it is deleted, and free again when the claim is over. Several nodes may read one table: none
/// waits for another's claims. A node that comes back frees what it had claimed.
final class PostgresOutbox: Broker {
    let kind = BrokerKind(name: "thaw:postgresql")
    private let address: BrokerAddress
    private let connection: PostgresConnection
    private let tableName: String
    private let table: String
    private let claimSeconds: Int
    private let pollNanoseconds: UInt64
    /// There may be rows that nobody has asked for.
    private var isDirty = true
    private var nextPoll: UInt64 = 0
    /// When rows that were put back are free again.
    private var due: [UInt64] = []

    private static let form = "postgresql://USER:PASSWORD@HOST:PORT/DB?table=NAME"

    init(_ address: BrokerAddress) throws(BrokerError) {
        self.address = address
        tableName = try address.required("table", form: Self.form)
        table = PostgresConnection.name(tableName)
        // As long as a batch may gather and its function may run.
        claimSeconds = max(address["claim"].flatMap { Int($0) } ?? 1200, 1)
        let channel = address["channel"]
        // Who is told of rows looks now and then still: a row may come in without a word.
        let seconds = max(address["poll"].flatMap { Int($0) } ?? (channel == nil ? 2 : 60), 1)
        pollNanoseconds = UInt64(seconds) * 1_000_000_000
        connection = try PostgresConnection(address)
        // Before the first look, so that nothing comes between.
        if let channel { _ = try rows("LISTEN \(PostgresConnection.name(channel))") }
        _ = try rows("UPDATE \(table) SET claimed_until = NULL WHERE claimed_by = $1", [address.consumer])
    }

    var descriptor: Int32 { connection.descriptor }

    var milliseconds: Int? {
        let next = min(due.min() ?? nextPoll, nextPoll)
        let now = Clock.monotonicNanoseconds()
        return next > now ? Int((next - now) / 1_000_000) + 1 : 0
    }

    func receive(_ countMax: Int) throws(BrokerError) -> [BrokerRecord] {
        if try connection.isTold() { isDirty = true }
        let now = Clock.monotonicNanoseconds()
        let isDue = due.contains { $0 <= now }
        due.removeAll { $0 <= now }
        guard isDirty || isDue || nextPoll <= now else { return [] }
        nextPoll = now + pollNanoseconds
        let found = try rows(
            """
            WITH free AS MATERIALIZED (
                SELECT id FROM \(table) WHERE claimed_until IS NULL OR claimed_until <= now()
                ORDER BY id LIMIT $1::int FOR UPDATE SKIP LOCKED
            )
            UPDATE \(table) AS record
            SET claimed_until = now() + make_interval(secs => $2::int), claimed_by = $3, attempts = attempts + 1
            FROM free WHERE record.id = free.id
            RETURNING record.id, payload::text, attempts, (extract(epoch FROM created_at) * 1000)::bigint
            """,
            ["\(countMax)", "\(claimSeconds)", address.consumer]
        )
        // Words that came with the answer are of rows that this look may have missed.
        let isTold = try connection.isTold()
        isDirty = isTold || found.count == countMax
        return found.compactMap(record).sorted { (Int64($0.id) ?? 0) < (Int64($1.id) ?? 0) }
    }

    func settle(_ handles: [String]) throws(BrokerError) {
        _ = try rows("DELETE FROM \(table) WHERE id = ANY ($1::bigint[])", [Self.list(handles)])
    }

    func putBack(_ handles: [String], afterMilliseconds: Int) throws(BrokerError) {
        _ = try rows(
            """
            UPDATE \(table) SET claimed_until = now() + make_interval(secs => $2::float8)
            WHERE id = ANY ($1::bigint[]) AND claimed_by = $3
            """,
            [Self.list(handles), "\(Double(max(afterMilliseconds, 0)) / 1000)", address.consumer]
        )
        // A little later than the server's clock says.
        due.append(Clock.monotonicNanoseconds() + UInt64(max(afterMilliseconds, 0) + 10) * 1_000_000)
    }

    func lag() throws(BrokerError) -> Int? {
        try rows("SELECT count(*) FROM \(table)").first?.first?.flatMap { Int($0) }
    }

    private static func list(_ handles: [String]) -> String { "{\(handles.joined(separator: ","))}" }

    private func record(_ row: [String?]) -> BrokerRecord? {
        guard row.count == 4, let id = row[0], let body = row[1] else { return nil }
        let attempts = row[2].flatMap { Int($0) } ?? 1
        let milliseconds = row[3].flatMap { Int64($0) } ?? 0
        return BrokerRecord(
            id: id,
            handle: id,
            deliveryCount: attempts,
            unixMilliseconds: milliseconds,
            document: .object([
                JSON.Member("eventSource", .string(kind.name)),
                JSON.Member("eventSourceARN", .string(address.shown)),
                JSON.Member("table", .string(tableName)),
                JSON.Member("messageId", .string(id)),
                JSON.Member("createdAt", .integer(milliseconds)),
                JSON.Member("deliveryCount", .integer(Int64(attempts))),
                JSON.Member("body", .string(body)),
            ])
        )
    }

    /// - Throws: in the server's words, and with what a table needs where that is what is wrong.
    private func rows(_ statement: String, _ parameters: [String] = []) throws(BrokerError) -> PostgresConnection.Rows {
        switch try connection.ask(statement, parameters) {
        case .success(let rows): return rows
        case .failure(let refusal):
            var message = "\(address.shown): \(refusal.message)"
            if refusal.code == RefusedStatement.undefinedTable || refusal.code == RefusedStatement.undefinedColumn {
                message += ". The table of a source is made with: \(ddl)"
            }
            throw BrokerError(message)
        }
    }

    private var ddl: String {
        "CREATE TABLE \(table) (id bigserial PRIMARY KEY, payload text NOT NULL, "
            + "created_at timestamptz NOT NULL DEFAULT now(), claimed_until timestamptz, claimed_by text, "
            + "attempts integer NOT NULL DEFAULT 0)"
    }
}
#endif
