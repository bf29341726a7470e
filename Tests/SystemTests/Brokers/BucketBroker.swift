import Foundation
import Trials

/// A bucket of moto's server, which has everything in memory: after a crash the bucket is made anew.
struct BucketBroker: Broker {
    static let program = "python3"
    private let server: BrokerProcess

    private static var python: String? {
        ProcessInfo.processInfo.environment["THAW_CLIENTS_PYTHON"] ?? BrokerProcess.path(of: "python3")
    }

    static var isInstalled: Bool {
        guard let python else { return false }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: python)
        process.arguments = ["-c", "import moto.server, flask"]
        process.standardError = FileHandle.nullDevice
        guard (try? process.run()) != nil else { return false }
        process.waitUntilExit()
        return process.terminationStatus == 0
    }

    init() async throws {
        let python = Self.python ?? ""
        server = try await BrokerProcess("env") { port, _ in
            [python, "-m", "moto.server", "-H", "127.0.0.1", "-p", "\(port)"]
        }
        try await restart()
    }

    private var endpoint: String { "http://127.0.0.1:\(server.port)" }

    var url: String {
        "s3://AKIDEXAMPLE:secret%2Fkey@numbers/in/?endpoint=http%3A%2F%2F127.0.0.1%3A\(server.port)&poll=1&start=oldest"
    }

    func publish(_ numbers: [Int]) async throws {
        for number in numbers {
            let path = "\(endpoint)/numbers/in/number-\(number).json"
            let answer = try await TrialClient.request("PUT", path, body: Data("\(number)".utf8))
            guard answer.status == 200 else { throw CocoaError(.fileWriteUnknown, userInfo: ["answer": answer.text]) }
        }
    }

    func crash() async { await server.kill() }

    func restart() async throws {
        try await server.start()
        let answer = try await TrialClient.request("PUT", endpoint + "/numbers")
        guard answer.status == 200 else { throw CocoaError(.fileWriteUnknown, userInfo: ["answer": answer.text]) }
    }

    func remove() async { await server.remove() }
}
