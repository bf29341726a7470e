import ControlPlane
import Doors
import Events
import Fleet
import Foundation
import Invoking
import Linux
import Logging
import Metering
import NIOCore
import NIOPosix
import Queues
import Registry
import Sandboxing
import Schedules
import Scheduling
import Secrets
import ServiceLifecycle
import Synchronization
import UnixSignals

/// All parts of a node, wired: read top to bottom, this is what `thaw serve` consists of.
final class Node: Sendable {
    private let configuration: NodeConfiguration
    private let logger: Logger
    /// Held for as long as the node lives: a second one on the same directory refuses.
    private let lock: DirectoryLock
    private let group: MultiThreadedEventLoopGroup
    private let registry: Registry
    private let ledger: Ledger
    private let fleet: Fleet
    private let invoker: Invoker
    private let deployer: Deployer
    private let plane: ControlPlane
    private let events: EventRunner
    private let schedules: ScheduleService
    private let outside: OutsideDelivery
    private let mappings: EventMappings
    private let doors: Doors
    private let phase: Phase
    /// What keeps workers to their memory limit on this machine.
    let memoryLimits: String
    let interruptedCalls: Int

    init(_ configuration: NodeConfiguration, logger: Logger) throws {
        self.configuration = configuration
        self.logger = logger
        let directory = configuration.directory
        let cores = max(System.coreCount, 1)

        Signals.ignoreBrokenPipes()
        let installation = try Installation()
        lock = try DirectoryLock(directory)
        registry = try Registry(path: directory + "/registry.sqlite")
        let secrets = try SecretStore(directory: directory)
        ledger = try Ledger(directory: directory, node: ProcessInfo.processInfo.hostName)
        interruptedCalls = ledger.recovered.interrupted
        let store = try SnapshotStore(directory: directory + "/snapshots")

        let logs = FunctionLogs()
        let memoryGroups = MemoryGroups.make()
        memoryLimits =
            switch memoryGroups?.dialect {
            case .v1: "control groups v1"
            case .v2: "control groups v2"
            case nil: "a watch on private memory"
            }
        let warden = try Warden(
            programs: try Self.programs(installation),
            memoryGroups: memoryGroups,
            logger: logger
        ) { key, line in
            let time = CalendarTime(unixNanoseconds: Clock.wallNanoseconds()).description
            logs.append(LogLine(time: time, version: key.version, message: line), function: key.function)
        }
        // Workers need cores too, and a call that stays on one loop wakes no second thread: a loop for every two cores.
        // Measured with two on two cores: a tenth more processor time for each call, and no more calls.
        group = MultiThreadedEventLoopGroup(numberOfThreads: max(cores / 2, 1))
        fleet = Fleet(
            node: NodeLimits(
                workersMax: configuration.workersMax ?? cores * 32,
                restingBytesMax: configuration.restingBytesMax,
                reservePerTemplate: configuration.reserve
            ),
            warden: warden,
            group: group,
            logger: logger
        )
        let bindings = FunctionBindings(
            registry: registry,
            store: store,
            coreCount: cores,
            logger: logger,
            secrets: { try secrets.environment(of: $0) }
        )
        let gate = ConcurrencyGate()
        invoker = Invoker(
            registry: registry,
            fleet: fleet,
            ledger: ledger,
            bindings: bindings,
            logger: logger,
            gate: gate,
            status: { Doors.status(of: $0, $1) }
        )
        deployer = Deployer(
            registry: registry,
            store: store,
            fleet: fleet,
            packing: Packing(warden: warden),
            packages: try PackageCache(directory: directory + "/packages"),
            installation: InstallSettings(
                environment: InstallSettings.environment(of: ProcessInfo.processInfo.environment),
                secondsMax: configuration.installSecondsMax
            ),
            bindings: bindings,
            logger: logger
        )
        phase = Phase()
        plane = try ControlPlane(
            directory: directory,
            account: LambdaAccount(region: configuration.region),
            registry: registry,
            acts: Self.acts(deployer, invoker),
            gate: gate
        )
        let (invoker, deployer, phase) = (invoker, deployer, phase)
        let invoke: EventRunner.Invoke = { call, loop, completion in
            invoker.invoke(call, on: loop, completion: completion)
        }
        let outside = try OutsideDelivery(directory: directory + "/destinations", group: group)
        self.outside = outside
        events = EventRunner(
            store: try MessageStore(
                path: directory + "/events.sqlite",
                outcomeMilliseconds: Int64(configuration.outcomeHours) * 3_600_000
            ),
            plane: plane,
            loop: group.next(),
            settings: EventRunner.Settings(
                retrySeconds: configuration.eventRetrySeconds,
                depthMax: configuration.eventsMax
            ),
            logger: logger,
            deliver: { await outside.deliver($0) },
            invoke: invoke
        )
        schedules = try ScheduleService(
            directory: directory,
            account: plane.account,
            events: events,
            on: group.next(),
            logger: logger
        )
        Self.follow(deployer, registry, plane, schedules, logger)
        let queues = ClientQueues(store: events.store, account: plane.account, loop: group.next(), logger: logger)
        let sources = NodeSources(
            programPath: installation.sourcePath,
            watchable: configuration.watchable,
            directory: directory + "/sources",
            buckets: BucketClient(client: outside.client),
            events: events,
            queues: queues,
            plane: plane,
            group: group,
            secrets: { name in
                let lines = try secrets.environment(of: name).map { $0.split(separator: "=", maxSplits: 1) }
                return Dictionary(lines.map { (String($0[0]), $0.count > 1 ? String($0[1]) : "") }) { $1 }
            },
            logger: logger
        )
        mappings = EventMappings(
            plane: plane,
            caller: FunctionCaller(plane: plane, loop: group.next(), invoke: invoke),
            loop: group.next(),
            logger: logger,
            open: { mapping async throws(SourceError) in try await sources.open(mapping) },
            tell: { await sources.tell($0, $1) },
            accept: { await sources.accept($0, $1, key: $2) }
        )
        plane.watchMappings { [weak mappings] in mappings?.reconcile() }
        doors = try Doors(
            listen: configuration.listen,
            token: configuration.token,
            services: DoorServices(
                bounds: { function, qualifier throws(Failure) in
                    try invoker.bounds(function: function, qualifier: qualifier)
                },
                invoke: invoke,
                load: { version async throws(Failure) in try await invoker.load(version) },
                unload: { version async throws(Failure) in try invoker.unload(version) },
                statistics: { invoker.statistics(function: $0, version: $1) },
                readiness: { phase.readiness },
                pools: { invoker.pools() },
                // These wait for the disk: not on the loop that answers calls.
                deploy: { [plane] name, bundle async throws(DeployFailure) in
                    try await withTaskExecutorPreference(DiskExecutor.shared) { () async throws(DeployFailure) in
                        let version = try await deployer.deploy(name: name, upload: bundle)
                        try await plane.declareTriggers(of: version)
                        return version
                    }
                },
                deployProgress: { deployer.progress(of: $0) },
                delete: { [plane] name in
                    try await withTaskExecutorPreference(DiskExecutor.shared) {
                        try await deployer.delete(name)
                        try await plane.forget(registryName: name)
                        try await secrets.removeAll(of: name)
                    }
                },
                rollback: { [plane] name async throws(RegistryError) in
                    let version = try await deployer.rollback(name)
                    do throws(DeployFailure) {
                        try await plane.declareTriggers(of: version)
                    } catch {
                        // The version serves all the same; what feeds it is as it was.
                        logger.warning("triggers of a version could not be made", metadata: ["error": "\(error)"])
                    }
                    return version
                },
                collectGarbage: {
                    try await withTaskExecutorPreference(DiskExecutor.shared) {
                        try await deployer.collectGarbage()
                    }
                },
                logLines: { logs.lines(function: $0, last: $1) },
                followLogs: { logs.follow(function: $0) },
                secrets: secrets,
                refresh: { invoker.refresh($0) },
                sources: { [mappings] in await mappings.reports() },
                triggers: { [schedules] in try await schedules.triggers(countMax: $0) },
                registry: registry,
                ledger: ledger
            ),
            lambda: LambdaServices(
                plane: plane,
                events: events,
                schedules: schedules,
                queues: queues,
                keys: configuration.keys,
                unixSeconds: { Int(Clock.wallNanoseconds() / 1_000_000_000) }
            ),
            logger: logger
        )
    }

