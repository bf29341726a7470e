#if canImport(CPostgres)
import CPostgres
import Linux

/// One connection to PostgreSQL.
@safe final class PostgresConnection {
    @unsafe private let connection: OpaquePointer
    private let shown: String

    /// Rows of text; nil is NULL.
    typealias Rows = [[String?]]

    init(_ address: BrokerAddress) throws(BrokerError) {
        shown = address.shown
        var settings: [(String, String)] = [
            ("host", address.host), ("port", "\(address.port ?? 5432)"), ("application_name", "thaw"),
            ("client_encoding", "UTF8"), ("connect_timeout", "10"),
            // Nothing that is asked here takes long; a server that is gone is noticed by both.
            ("options", "-c statement_timeout=30000"), ("tcp_user_timeout", "30000"),
        ]
        if let user = address.user { settings.append(("user", user)) }
        if let password = address.password { settings.append(("password", password)) }
        if !address.path.isEmpty { settings.append(("dbname", address.path)) }
        if let mode = address["sslmode"] { settings.append(("sslmode", mode)) }
        let text = settings.map { "\($0.0)=\(Self.quoted($0.1))" }.joined(separator: " ")
        guard let connection = unsafe PQconnectdb(text) else {
            throw BrokerError("\(address.shown): no memory for a connection")
        }
        unsafe self.connection = unsafe connection
        guard unsafe PQstatus(connection) == CONNECTION_OK else { throw failure() }
    }

    deinit { unsafe PQfinish(connection) }

    var descriptor: Int32 { unsafe PQsocket(connection) }

    /// Runs a statement and waits for its answer.
    func ask(_ statement: String, _ parameters: [String] = []) throws(BrokerError) -> Result<Rows, RefusedStatement> {
        let text = parameters.map { $0 + "\0" }.joined()
        guard let result = unsafe thaw_postgres_ask(connection, statement, text, Int32(parameters.count)) else {
            throw failure()
        }
        defer { unsafe PQclear(result) }
        switch unsafe PQresultStatus(result) {
        case PGRES_TUPLES_OK, PGRES_COMMAND_OK: return unsafe .success(Self.rows(result))
        default:
            guard unsafe PQstatus(connection) == CONNECTION_OK, let code = unsafe thaw_postgres_code(result) else {
                throw failure()
            }
            let message = unsafe String(cString: PQresultErrorMessage(result))
            return unsafe .failure(RefusedStatement(code: String(cString: code), message: Self.line(message)))
        }
    }

    /// Reads what the server sent by itself.
    ///
    /// - Returns: whether it told of anything.
    func isTold() throws(BrokerError) -> Bool {
        guard unsafe PQconsumeInput(connection) == 1 else { throw failure() }
        var isTold = false
        while let notice = unsafe PQnotifies(connection) {
            unsafe PQfreemem(notice)
            isTold = true
        }
        return isTold
    }

    /// A name as a statement has it, each part in quotes: `schema.table`.
    static func name(_ text: String) -> String {
        text.split(separator: ".").map { "\"\($0.replacing("\"", with: "\"\""))\"" }.joined(separator: ".")
    }

    private static func quoted(_ text: String) -> String {
        "'\(text.replacing("\\", with: "\\\\").replacing("'", with: "\\'"))'"
    }

    private static func line(_ message: String) -> String {
        message.split(separator: "\n").joined(separator: "; ")
    }

    private func failure() -> BrokerError {
        let message = unsafe Self.line(String(cString: PQerrorMessage(connection)))
        return BrokerError("\(shown): \(message.isEmpty ? "the connection is lost" : message)")
    }

    private static func rows(_ result: OpaquePointer) -> Rows {
        let columns = unsafe PQnfields(result)
        return unsafe (0..<PQntuples(result)).map { row in
            (0..<columns).map { column in
                guard unsafe PQgetisnull(result, row, column) == 0, let value = unsafe PQgetvalue(result, row, column)
                else { return nil }
                return unsafe String(cString: value)
            }
        }
    }
}

/// A statement that the server did not do: its own words, and its five characters for them.
struct RefusedStatement: Error {
    let code: String
    let message: String

    static let undefinedTable = "42P01"
    static let undefinedColumn = "42703"
}
#endif
