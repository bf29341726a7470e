package import Events
package import Invoking
package import Metering
package import NIOCore
package import Registry
package import Schedules
package import Secrets

/// What stands behind the doors, as the acts that a request can ask for.
package struct DoorServices: Sendable {
    /// What the function and qualifier mean, and the largest body that a call of it may have.
    package var bounds: @Sendable (_ function: String, _ qualifier: String?) throws(Failure) -> CallBounds
    /// Runs a call to its end; the completion is called once, on the loop.
    package var invoke: @Sendable (Call, any EventLoop, @escaping @Sendable (Completion) -> Void) -> Void
    /// Makes a version resident, and returns when it is.
    package var load: @Sendable (FunctionVersion) async throws(Failure) -> Void
    /// Lets a version rest on the disk.
    package var unload: @Sendable (FunctionVersion) async throws(Failure) -> Void
    /// What became of a version's calls since the node started.
    package var statistics: @Sendable (_ function: String, _ version: Int) -> CallStatistics
    package var readiness: @Sendable () -> Readiness
    package var pools: @Sendable () -> PoolsReport
    package var deploy:
        @Sendable (_ name: String, _ bundle: AdmittedBody) async throws(DeployFailure) -> FunctionVersion
    /// How far the deploy of a name is; nil where there is none under way.
    package var deployProgress: @Sendable (_ name: String) -> DeployProgress?
    package var delete: @Sendable (_ name: String) async throws -> Void
    package var rollback: @Sendable (_ name: String) async throws(RegistryError) -> FunctionVersion
    package var collectGarbage: @Sendable () async throws -> GarbageReport
    /// The newest lines of a function, oldest first.
    package var logLines: @Sendable (_ function: String, _ last: Int) -> [LogLine]
    /// Lines as they are written; ends when its reader stops.
    package var followLogs: @Sendable (_ function: String) -> AsyncStream<LogLine>
    package var secrets: SecretStore
    /// Workers that are started from now on have a function's secrets as they are now.
    package var refresh: @Sendable (_ function: String) -> Void
    /// What feeds functions.
    package var sources: @Sendable () async -> [EventMappings.Report]
    /// When functions are called by the clock, so many at the most.
    package var triggers: @Sendable (_ countMax: Int) async throws -> [ScheduleService.Trigger]
    package var registry: Registry
    package var ledger: Ledger

    package init(
        bounds: @escaping @Sendable (String, String?) throws(Failure) -> CallBounds,
        invoke: @escaping @Sendable (Call, any EventLoop, @escaping @Sendable (Completion) -> Void) -> Void,
        load: @escaping @Sendable (FunctionVersion) async throws(Failure) -> Void,
        unload: @escaping @Sendable (FunctionVersion) async throws(Failure) -> Void,
        statistics: @escaping @Sendable (String, Int) -> CallStatistics,
        readiness: @escaping @Sendable () -> Readiness,
        pools: @escaping @Sendable () -> PoolsReport,
        deploy: @escaping @Sendable (String, AdmittedBody) async throws(DeployFailure) -> FunctionVersion,
        deployProgress: @escaping @Sendable (String) -> DeployProgress?,
        delete: @escaping @Sendable (String) async throws -> Void,
        rollback: @escaping @Sendable (String) async throws(RegistryError) -> FunctionVersion,
        collectGarbage: @escaping @Sendable () async throws -> GarbageReport,
        logLines: @escaping @Sendable (String, Int) -> [LogLine],
        followLogs: @escaping @Sendable (String) -> AsyncStream<LogLine>,
        secrets: SecretStore,
        refresh: @escaping @Sendable (String) -> Void,
        sources: @escaping @Sendable () async -> [EventMappings.Report] = { [] },
        triggers: @escaping @Sendable (Int) async throws -> [ScheduleService.Trigger] = { _ in [] },
        registry: Registry,
        ledger: Ledger
    ) {
        self.bounds = bounds
        self.invoke = invoke
        self.load = load
        self.unload = unload
        self.statistics = statistics
        self.readiness = readiness
        self.pools = pools
        self.deploy = deploy
        self.deployProgress = deployProgress
        self.delete = delete
        self.rollback = rollback
        self.collectGarbage = collectGarbage
        self.logLines = logLines
        self.followLogs = followLogs
        self.secrets = secrets
        self.refresh = refresh
        self.sources = sources
        self.triggers = triggers
        self.registry = registry
        self.ledger = ledger
    }
}

/// Whether this node takes calls.
package enum Readiness: Sendable {
    case ready
    /// Deployed functions are being loaded.
    case starting
    /// Calls in progress end; new ones are refused.
    case draining
}
