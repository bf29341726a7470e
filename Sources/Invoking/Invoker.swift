package import Fleet
package import Logging
package import Metering
package import Registry
import NIOCore
import Scheduling
import Wire
import Linux
import Manifests

/// The straight line of one call: name → version → receipt begun → worker → reply → receipt.
package final class Invoker: Sendable {
    private let registry: Registry
    private let fleet: Fleet
    private let ledger: Ledger
    private let bindings: FunctionBindings
    /// The status that a caller of HTTP gets for a failure; it stands in the receipt too.
    private let status: @Sendable (Failure) -> Int
    private let logger: Logger

    package init(
        registry: Registry,
        fleet: Fleet,
        ledger: Ledger,
        bindings: FunctionBindings,
        logger: Logger,
        status: @escaping @Sendable (Failure) -> Int
    ) {
        self.registry = registry
        self.fleet = fleet
        self.ledger = ledger
        self.bindings = bindings
        self.logger = logger
        self.status = status
    }

    /// The largest body that the function takes, so that a door can refuse a longer one before it is read.
    package func payloadBytesMax(function: String, qualifier: String?) throws(Failure) -> Int {
        try resolve(function, qualifier).manifest.limits.payloadBytes
    }

    /// Runs one call to its end.
    package func invoke(_ call: Call) async -> Completion {
        let id = InvocationID.generated()
        let version: FunctionVersion
        do throws(Failure) {
            version = try resolve(call.function, call.qualifier)
            guard call.body.readableBytes <= version.manifest.limits.payloadBytes else {
                throw .tooLarge(bytesMax: version.manifest.limits.payloadBytes)
            }
            guard call.contentType.utf8.count <= WireLimits.contentTypeBytesMax else {
                throw .badInput("the content type has more than \(WireLimits.contentTypeBytesMax) bytes")
            }
        } catch {
            return Completion(
                id: id,
                start: nil,
                queueNanoseconds: 0,
                bindNanoseconds: 0,
                runNanoseconds: 0,
                result: .failure(error)
            )
        }
        return await run(call, as: id, on: version)
    }

    /// Makes every version that serves callable, so that functions with `scaling.min` have their workers.
    package func installServing() {
        for record in registry.list() {
            guard let version = try? registry.resolve(record.name) else { continue }
            fleet.announce(bindings.binding(of: version))
        }
    }

    /// What every function holds at this moment.
    package func pools() -> PoolsReport {
        PoolsReport(names: registry.list().map(\.name), census: fleet.census())
    }

    private func resolve(_ function: String, _ qualifier: String?) throws(Failure) -> FunctionVersion {
        do throws(RegistryError) {
            return try registry.resolve(function, qualifier: qualifier)
        } catch {
            switch error {
            case .unknownFunction(let name): throw .unknownFunction(name)
            case .unknownQualifier(let function, let qualifier):
                throw .unknownQualifier(function: function, qualifier: qualifier)
            default: throw .unavailable("\(error)")
            }
        }
    }

    private func run(_ call: Call, as id: InvocationID, on version: FunctionVersion) async -> Completion {
        let attempt = Attempt(
            id: id,
            function: version.function,
            version: version.version,
            snapshot: version.snapshot.digest,
            bytesIn: call.body.readableBytes,
            acceptedUnixNanoseconds: Clock.wallNanoseconds()
        )
        let slot: LedgerSlot
        do throws(LedgerError) {
            slot = try ledger.begin(attempt)
        } catch {
            logger.error("call refused: its receipt could not be begun", metadata: ["error": "\(error)"])
            return Self.completion(of: Receipt(attempt), .failure(.unavailable("no receipt could be begun: \(error)")))
        }
        let key = PoolKey(function: version.function, version: version.version)
        if !fleet.isInstalled(key) { fleet.install(bindings.binding(of: version)) }
        let work = await fleet.run(WorkOrder(key: key, contentType: call.contentType, body: call.body))
        let limits = version.manifest.limits
        let result = work.result.map { Reply(contentType: $0.contentType, body: $0.body) }.mapError { failure in
            Failure(failure, timeoutMilliseconds: limits.timeoutMilliseconds, payloadBytesMax: limits.payloadBytes)
        }
        let receipt = ledger.finish(slot, receipt(attempt, work, result))
        return Self.completion(of: receipt, result)
    }

    private func receipt(_ attempt: Attempt, _ work: WorkResult, _ result: Result<Reply, Failure>) -> Receipt {
        var receipt = Receipt(attempt)
        receipt.start = work.start
        receipt.queueNanoseconds = work.queueNanoseconds
        receipt.bindNanoseconds = work.bindNanoseconds
        receipt.runNanoseconds = work.runNanoseconds
        receipt.cpuNanoseconds = work.cpuNanoseconds
        receipt.memoryBytesPeak = Int(clamping: work.memoryBytesPeak)
        switch result {
        case .success(let reply):
            receipt.bytesOut = reply.body.readableBytes
            receipt.outcome = .succeeded
            receipt.status = 200
        case .failure(let failure):
            receipt.outcome = work.isInterrupted ? .interrupted : failure.outcome
            receipt.reason = failure.reason
            receipt.status = status(failure)
        }
        return receipt
    }

    private static func completion(of receipt: Receipt, _ result: Result<Reply, Failure>) -> Completion {
        Completion(
            id: receipt.id,
            start: receipt.start,
            queueNanoseconds: receipt.queueNanoseconds,
            bindNanoseconds: receipt.bindNanoseconds,
            runNanoseconds: receipt.runNanoseconds,
            result: result
        )
    }
}
