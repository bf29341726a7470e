import Foundation
import Invoking
import Logging
import Manifests
import Metering
import NIOCore
import NIOPosix
import Registry
import Scheduling
import Secrets
import ServiceLifecycle
import Synchronization
import Testing

@testable import Doors

/// A set of open doors on loopback, with real records and stand-ins for the processes behind them.
final class DoorHarness: Sendable {
    let port: Int
    let registry: Registry
    let logs: FunctionLogs
    let services: DoorServices
    /// Calls and bundles that came through, in order.
    let seen: Seen

    final class Seen: Sendable {
        private let state = Mutex<(calls: [Call], bundleBytes: [Int], deleted: [String], moved: [String])>(
            ([], [], [], [])
        )

        var calls: [Call] { state.withLock { $0.calls } }
        var bundleBytes: [Int] { state.withLock { $0.bundleBytes } }
        var deleted: [String] { state.withLock { $0.deleted } }

        /// What was to be loaded or unloaded.
        var moved: [String] { state.withLock { $0.moved } }

        func add(moved: String) { state.withLock { $0.moved.append(moved) } }
        func add(_ call: Call) { state.withLock { $0.calls.append(call) } }
        func add(bundleBytes: Int) { state.withLock { $0.bundleBytes.append(bundleBytes) } }
        func add(deleted: String) { state.withLock { $0.deleted.append(deleted) } }
    }

    /// What a test may choose.
    struct Options: Sendable {
        var listen = "127.0.0.1:0"
        var token: String?
        var readiness = Readiness.ready
        /// Bytes of a call's body.
        var payloadBytesMax = 1024
        /// Calls are of code, whose replies may come over time.
        var mayStream = false
        /// Ends every call; nil answers it with its own body.
        var failure: Failure?
        var deployFailure: DeployFailure?
        /// The deployer gives up after so many bytes.
        var deployBytesMax = Int.max
        var ledgerDirectory: String?
    }

    private init(port: Int, registry: Registry, logs: FunctionLogs, services: DoorServices, seen: Seen) {
        self.port = port
        self.registry = registry
        self.logs = logs
        self.services = services
        self.seen = seen
    }

    /// Opens the doors, runs `body`, closes them and removes what was written.
    static func run(
        _ options: Options = Options(),
        _ body: @escaping @Sendable (DoorHarness) async throws -> Void
    ) async throws {
        let directory = FileManager.default.temporaryDirectory.path + "/doors-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let registry = try Registry(path: directory + "/registry.sqlite")
        _ = try await registry.deploy(manifest: manifest("echo", route: "/custom/echo"), snapshot: snapshot)
        let ledger = try Ledger(directory: directory, node: "test")
        let seen = Seen()
        let logs = FunctionLogs()
        let secrets = try SecretStore(directory: directory)
        let services = services(options, registry, secrets, ledger, logs, seen)
        let address = try #require(ListenAddress(options.listen))
        var logger = Logger(label: "doors")
        logger.logLevel = .critical
        let doors = try Doors(
            listen: address,
            token: try options.token.map { try BearerToken($0) },
            services: services,
            logger: logger
        )
        let (ports, found) = AsyncStream<Int>.makeStream()
        let server = try doors.server(eventLoopGroup: MultiThreadedEventLoopGroup.singleton) { found.yield($0) }
        let quiet = logger
        try await withThrowingTaskGroup(of: Void.self) { group in
            let service = ServiceGroup(services: [server], logger: quiet)
            group.addTask { try await service.run() }
            var iterator = ports.makeAsyncIterator()
            let port = try #require(await iterator.next())
            do {
                let harness = DoorHarness(port: port, registry: registry, logs: logs, services: services, seen: seen)
                try await body(harness)
            } catch {
                group.cancelAll()
                throw error
            }
            await service.triggerGracefulShutdown()
            try await group.waitForAll()
        }
        try await ledger.close()
    }

