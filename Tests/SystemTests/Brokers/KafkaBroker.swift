import Foundation

/// A cluster of one server, with a topic of three partitions, in a program of ours; its records are in its memory, so that a crash
/// is all connections lost and none let in.
struct KafkaBroker: Broker {
    static let program = "kafka-mock"
    static var isInstalled: Bool { LineProcess.isBuilt(program) }
    private let mock: LineProcess
    let servers: String

    init() async throws {
        mock = try LineProcess(Self.program)
        servers = try await mock.read()
        try await order("topic numbers 3")
    }

    var port: Int { Int(servers.split(separator: ":").last ?? "") ?? 0 }

    /// A member's session has to outlast the making of a group, which takes this server three seconds.
    ///
    /// A real one gives a member that comes back its partitions; this one has to forget its old self first.
    static let hasty = ["session.timeout.ms": "5000", "heartbeat.interval.ms": "500"]

    var url: String { "kafka://\(servers)/numbers?group=takers&session.timeout.ms=5000&heartbeat.interval.ms=500" }

    func publish(_ numbers: [Int]) async throws { try await publish(numbers) { $0 % 3 } }

    func publish(_ numbers: [Int], partition: (Int) -> Int) async throws {
        for number in numbers {
            try await order("put numbers \(partition(number)) key-\(number) {\"number\": \(number)}")
        }
        try await order("flush")
    }

    func crash() async { _ = try? await mock.ask("down") }
    func restart() async throws { try await order("up") }
    func remove() async { mock.kill() }

    private func order(_ line: String) async throws {
        let answer = try await mock.ask(line)
        guard answer == "ok" else { throw CocoaError(.fileWriteUnknown, userInfo: ["answer": answer]) }
    }
}
