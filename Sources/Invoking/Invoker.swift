package import Fleet
package import Logging
package import Metering
package import Registry
package import NIOCore
import Linux
import Manifests
import Scheduling
import Synchronization
package import Wire

/// The straight line of one call: name → version → receipt begun → worker → reply → receipt.
package final class Invoker: Sendable {
    private let registry: Registry
    private let fleet: Fleet
    private let ledger: Ledger
    private let bindings: FunctionBindings
    /// The status that a caller of HTTP gets for a failure; it stands in the receipt too.
    private let status: @Sendable (Failure, CallForm) -> Int
    private let logger: Logger
    private let gate: ConcurrencyGate
    private let targets = CallTargets()
    private let refusals = Mutex(SparseLog())

    package init(
        registry: Registry,
        fleet: Fleet,
        ledger: Ledger,
        bindings: FunctionBindings,
        logger: Logger,
        gate: ConcurrencyGate,
        status: @escaping @Sendable (Failure, CallForm) -> Int
    ) {
        self.registry = registry
        self.fleet = fleet
        self.ledger = ledger
        self.bindings = bindings
        self.logger = logger
        self.gate = gate
        self.status = status
    }

    /// What a door must know before it reads a call's body.
    package func bounds(function: String, qualifier: String?) throws(Failure) -> CallBounds {
        let target = try targets.target(function, qualifier, in: registry)
        return CallBounds(
            version: target.key.version,
            payloadBytesMax: target.payloadBytesMax,
            mayStream: target.version.manifest.runtime != .model
        )
    }

    /// Runs one call to its end, without a task and without a wait: what it takes is done here or in the completion.
    ///
    /// Every call passes here, whatever door, event or function it comes from, and so the function's reserved concurrency.
    ///
    /// - Parameters:
    ///   - loop: the event loop of the caller.
    ///   - completion: called once, on `loop`; before this returns where the call is refused.
    package func invoke(_ call: Call, on loop: any EventLoop, completion: @escaping @Sendable (Completion) -> Void) {
        guard gate.hasLimits else { return admit(call, on: loop, completion) }
        guard gate.enter(call.function) else {
            let refused = Completion.refused(.overloaded(retryAfterSeconds: 1))
            return loop.execute { completion(refused) }
        }
        let gate = gate
        admit(call, on: loop) { done in
            gate.leave(call.function)
            completion(done)
        }
    }

    private func admit(_ call: Call, on loop: any EventLoop, _ completion: @escaping @Sendable (Completion) -> Void) {
        let acceptedAt = Clock.wallNanoseconds()
        let id = call.identity?.id ?? InvocationID.generated(at: acceptedAt)
        let target: CallTarget
        do throws(Failure) {
            target = try targets.target(call.function, call.qualifier, in: registry)
            guard call.body.readableBytes <= target.payloadBytesMax else {
                throw .tooLarge(bytesMax: target.payloadBytesMax)
            }
            guard call.contentType.utf8.count <= WireLimits.contentTypeBytesMax else {
                throw .badInput("the content type has more than \(WireLimits.contentTypeBytesMax) bytes")
            }
        } catch {
            return completion(.refused(error, id: id))
        }
        let attempt = Attempt(
            id: id,
            number: call.identity?.attempt ?? 1,
            parent: call.parent?.id,
            function: target.key.function,
            version: target.key.version,
            snapshot: target.snapshotDigest,
            bytesIn: call.body.readableBytes,
            acceptedUnixNanoseconds: acceptedAt
        )
        run(call, attempt, on: target, loop, completion)
    }

    /// A program of an author's is told of every call in the same way, whatever the door.
    private static func form(of call: Call, _ attempt: Attempt, _ target: CallTarget) -> CallForm {
        guard target.isCode else { return call.form }
        var told = if case .lambda(let call) = call.form { call } else { LambdaCall() }
        if told.id.isEmpty { told.id = attempt.id.description }
        if told.functionARN.isEmpty { told.functionARN = target.functionARN }
        let begun = attempt.acceptedUnixNanoseconds / 1_000_000
        told.deadlineMilliseconds = begun + UInt64(target.timeoutMilliseconds)
        return .lambda(told)
    }

    /// What became of a version's calls since the node started.
    package func statistics(function: String, version: Int) -> CallStatistics {
        targets.statistics(of: PoolKey(function: function, version: version)) ?? CallStatistics()
    }

    /// Makes a version resident, and returns when it is: the next call finds its template built.
    ///
    /// It stays so while the resting memory has room for it, until ``unload(_:)``.
    package func load(_ version: FunctionVersion) async throws(Failure) {
        let refusal = await fleet.load(bindings.binding(of: version))
        if let refusal { throw .unavailable(refusal) }
    }

    /// Lets a version rest on the disk, once the calls that it has are finished.
    package func unload(_ version: FunctionVersion) throws(Failure) {
        guard version.manifest.scaling.min == 0 else {
            throw .unavailable("scaling.min keeps \(version.manifest.scaling.min) workers of \(version.function)")
        }
        fleet.unload(PoolKey(function: version.function, version: version.version))
    }

    /// Ends what rests of a function, so that what is started next reads its surroundings anew; calls under way are finished.
    package func refresh(_ function: String) {
        for version in (try? registry.versions(of: function)) ?? [] {
            fleet.unload(PoolKey(function: function, version: version.version))
        }
    }

    /// Makes every version that serves callable, so that functions with `scaling.min` have their workers.
    package func installServing() {
        for record in registry.list() {
            guard let version = try? registry.resolve(record.name) else { continue }
            fleet.announce(bindings.binding(of: version))
        }
    }

    /// Keeps so many workers of a function's versions, by their numbers, and none of its other versions.
    package func provision(_ function: String, _ workers: [Int: Int]) {
        for number in bindings.provision(function, workers) {
            guard let version = try? registry.resolve(function, qualifier: String(number)) else { continue }
            fleet.announce(bindings.binding(of: version))
        }
    }

    /// What every function holds at this moment.
    package func pools() -> PoolsReport {
        PoolsReport(names: registry.list().map(\.name), census: fleet.census())
    }

    /// Runs what a function calls in the middle of a call, as far as its manifest allows; nil where it names nobody.
    private func nestedRunner(
        for call: Call,
        _ attempt: Attempt,
        _ target: CallTarget,
        _ loop: any EventLoop
    ) -> NestedRunner? {
        let allowed = target.version.manifest.calls
        guard !allowed.isEmpty else { return nil }
        let parent = CallParent(id: attempt.id, depth: (call.parent?.depth ?? 0) + 1)
        return { [weak self] request, reply in
            guard let self else { return reply(.failure(.refused, message: "the node is shutting down")) }
            guard allowed.contains(request.function) else {
                let names = allowed.joined(separator: ", ")
                let message =
                    "\(target.key.function) may call \(names), not \(request.function) (calls in function.yaml)"
                return reply(.failure(.refused, message: message))
            }
            guard parent.depth < NestedCall.depthMax else {
                let message = "more than \(NestedCall.depthMax) functions call one another here"
                return reply(.failure(.refused, message: message))
            }
            var call = Call(function: request.function, contentType: request.contentType, body: request.body)
            call.parent = parent
            let nested = call
            loop.execute {
                self.invoke(nested, on: loop) { completion in reply(NestedReply(completion)) }
            }
        }
    }

    /// A ledger that is full or cannot be written refuses every call that comes.
    private func complain(of error: LedgerError) {
        guard let more = refusals.withLock({ $0.note(at: Clock.monotonicNanoseconds()) }) else { return }
        logger.error(
            "calls refused: no receipt could be begun",
            metadata: ["error": "\(error)", "refusedSinceLastLine": "\(more + 1)"]
        )
    }

    private func run(
        _ call: Call,
        _ attempt: Attempt,
        on target: CallTarget,
        _ loop: any EventLoop,
        _ completion: @escaping @Sendable (Completion) -> Void
    ) {
        let running: RunningCall
        do throws(LedgerError) {
            let form = call.form
            running = try RunningCall(attempt, target, ledger, { [status] in status($0, form) }, completion)
        } catch {
            complain(of: error)
            return completion(.refused(.unavailable("no receipt could be begun: \(error)"), id: attempt.id))
        }
        fleet.run(
            WorkOrder(
                key: target.key,
                contentType: call.contentType,
                form: Self.form(of: call, attempt, target),
                body: call.body,
                loop: loop,
                stream: call.stream.map { stream in
                    ReplyStream(begin: { stream.begin(attempt.id, $0) }, take: stream.take)
                },
                cancellation: call.cancellation?.work,
                nested: nestedRunner(for: call, attempt, target, loop)
            ),
            binding: { bindings.binding(of: target.version) },
            completion: { work in running.end(work) }
        )
    }
}