    /// Functions' schedules are those of the versions that serve.
    private static func follow(
        _ deployer: Deployer,
        _ registry: Registry,
        _ plane: ControlPlane,
        _ schedules: ScheduleService,
        _ logger: Logger
    ) {
        deployer.follow(
            DeployFollower(
                complaint: { ScheduleService.complaint(about: $0) },
                changed: { [weak plane, weak schedules] name in
                    guard let plane, let schedules else { return }
                    let serving = try? registry.resolve(name)
                    let arn = plane.account.functionARN(plane.name(ofRegistry: name))
                    do throws(LambdaError) {
                        try await schedules.follow(name, serving?.manifest, functionARN: arn)
                    } catch {
                        // Followed again when the node starts.
                        logger.error(
                            "a function's schedules could not be changed",
                            metadata: ["function": "\(name)", "error": "\(error.message)"]
                        )
                    }
                }
            )
        )
    }

    /// What the control plane has others do; what waits for the disk does so on the disk's own thread.
    private static func acts(_ deployer: Deployer, _ invoker: Invoker) -> ControlActs {
        ControlActs(
            deploy: { name, code in
                await withTaskExecutorPreference(DiskExecutor.shared) {
                    do throws(DeployFailure) {
                        return .success(try await deployer.deploy(name: name, upload: code))
                    } catch {
                        return .failure(error)
                    }
                }
            },
            reconfigure: { name, change in
                do throws(DeployFailure) {
                    return .success(try await deployer.reconfigure(name, change))
                } catch {
                    return .failure(error)
                }
            },
            delete: { name in
                try await withTaskExecutorPreference(DiskExecutor.shared) { try await deployer.delete(name) }
            },
            provision: { name, workers in invoker.provision(name, workers) },
            workers: { name in
                invoker.pools().functions.first { $0.name == name }.map { $0.workers + $0.parked } ?? 0
            }
        )
    }

