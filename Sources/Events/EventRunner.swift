package import ControlPlane
import FoundationEssentials
package import Invoking
package import Logging
package import Metering
package import NIOCore
import Synchronization
import Wire

/// Runs the events of the queue: claims what is due, calls the function, and does what the policy decides.
///
/// Between events it has a timer for the next one that is due, and none where nothing waits.
package final class EventRunner: Sendable {
    package typealias Invoke =
        @Sendable (Call, any EventLoop, @escaping @Sendable (Completion) -> Void) -> Void

    private let queue: EventQueue
    private let plane: ControlPlane
    private let invoke: Invoke
    private let loop: any EventLoop
    private let retryMilliseconds: Int64
    private let logger: Logger
    private let unixMilliseconds: @Sendable () -> Int64
    private let state = Mutex(State())

    private struct State {
        var runningCount = 0
        var isPumping = false
        /// Something changed while it pumped.
        var mustPumpAgain = false
        var isStopped = false
        var timer: Scheduled<Void>?
    }

    /// Events that run at once: their functions' pools hold the rest back, this only bounds what lies in memory.
    private static let runningMax = 64
    /// What an event may bring.
    package static let bodyBytesMax = 1 << 20

    package init(
        queue: EventQueue,
        plane: ControlPlane,
        loop: any EventLoop,
        retrySeconds: Int,
        logger: Logger,
        unixMilliseconds: @escaping @Sendable () -> Int64 = { Int64(Date.now.timeIntervalSince1970 * 1000) },
        invoke: @escaping Invoke
    ) {
        self.queue = queue
        self.plane = plane
        self.invoke = invoke
        self.loop = loop
        retryMilliseconds = Int64(retrySeconds) * 1000
        self.logger = logger
        self.unixMilliseconds = unixMilliseconds
    }

    /// Accepts an event; it is on the disk when this returns, and runs soon.
    package func accept(
        _ reference: FunctionReference,
        contentType: String,
        body: [UInt8],
        clientContext: String
    ) async throws -> InvocationID {
        let event = event(reference, contentType: contentType, body: body, clientContext: clientContext)
        _ = try await accept(event) { [queue] isClaimed in
            try await queue.accept([event], isClaimed: isClaimed)
            return .accepted(event.id)
        }
        return event.id
    }

    /// Accepts an event that may have been handed in before; what is new is on the disk when this returns.
    package func accept(
        _ reference: FunctionReference,
        contentType: String,
        body: [UInt8],
        clientContext: String = "",
        id: InvocationID = .generated(),
        from origin: EventOrigin
    ) async throws -> EventAcceptance {
        let event = event(reference, contentType: contentType, body: body, clientContext: clientContext, id: id)
        return try await accept(event) { [queue] isClaimed in
            try await queue.accept(event, isClaimed: isClaimed, from: origin)
        }
    }

    private func event(
        _ reference: FunctionReference,
        contentType: String,
        body: [UInt8],
        clientContext: String,
        id: InvocationID = .generated()
    ) -> QueuedEvent {
        QueuedEvent(
            id: id,
            function: reference.name,
            qualifier: reference.qualifier,
            contentType: contentType,
            body: body,
            clientContext: clientContext,
            acceptedUnixMilliseconds: unixMilliseconds()
        )
    }

    /// Runs an event at once where there is room for it, when it has been written.
    private func accept(
        _ event: QueuedEvent,
        _ write: (_ isClaimed: Bool) async throws -> EventAcceptance
    ) async throws -> EventAcceptance {
        let mayRun = state.withLock { state in
            guard !state.isStopped, state.runningCount < Self.runningMax else { return false }
            state.runningCount += 1
            return true
        }
        var acceptance = EventAcceptance.known(nil)
        do {
            acceptance = try await write(mayRun)
        } catch {
            if mayRun { state.withLock { $0.runningCount -= 1 } }
            throw error
        }
        guard case .accepted = acceptance else {
            if mayRun { state.withLock { $0.runningCount -= 1 } }
            return acceptance
        }
        if mayRun {
            var first = event
            first.attempts = 1
            start(first)
        } else {
            pump()
        }
        return acceptance
    }

    /// How far each series of events has come.
    package func positions(ofSeriesBeginningWith prefix: String) async throws -> [String: Int64] {
        try await queue.positions(ofSeriesBeginningWith: prefix)
    }

    /// Forgets series that nothing counts on any more.
    package func forget(series names: [String]) async throws { try await queue.forget(series: names) }

    /// Takes up what an earlier scheduler left.
    package func resume() { pump() }

    /// Claims nothing more; what runs is finished or found again at the next start.
    package func stop() {
        state.withLock { state in
            state.isStopped = true
            state.timer?.cancel()
            state.timer = nil
        }
    }

    // MARK: The pump

    private func pump() {
        let mayBegin = state.withLock { state in
            if state.isPumping { state.mustPumpAgain = true }
            guard !state.isPumping, !state.isStopped else { return false }
            state.isPumping = true
            return true
        }
        guard mayBegin else { return }
        Task { await pumpUntilEmpty() }
    }

    private func pumpUntilEmpty() async {
        var isAgain = true
        while isAgain {
            state.withLock { $0.mustPumpAgain = false }
            do {
                try await claimDue()
            } catch {
                logger.error("events could not be claimed", metadata: ["error": "\(error)"])
            }
            isAgain = state.withLock { state in
                if !state.mustPumpAgain || state.isStopped { state.isPumping = false }
                return state.isPumping
            }
        }
    }

    private func claimDue() async throws {
        let room = state.withLock { Self.runningMax - $0.runningCount }
        if room > 0 {
            let events = try await queue.claim(countMax: room, nowUnixMilliseconds: unixMilliseconds())
            state.withLock { $0.runningCount += events.count }
            for event in events { start(event) }
            // A full claim says that there may be more.
            if events.count == room { return }
        }
        guard let due = try await queue.nextDueUnixMilliseconds() else { return }
        let wait = max(due - unixMilliseconds(), 1)
        state.withLock { state in
            state.timer?.cancel()
            guard !state.isStopped, state.runningCount < Self.runningMax else { return }
            state.timer = loop.scheduleTask(in: .milliseconds(wait)) { [weak self] in self?.pump() }
        }
    }

    private func start(_ event: QueuedEvent) {
        Task {
            let (outcome, label) = await run(event)
            await settle(event, outcome, executed: label)
            state.withLock { $0.runningCount -= 1 }
            pump()
        }
    }

    // MARK: One attempt

    private func run(_ event: QueuedEvent) async -> (EventOutcome, executed: String?) {
        let target: LambdaTarget
        do throws(LambdaError) {
            let reference = FunctionReference(name: event.function, qualifier: event.qualifier)
            target = try plane.target(of: reference, chance: Double.random(in: 0..<1))
        } catch {
            return (error.code == .resourceConflict ? .throttled : .gone(reason: error.message), nil)
        }
        guard !target.isStopped else { return (.stopped, nil) }
        var call = Call(
            function: target.registryName,
            qualifier: target.registryVersion.map(String.init),
            contentType: event.contentType,
            form: target.isCode
                ? .lambda(LambdaCall(functionARN: target.arn, clientContext: event.clientContext)) : .own,
            body: ByteBuffer(bytes: event.body)
        )
        call.identity = CallIdentity(id: event.id, attempt: event.receiptNumber)
        let completion = await withCheckedContinuation { continuation in
            loop.execute { [invoke, loop, call] in
                invoke(call, loop) { continuation.resume(returning: $0) }
            }
        }
        do throws(LambdaError) {
            let outcome = try LambdaOutcome(completion, isReserved: target.isReserved)
            let body = Array(outcome.body.readableBytesView)
            return (outcome.isFunctionError ? .failed(body: body) : .succeeded(body: body), target.label)
        } catch {
            return (error.code == .resourceNotFound ? .gone(reason: error.message) : .throttled, nil)
        }
    }

    private func settle(_ event: QueuedEvent, _ outcome: EventOutcome, executed label: String?) async {
        let function = plane.find(event.function)
        let config = function?.eventInvoke(event.qualifier)
        let policy = EventPolicy(
            retriesMax: config?.retriesMax ?? EventInvokeConfig.retriesDefault,
            ageMillisecondsMax: Int64(config?.ageSecondsMax ?? EventInvokeConfig.ageSecondsDefault) * 1000,
            retryMilliseconds: retryMilliseconds
        )
        let now = unixMilliseconds()
        do {
            switch policy.decide(event, outcome, nowUnixMilliseconds: now) {
            case .again(let due):
                var next = event
                if outcome == .throttled {
                    // It was claimed, and no worker saw it: the attempt is not counted.
                    next.attempts -= 1
                    next.throttles += 1
                }
                try await queue.sendBack(next, untilUnixMilliseconds: due)
            case .done(let condition):
                let record = EventRecord(event, outcome, condition, executed: label, nowUnixMilliseconds: now)
                let follower = self.follower(of: record, config?.destinations, function)
                try await queue.acknowledge(event.id, thenAccept: follower.map { [$0] } ?? [])
            }
        } catch {
            // Still claimed: found again at the next start.
            logger.error(
                "an event could not be settled",
                metadata: ["event": "\(event.id)", "error": "\(error)"]
            )
        }
    }

    /// The event that a destination gets, where it is a function of this node.
    private func follower(
        of record: EventRecord,
        _ destinations: JSONValue?,
        _ function: LambdaFunction?
    ) -> QueuedEvent? {
        let key = record.condition == .success ? "OnSuccess" : "OnFailure"
        let deadLetters = record.condition == .success ? nil : function?.deadLetterARN
        guard let arn = destinations?[key]?["Destination"]?.text ?? deadLetters else { return nil }
        guard let reference = try? plane.reference(arn) else {
            logger.warning(
                "an event's destination is not on this node",
                metadata: ["event": "\(record.event.id)", "destination": "\(arn)"]
            )
            return nil
        }
        let arnOfSource = plane.account.functionARN(record.event.function, record.event.qualifier ?? "$LATEST")
        return QueuedEvent(
            id: .generated(),
            function: reference.name,
            qualifier: reference.qualifier,
            body: record.document(functionARN: arnOfSource).bytes,
            acceptedUnixMilliseconds: unixMilliseconds()
        )
    }
}