/// A call that was admitted: it owns the duty to write the receipt.
private final class RunningCall: Sendable {
    private let attempt: Attempt
    private let target: CallTarget
    /// Taken by the one who writes the receipt.
    private let slot: Mutex<LedgerSlot?>
    private let ledger: Ledger
    private let status: @Sendable (Failure) -> Int
    private let completion: @Sendable (Completion) -> Void

    init(
        _ attempt: Attempt,
        _ target: CallTarget,
        _ ledger: Ledger,
        _ status: @escaping @Sendable (Failure) -> Int,
        _ completion: @escaping @Sendable (Completion) -> Void
    ) throws(LedgerError) {
        slot = Mutex(try ledger.begin(attempt))
        self.attempt = attempt
        self.target = target
        self.ledger = ledger
        self.status = status
        self.completion = completion
    }

    /// The receipt first: whoever reads the reply finds it.
    func end(_ work: WorkResult) {
        let result = work.result.map { reply in
            Reply(contentType: reply.contentType, body: reply.body, streamedByteCount: reply.streamedByteCount)
        }.mapError { failure in
            Failure(
                failure,
                timeoutMilliseconds: target.timeoutMilliseconds,
                payloadBytesMax: target.payloadBytesMax
            )
        }
        let receipt = receipt(of: work, result)
        slot.withLock { slot in
            guard let taken = slot.take() else { preconditionFailure("the fleet answers a call once") }
            ledger.finish(taken, receipt)
        }
        count(work, receipt)
        completion(
            Completion(
                id: attempt.id,
                start: work.start,
                queueNanoseconds: work.queueNanoseconds,
                bindNanoseconds: work.bindNanoseconds,
                runNanoseconds: work.runNanoseconds,
                memoryBytesPeak: work.memoryBytesPeak,
                result: result
            )
        )
    }

