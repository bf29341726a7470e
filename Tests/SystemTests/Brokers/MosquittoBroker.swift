import Foundation
import Trials

/// A real Mosquitto, which writes what it keeps for sessions to its disk when it changes.
struct MosquittoBroker: Broker {
    static let program = "mosquitto"
    private let server: BrokerProcess
    private let publisher: String

    static var isInstalled: Bool { ["mosquitto", "mosquitto_pub"].allSatisfy { BrokerProcess.path(of: $0) != nil } }

    init() async throws {
        server = try await BrokerProcess("mosquitto") { port, folder in
            let configuration = """
                listener \(port) 127.0.0.1
                password_file \(folder)/passwords
                persistence true
                persistence_location \(folder)/
                autosave_interval 1
                autosave_on_changes true
                user root
                """
            try? Data(configuration.utf8).write(to: URL(fileURLWithPath: folder + "/configuration"))
            return ["-c", folder + "/configuration"]
        }
        publisher = BrokerProcess.path(of: "mosquitto_pub") ?? ""
        let passwords = server.folder + "/passwords"
        let outcome = try await CommandOutcome.run(
            BrokerProcess.path(of: "mosquitto_passwd") ?? "",
            ["-c", "-b", passwords, "thaw", "p:ss/word"]
        )
        guard outcome.status == 0 else { throw CocoaError(.fileWriteUnknown) }
        try await server.start()
        // What is published before the client's session is there, the protocol gives to nobody.
        let subscribed = try await CommandOutcome.run(
            BrokerProcess.path(of: "mosquitto_sub") ?? "",
            [
                "-p", "\(server.port)", "-h", "127.0.0.1", "-u", "thaw", "-P", "p:ss/word", "-q", "1", "-t",
                "numbers/#",
                "-i", "thaw-numbers", "-c", "-E",
            ]
        )
        guard subscribed.status == 0 else {
            throw CocoaError(.fileWriteUnknown, userInfo: ["output": subscribed.output + subscribed.errors])
        }
    }

    var url: String { "mqtt://thaw:p%3Ass%2Fword@127.0.0.1:\(server.port)/numbers/%23?client=thaw-numbers" }
    /// Of a wrong password.
    var refusedURL: String { "mqtt://thaw:wrong@127.0.0.1:\(server.port)/numbers/%23" }
    var knowsLag: Bool { false }

    func publish(_ numbers: [Int]) async throws {
        let outcome = try await CommandOutcome.run(
            publisher,
            [
                "-p", "\(server.port)", "-h", "127.0.0.1", "-u", "thaw", "-P", "p:ss/word", "-q", "1", "-l", "-t",
                "numbers/all",
            ],
            input: numbers.map { "{\"number\": \($0)}\n" }.joined()
        )
        guard outcome.status == 0 else {
            throw CocoaError(.fileWriteUnknown, userInfo: ["output": outcome.output + outcome.errors])
        }
    }

    func crash() async { await server.kill() }
    func restart() async throws { try await server.start() }
    func remove() async { await server.remove() }
}
