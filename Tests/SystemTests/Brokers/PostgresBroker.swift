import Foundation
import Trials

/// A real PostgreSQL with a table of records; it refuses to run as root, so it runs as nobody.
struct PostgresBroker: Broker {
    static let program = "postgres"
    private let server: BrokerProcess
    private let psql: String
    private static let nobody = ["--reuid=65534", "--regid=65534", "--clear-groups"]

    static var isInstalled: Bool {
        ["postgres", "initdb", "psql", "setpriv"].allSatisfy { BrokerProcess.path(of: $0) != nil }
    }

    init() async throws {
        let postgres = BrokerProcess.path(of: "postgres") ?? ""
        server = try await BrokerProcess("setpriv") { port, folder in
            Self.nobody + [
                postgres, "-D", folder + "/data", "-p", "\(port)", "-h", "127.0.0.1", "-k", folder,
                "-c", "shared_buffers=4MB", "-c", "max_connections=20",
            ]
        }
        psql = BrokerProcess.path(of: "psql") ?? ""
        try FileManager.default.setAttributes([.ownerAccountID: 65534], ofItemAtPath: server.folder)
        let passwords = server.folder + "/password"
        try Data("p'ss word\n".utf8).write(to: URL(fileURLWithPath: passwords))
        let made = try await CommandOutcome.run(
            BrokerProcess.path(of: "setpriv") ?? "",
            Self.nobody + [
                BrokerProcess.path(of: "initdb") ?? "", "-D", server.folder + "/data", "-U", "thaw",
                "--auth=scram-sha-256",
                "--pwfile", passwords, "--no-sync", "--no-locale", "--encoding=UTF8",
            ]
        )
        guard made.status == 0 else {
            throw CocoaError(.fileWriteUnknown, userInfo: ["output": made.output + made.errors])
        }
        try await server.start()
        try await beReady()
        try await run(Self.table)
    }

    private static let table = """
        CREATE TABLE outbox (id bigserial PRIMARY KEY, payload jsonb NOT NULL,
            created_at timestamptz NOT NULL DEFAULT now(), claimed_until timestamptz, claimed_by text,
            attempts integer NOT NULL DEFAULT 0);
        CREATE FUNCTION tell() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN NOTIFY numbers; RETURN NULL; END$$;
        CREATE TRIGGER tell AFTER INSERT ON outbox EXECUTE FUNCTION tell();
        """

    private var address: String { "thaw:p%27ss%20word@127.0.0.1:\(server.port)/postgres" }
    var url: String { "postgresql://\(address)?table=outbox&channel=numbers" }
    /// Of a wrong password.
    var refusedURL: String { "postgresql://thaw:wrong@127.0.0.1:\(server.port)/postgres?table=outbox" }
    /// Of a table that is not there.
    var missingURL: String { "postgresql://\(address)?table=elsewhere" }

    func publish(_ numbers: [Int]) async throws {
        let values = numbers.map { "('{\"number\": \($0)}')" }.joined(separator: ", ")
        try await run("INSERT INTO outbox (payload) VALUES \(values);")
    }

    private func run(_ statements: String) async throws {
        let outcome = try await CommandOutcome.run(
            psql,
            ["-q", "-v", "ON_ERROR_STOP=1", "postgresql://\(address)"],
            input: statements
        )
        guard outcome.status == 0 else {
            throw CocoaError(.fileWriteUnknown, userInfo: ["output": outcome.output + outcome.errors])
        }
    }

    func crash() async { await server.kill() }

    func restart() async throws {
        try await server.start()
        try await beReady()
    }

    /// It listens before it has read its journal, and says no sooner that it is through than when it is asked.
    private func beReady() async throws {
        for _ in 0..<100 where (try? await run("SELECT 1;")) != nil {
            return
        }
        throw CocoaError(.fileReadUnknown)
    }

    func remove() async { await server.remove() }
}
