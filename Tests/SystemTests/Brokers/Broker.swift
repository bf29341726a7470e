import Foundation
import Trials

/// A real broker, started by a test on a port and a folder of its own.
protocol Broker: Sendable {
    /// The program that has to be there.
    static var program: String { get }

    /// Starts the server and makes what the source reads from, empty.
    init() async throws

    /// The source as a mapping names it.
    var url: String { get }

    /// Options of a node that is to be fed from it.
    var nodeArguments: [String] { get }

    /// It can be asked how many records wait.
    var knowsLag: Bool { get }

    /// Sends one record that functions see as `{"number": NUMBER}` somewhere in it.
    func publish(_ numbers: [Int]) async throws

    /// Kills the server.
    func crash() async
    /// Starts it again, with what it had on its disk.
    func restart() async throws
    /// Kills it and removes what it left.
    func remove() async
}

extension Broker {
    static var isInstalled: Bool { BrokerProcess.path(of: program) != nil }
    var nodeArguments: [String] { [] }
    var knowsLag: Bool { true }
}

/// The process of a broker, and its folder.
final class BrokerProcess: @unchecked Sendable {  // Safe: tests start and stop it one after the other.
    let folder: String
    let port: Int
    private let name: String
    private let arguments: [String]
    private var process: Process?

    /// - Parameter arguments: made from the port and the folder.
    init(_ name: String, _ arguments: (_ port: Int, _ folder: String) -> [String]) async throws {
        self.name = name
        folder = try TrialNode.freshDirectory()
        port = try await TrialClient.freePort()
        self.arguments = arguments(port, folder)
    }

    /// In the path, or where Debian has what is not for everybody.
    static func path(of name: String) -> String? {
        let path = ProcessInfo.processInfo.environment["PATH"] ?? ""
        let folders = path.split(separator: ":").map(String.init) + ["/usr/sbin", "/usr/lib/postgresql/15/bin"]
        return folders.map { $0 + "/" + name }.first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    func start() async throws {
        guard let path = Self.path(of: name) else { throw CocoaError(.fileNoSuchFile) }
        let process = Process()
        process.executableURL = URL(fileURLWithPath: path)
        process.arguments = arguments
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        process.standardInput = FileHandle.nullDevice
        try process.run()
        self.process = process
        for _ in 0..<500 {
            if await TrialClient.isListening(port: port) { return }
            // A server says on no channel that it listens now; there is no event to wait for.
            try await ContinuousClock().sleep(for: .milliseconds(20))
        }
        throw CocoaError(.fileReadUnknown)
    }

    func kill() async {
        guard let process, process.isRunning else { return }
        Foundation.kill(process.processIdentifier, SIGKILL)
        await withCheckedContinuation { continuation in
            Thread.detachNewThread {
                process.waitUntilExit()
                continuation.resume()
            }
        }
    }

    func remove() async {
        await kill()
        try? FileManager.default.removeItem(atPath: folder)
    }
}