    static let snapshot = SnapshotRecord(
        digest: String(repeating: "ab", count: 32),
        byteCount: 1000,
        arenaByteCount: 4096,
        task: .echo
    )

    static func manifest(_ name: String, route: String? = nil) -> Manifest {
        Manifest(name: name, route: route)
    }

    static func services(
        _ options: Options,
        _ registry: Registry,
        _ secrets: SecretStore,
        _ ledger: Ledger,
        _ logs: FunctionLogs,
        _ seen: Seen
    ) -> DoorServices {
        DoorServices(
            bounds: { name, qualifier throws(Failure) in
                guard (try? registry.resolve(name)) != nil else { throw .unknownFunction(name) }
                guard let qualifier, (try? registry.resolve(name, qualifier: qualifier)) == nil else {
                    return CallBounds(
                        version: 1,
                        payloadBytesMax: options.payloadBytesMax,
                        mayStream: options.mayStream
                    )
                }
                throw .unknownQualifier(function: name, qualifier: qualifier)
            },
            invoke: { call, loop, answer in
                seen.add(call)
                let completion = completion(of: call, options.failure, ledger)
                // As a real call does: the answer comes later.
                loop.execute { answer(completion) }
            },
            load: { version async throws(Failure) in seen.add(moved: "load \(version.function) \(version.version)") },
            unload: { version async throws(Failure) in seen.add(moved: "unload \(version.function) \(version.version)")
            },
            statistics: { _, _ in CallStatistics() },
            readiness: { options.readiness },
            pools: { PoolsReport(names: ["echo"]) },
            deploy: { name, bundle async throws(DeployFailure) in
                try await deploy(name, bundle, options, registry, seen)
            },
            deployProgress: { name in
                name == "slow" ? DeployProgress(phase: .packing, bundleBytes: 200, snapshotBytes: 50) : nil
            },
            delete: { name in
                try await registry.delete(name)
                seen.add(deleted: name)
            },
            rollback: { name async throws(RegistryError) in try await registry.rollback(name) },
            collectGarbage: { GarbageReport(snapshots: 2, bytes: 3000) },
            logLines: { logs.lines(function: $0, last: $1) },
            followLogs: { logs.follow(function: $0) },
            secrets: secrets,
            refresh: { seen.add(moved: "refresh \($0)") },
            registry: registry,
            ledger: ledger
        )
    }

    private static func completion(of call: Call, _ failure: Failure?, _ ledger: Ledger) -> Completion {
        let attempt = Attempt(
            id: .generated(),
            function: call.function,
            version: 1,
            snapshot: snapshot.digest,
            bytesIn: call.body.readableBytes,
            acceptedUnixNanoseconds: 1_800_000_000_000_000_000
        )
        if let slot = try? ledger.begin(attempt) {
            var receipt = Receipt(attempt)
            receipt.outcome = failure == nil ? .succeeded : .failed
            _ = ledger.finish(slot, receipt)
        }
        return Completion(
            id: attempt.id,
            start: .hot,
            queueNanoseconds: 12_345,
            bindNanoseconds: 210_000,
            runNanoseconds: 3_402_999,
            result: failure.map { .failure($0) } ?? .success(Reply(contentType: call.contentType, body: call.body))
        )
    }

    private static func deploy(
        _ name: String,
        _ bundle: AdmittedBody,
        _ options: Options,
        _ registry: Registry,
        _ seen: Seen
    ) async throws(DeployFailure) -> FunctionVersion {
        var byteCount = 0
        do {
            for try await piece in bundle {
                byteCount += piece.readableBytes
                if byteCount > options.deployBytesMax { break }
            }
        } catch {
            throw .invalid("the upload broke off: \(error)")
        }
        seen.add(bundleBytes: byteCount)
        guard byteCount <= options.deployBytesMax else { throw .storage("the disk is full") }
        if let failure = options.deployFailure { throw failure }
        do {
            return try await registry.deploy(manifest: manifest(name), snapshot: snapshot)
        } catch {
            throw .storage("\(error)")
        }
    }
}
