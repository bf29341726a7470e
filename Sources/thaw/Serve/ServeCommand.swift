import ArgumentParser
import Doors
import Foundation
import Logging
import Scheduling

/// `thaw serve`: this process becomes the node's scheduler.
struct ServeCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serve",
        abstract: "Serve functions on this machine.",
        discussion: """
            Prints one line when it is ready to answer. SIGTERM or SIGINT drains: new calls get 503, calls in progress end, \
            for at most --drain-seconds. \
            An address that other machines can reach is refused until THAW_TOKEN or --token-file configures a bearer token.
            """
    )

    @Option(help: "Directory of functions, snapshots and receipts; made if it is not there.")
    var data: String = ".thaw"

    @Option(help: "HOST:PORT to listen on; port 0 lets the kernel choose.")
    var listen: String = "127.0.0.1:8080"

    @Option(help: "File that holds the bearer token which every request must carry; overrules THAW_TOKEN.")
    var tokenFile: String?

    @Option(
        help: """
            File of access keys, written as AWS clients keep theirs (aws_access_key_id, aws_secret_access_key): with one, \
            requests of the Lambda API must be signed.
            """
    )
    var accessKeys: String?

    @Option(help: "Region that the Lambda API names its resources in.")
    var region: String = "us-east-1"

    @Option(help: "Seconds before an event that failed is tried again; twice as many before the third time.")
    var eventRetrySeconds: Int = 60

    @Option(help: "Events that may wait for one function; one more is refused with 429.")
    var eventsMax: Int = 2_000_000

    @Option(help: "Hours for which it is kept what became of an event.")
    var eventOutcomeHours: Int = 24

    @Option(help: "Seconds that pip may take for the requirements.txt of one deploy.")
    var installSeconds: Int = 300

    @Option(
        help: """
            Directory below which functions may be fed with files (file:///DIR); may be given several times. Without one, \
            none may.
            """
    )
    var watchable: [String] = []

    @Option(
        help: """
            Memory that may be kept while nobody calls, such as 2GiB: decoded snapshots, workers in reserve, snapshot \
            files. The default keeps nothing: at rest there is no process but this one.
            """
    )
    var restingMemory: MemorySize = .zero

    @Option(help: "Workers forked ahead of calls for each decoded snapshot, within --resting-memory.")
    var reserve: Int = NodeLimits.reservePerTemplateDefault

    @Option(help: "Worker processes of all functions together; default: 32 for each core.")
    var workersMax: Int?

    @Option(help: "Seconds that calls in progress may take after SIGTERM.")
    var drainSeconds: Int = 30

    @Option(help: "Least severe events to write to the standard error output.")
    var logLevel: LogLevel = .notice

    @Flag(
        help:
            "Drain and end when the standard input does: a node that a program starts ends with it, even if it is killed."
    )
    var endWithInput = false

    @Flag(help: "Print the ready line as one JSON document.")
    var json = false

    func validate() throws {
        guard ListenAddress(listen) != nil else {
            throw ValidationError("--listen takes HOST:PORT, such as 127.0.0.1:8080; got \"\(listen)\"")
        }
        guard drainSeconds >= 0, drainSeconds <= 3600 else {
            throw ValidationError("--drain-seconds takes 0 to 3600; got \(drainSeconds)")
        }
        guard (1...3600).contains(installSeconds) else {
            throw ValidationError("--install-seconds takes 1 to 3600; got \(installSeconds)")
        }
        guard (0...3600).contains(eventRetrySeconds) else {
            throw ValidationError("--event-retry-seconds takes 0 to 3600; got \(eventRetrySeconds)")
        }
        guard eventsMax > 0 else { throw ValidationError("--events-max takes 1 or more; got \(eventsMax)") }
        guard (1...8760).contains(eventOutcomeHours) else {
            throw ValidationError("--event-outcome-hours takes 1 to 8760; got \(eventOutcomeHours)")
        }
        guard (0...64).contains(reserve) else {
            throw ValidationError("--reserve takes 0 to 64; got \(reserve)")
        }
        guard workersMax.map({ (1...4096).contains($0) }) ?? true else {
            throw ValidationError("--workers-max takes 1 to 4096")
        }
    }

    func run() async throws {
        guard let address = ListenAddress(listen) else { throw ExitCode.validationFailure }
        let configuration = NodeConfiguration(
            directory: data,
            listen: address,
            token: try token(),
            keys: try keys(),
            region: region,
            eventRetrySeconds: eventRetrySeconds,
            eventsMax: eventsMax,
            outcomeHours: eventOutcomeHours,
            watchable: watchable.map { URL(fileURLWithPath: $0).standardized.path },
            installSecondsMax: installSeconds,
            restingBytesMax: restingMemory.bytes,
            reserve: reserve,
            workersMax: workersMax,
            drain: .seconds(drainSeconds)
        )
        var logger = Logger(label: "thaw", factory: { StreamLogHandler.standardError(label: $0) })
        logger.logLevel = logLevel.level
        do {
            if endWithInput { InputWatch.start() }
            let node = try Node(configuration, logger: logger)
            try await node.run { port in
                try? Output.line(readyLine(node, port: port))
            }
        } catch let error as NodeError {
            throw CommandFailure.notServing(error.description)
        } catch let error as AccessError {
            throw CommandFailure.notServing(error.description)
        }
    }

    private func token() throws -> BearerToken? {
        let environment = ProcessInfo.processInfo.environment["THAW_TOKEN"]
        do {
            if let tokenFile {
                return try BearerToken(String(contentsOfFile: tokenFile, encoding: .utf8))
            }
            return try environment.map { try BearerToken($0) }
        } catch let error as AccessError {
            throw CommandFailure.notServing(error.description)
        } catch {
            throw CommandFailure.notServing("the token file cannot be read: \(error.localizedDescription)")
        }
    }

    private func keys() throws -> AccessKeys? {
        guard let accessKeys else { return nil }
        do {
            return try AccessKeys(credentials: String(contentsOfFile: accessKeys, encoding: .utf8))
        } catch let error as AccessError {
            throw CommandFailure.notServing(error.description)
        } catch {
            throw CommandFailure.notServing("the file of access keys cannot be read: \(error.localizedDescription)")
        }
    }

    private func readyLine(_ node: Node, port: Int) throws -> String {
        let ready = ReadyLine(
            url: "http://\(listen.prefix(upTo: listen.lastIndex(of: ":") ?? listen.endIndex)):\(port)",
            pid: Int(ProcessInfo.processInfo.processIdentifier),
            data: data,
            memoryLimits: node.memoryLimits,
            interruptedCalls: node.interruptedCalls
        )
        guard json else { return ready.description }
        return String(decoding: try JSONEncoder().encode(ready), as: UTF8.self)
    }
}