    private func count(_ work: WorkResult, _ receipt: Receipt) {
        let wait = work.queueNanoseconds + work.bindNanoseconds
        target.counter.count { statistics in
            if receipt.outcome == .succeeded {
                statistics.succeeded += 1
                statistics.succeededNanoseconds += wait + work.runNanoseconds
                statistics.executions += work.batchIndex == 0 ? 1 : 0
                statistics.lastUnixNanoseconds = attempt.acceptedUnixNanoseconds
            } else {
                statistics.failed += 1
                statistics.failedNanoseconds += wait + work.runNanoseconds
            }
            statistics.waitNanoseconds += wait
            statistics.runNanoseconds += work.runNanoseconds
        }
    }

    private func receipt(of work: WorkResult, _ result: Result<Reply, Failure>) -> Receipt {
        var receipt = Receipt(attempt)
        receipt.start = work.start
        receipt.queueNanoseconds = work.queueNanoseconds
        receipt.bindNanoseconds = work.bindNanoseconds
        receipt.runNanoseconds = work.runNanoseconds
        receipt.cpuNanoseconds = work.cpuNanoseconds
        receipt.memoryBytesPeak = Int(clamping: work.memoryBytesPeak)
        receipt.batchSize = work.batchSize
        switch result {
        case .success(let reply):
            receipt.bytesOut = reply.streamedByteCount ?? reply.body.readableBytes
            receipt.outcome = .succeeded
            receipt.status = 200
        case .failure(let failure):
            receipt.outcome = work.isInterrupted ? .interrupted : failure.outcome
            receipt.reason = failure.reason
            receipt.status = status(failure)
        }
        return receipt
    }
}

extension NestedReply {
    fileprivate init(_ completion: Completion) {
        switch completion.result {
        case .success(let reply): self = .reply(WorkReply(contentType: reply.contentType, body: reply.body))
        case .failure(.function(let error)): self = .failure(.function, message: error)
        case .failure(let failure): self = .failure(.refused, message: failure.reason)
        }
    }
}