    /// Serves until a signal says to end, then drains.
    ///
    /// - Parameter onReady: called once with the port, when calls are answered.
    func run(onReady: @escaping @Sendable (Int) -> Void) async throws {
        try fleet.start()
        invoker.installServing()
        try await plane.resume()
        let plane = plane
        try await schedules.followAll(registry) { name in
            plane.account.functionARN(plane.name(ofRegistry: name))
        }
        try await schedules.resume()
        events.resume()
        mappings.reconcile()
        // Reading the registry leaves several times as much behind as is kept of it.
        Heap.giveBack()
        let phase = phase
        let server = try doors.server(eventLoopGroup: group) { port in
            phase.become(.ready)
            onReady(port)
        }
        // Services end in reverse order: first the drain, while the doors still answer, then the doors.
        let services = ServiceGroup(
            configuration: ServiceGroupConfiguration(
                services: [
                    .init(service: server),
                    .init(
                        service: DrainService(
                            fleet: fleet,
                            schedules: schedules,
                            events: events,
                            mappings: mappings,
                            phase: phase,
                            limit: configuration.drain
                        )
                    ),
                ],
                gracefulShutdownSignals: [.sigterm, .sigint],
                logger: logger
            )
        )
        try await services.run()
        try await outside.stop()
        try await ledger.close()
        try await group.shutdownGracefully()
    }

    private static func programs(_ installation: Installation) throws -> WardenPrograms {
        let policies = try Policies(folder: installation.policiesPath)
        return WardenPrograms(
            workerPath: installation.workerPath,
            packerPath: installation.packerPath,
            jailPath: installation.jailPath,
            runtimePath: installation.runtimePath,
            templateFilter: policies.template,
            workerFilter: policies.worker,
            packerFilter: policies.packer,
            codeFilter: policies.code,
            zygoteFilter: policies.zygote,
            codeWorkerFilter: policies.codeWorker
        )
    }
}

/// Whether the node takes calls.
final class Phase: Sendable {
    private let state = Mutex(Readiness.starting)

    var readiness: Readiness {
        state.withLock { $0 }
    }

    func become(_ readiness: Readiness) {
        state.withLock { $0 = readiness }
    }
}

/// On the order to end: admits nothing more and waits for what was admitted.
private struct DrainService: Service {
    let fleet: Fleet
    let schedules: ScheduleService
    let events: EventRunner
    let mappings: EventMappings
    let phase: Phase
    let limit: Duration

    func run() async throws {
        try await gracefulShutdown()
        phase.become(.draining)
        schedules.stop()
        events.stop()
        // Batches that run are waited for with the calls that they are.
        async let mappingsEnd: Void = mappings.stop()
        fleet.drain()
        await fleet.waitUntilNothingRuns(atMost: limit)
        // What still runs is answered now, or the doors would wait for it for ever.
        await fleet.stop()
        await mappingsEnd
    }
}

/// The lock on a node's directory, which the kernel drops with the process.
private final class DirectoryLock: Sendable {
    private let file: Linux.FileDescriptor

    init(_ directory: String) throws(NodeError) {
        do throws(SystemError) {
            try Directory.make(directory, permissions: 0o700)
            file = try FileDescriptor.open(directory + "/lock", [.readingWriting, .creating], permissions: 0o600)
        } catch {
            throw .cannotStart("the data directory cannot be used: \(error)")
        }
        guard (try? file.lockExclusively()) == true else {
            let pid = (try? file.pread(count: 20, at: 0)).map { String(decoding: $0, as: UTF8.self) }
            throw .directoryInUse(path: directory, pid: pid ?? "unknown")
        }
        do throws(SystemError) {
            try file.truncate(to: 0)
            try file.pwrite(Array("\(CurrentProcess.pid)".utf8), at: 0)
        } catch {
            throw .cannotStart("the data directory cannot be written: \(error)")
        }
    }
}