/// What `serve` says once it answers.
private struct ReadyLine: Encodable, CustomStringConvertible {
    var url: String
    var pid: Int
    var data: String
    var memoryLimits: String
    /// Calls that an earlier scheduler left in flight; each has a receipt now.
    var interruptedCalls: Int

    var description: String {
        let recovered = interruptedCalls == 0 ? "" : ", receipts written for interrupted calls: \(interruptedCalls)"
        return "thaw is ready on \(url) (data \(data), memory limits by \(memoryLimits)\(recovered))"
    }
}

/// A size of memory on the command line: `512MiB`, `2GiB`, or bytes.
struct MemorySize: ExpressibleByArgument, Sendable {
    static let zero = MemorySize(bytes: 0)

    let bytes: UInt64

    private init(bytes: UInt64) {
        self.bytes = bytes
    }

    init?(argument: String) {
        let units: [(suffix: String, shift: UInt64)] = [("KiB", 10), ("MiB", 20), ("GiB", 30), ("TiB", 40)]
        let unit = units.first { argument.hasSuffix($0.suffix) }
        guard let number = UInt64(argument.dropLast(unit?.suffix.count ?? 0)) else { return nil }
        let (bytes, overflow) = number.multipliedReportingOverflow(by: 1 << (unit?.shift ?? 0))
        guard !overflow else { return nil }
        self.bytes = bytes
    }

    var defaultValueDescription: String { "\(bytes)" }
}

/// How much the scheduler says of itself.
enum LogLevel: String, ExpressibleByArgument, CaseIterable, Sendable {
    case trace, debug, info, notice, warning, error

    var level: Logger.Level {
        Logger.Level(rawValue: rawValue) ?? .notice
    }
}
