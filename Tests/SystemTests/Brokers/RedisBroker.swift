import Foundation
import Trials

/// A stream of a real Redis, which writes every entry to its disk.
struct RedisBroker: Broker {
    static let program = "redis-server"
    private let server: BrokerProcess

    private let password: String?

    init() async throws {
        try await self.init(password: nil)
    }

    init(password: String?) async throws {
        self.password = password
        server = try await BrokerProcess("redis-server") { port, folder in
            [
                "--port", "\(port)", "--dir", folder, "--save", "", "--appendonly", "yes", "--appendfsync", "always",
                "--bind", "127.0.0.1",
            ] + (password.map { ["--requirepass", $0] } ?? [])
        }
        try await server.start()
    }

    var url: String { "redis://127.0.0.1:\(server.port)/0?stream=numbers&start=0" }

    func publish(_ numbers: [Int]) async throws {
        // One connection for all of them; the command line's program reads commands from its input.
        let commands = numbers.map { "XADD numbers * number \($0)\n" }.joined()
        let outcome = try await CommandOutcome.run(
            "/usr/bin/redis-cli",
            ["-p", "\(server.port)"] + (password.map { ["-a", $0] } ?? []),
            input: commands
        )
        guard outcome.status == 0, !outcome.output.contains("ERR") else {
            throw CocoaError(.fileWriteUnknown, userInfo: ["output": outcome.output + outcome.errors])
        }
    }

    func crash() async { await server.kill() }
    func restart() async throws { try await server.start() }
    func remove() async { await server.remove() }
}
