package import ControlPlane
import FoundationEssentials
package import Invoking
import Linux
package import Logging
package import Metering
package import NIOCore
package import Queues
import Synchronization

/// Runs the events of the queue: claims what is due, calls the function, and does what the policy decides.
///
/// Between events it has a timer for the next one that is due, and none where nothing waits.
package final class EventRunner: Sendable {
    package typealias Invoke =
        @Sendable (Call, any EventLoop, @escaping @Sendable (Completion) -> Void) -> Void

    package let store: MessageStore
    private let plane: ControlPlane
    private let caller: FunctionCaller
    private let loop: any EventLoop
    private let settings: Settings
    private let logger: Logger
    private let unixMilliseconds: @Sendable () -> Int64
    private let calls: MessagePump
    private let deliveries: MessagePump
    /// Knows the pumps, which are made with a closure that reaches back here.
    private let back: WeakRunner

    package struct Settings: Sendable {
        /// Before an event that failed is tried again; twice as long before the third time.
        package var retrySeconds: Int
        /// Events that may wait for one function; one more is refused.
        package var depthMax: Int

        package init(retrySeconds: Int, depthMax: Int = QueueSettings.depthDefault) {
            self.retrySeconds = retrySeconds
            self.depthMax = depthMax
        }
    }

    /// Events that run at once: their functions' pools hold the rest back, this only bounds what lies in memory.
    ///
    /// Half of them may be of one function, so that one that hangs leaves room for the others.
    private static let callLimits = MessagePump.Limits(runningMax: 64, runningOfQueueMax: 32)
    /// Deliveries wait for machines of others most of the time.
    private static let deliveryLimits = MessagePump.Limits(runningMax: 16, runningOfQueueMax: 4)
    /// What an event may bring.
    package static let bodyBytesMax = 1 << 20
    /// Of a result, what is kept with the outcome.
    static let resultBytesMax = 256 << 10
    /// A chain of events, each the result of the one before, ends here: longer ones go round in a circle.
    package static let hopsMax = 16
    /// In one step on the disk.
    private static let redriveCount = 500

    private final class WeakRunner: Sendable {
        private let held = Mutex<Held>(Held())

        private struct Held {
            weak var runner: EventRunner?
        }

        var runner: EventRunner? {
            get { held.withLock { $0.runner } }
            set { held.withLock { $0.runner = newValue } }
        }
    }

    /// - Parameter deliver: sends something outside; false where it could not be delivered now.
    package init(
        store: MessageStore,
        plane: ControlPlane,
        loop: any EventLoop,
        settings: Settings,
        logger: Logger,
        unixMilliseconds: @escaping @Sendable () -> Int64 = { Int64(Date.now.timeIntervalSince1970 * 1000) },
        deliver: @escaping @Sendable (Delivery) async -> DeliveryOutcome,
        invoke: @escaping Invoke
    ) {
        self.store = store
        self.plane = plane
        caller = FunctionCaller(plane: plane, loop: loop, invoke: invoke)
        self.loop = loop
        self.settings = settings
        self.logger = logger
        self.unixMilliseconds = unixMilliseconds
        let back = WeakRunner()
        calls = MessagePump(
            store: store,
            kind: .function,
            limits: Self.callLimits,
            loop: loop,
            logger: logger,
            unixMilliseconds: unixMilliseconds
        ) { function, message in
            await back.runner?.attempt(QueuedEvent(message, function: function), message.handle)
        }
        deliveries = MessagePump(
            store: store,
            kind: .delivery,
            limits: Self.deliveryLimits,
            loop: loop,
            logger: logger,
            unixMilliseconds: unixMilliseconds
        ) { _, message in
            await back.runner?.deliver(message, by: deliver)
        }
        self.back = back
        back.runner = self
    }

    /// What may be said of an event beside what it brings.
    package struct Origin: Sendable {
        /// From outside; an event of this id that is there, or was within the window of outcomes, is not accepted again.
        package var id: InvocationID?
        /// Within the window, a second event of this key is the first one.
        package var deduplicationKey: String?
        /// Events of one key run one after another, in the order of acceptance.
        package var groupKey: String?
        package var trigger: String?
        package var delayMilliseconds: Int64?
        package var hops: Int?

        package init(
            id: InvocationID? = nil,
            deduplicationKey: String? = nil,
            groupKey: String? = nil,
            trigger: String? = nil,
            delayMilliseconds: Int64? = nil,
            hops: Int? = nil
        ) {
            self.id = id
            self.deduplicationKey = deduplicationKey
            self.groupKey = groupKey
            self.trigger = trigger
            self.delayMilliseconds = delayMilliseconds
            self.hops = hops
        }
    }

    /// Accepts an event; it is on the disk when this returns, and runs soon.
    ///
    /// - Returns: its id; of an event that was accepted before, that one's.
    package func accept(
        _ reference: FunctionReference,
        contentType: String,
        body: [UInt8],
        clientContext: String,
        origin: Origin = Origin()
    ) async throws(EventRefusal) -> InvocationID {
        let content = QueuedEvent.Content(
            qualifier: reference.qualifier,
            contentType: contentType,
            clientContext: clientContext,
            trigger: origin.trigger,
            hops: origin.hops
        )
        let draft = MessageDraft(
            id: origin.id ?? .generated(),
            body: body,
            attributes: content.text,
            groupKey: origin.groupKey,
            deduplicationKey: origin.deduplicationKey,
            delayMilliseconds: origin.delayMilliseconds,
            isIDGiven: origin.id != nil
        )
        KillPoint.pass("accept.begin")
        // What has to wait for its time or its turn is claimed when that has come.
        let mayRun = origin.groupKey == nil && (origin.delayMilliseconds ?? 0) == 0 && calls.reserve(reference.name)
        let result: PublishResult
        do throws(QueueError) {
            result = try await store.publish(
                draft,
                to: MessageAddress(.function, reference.name),
                depthMax: settings.depthMax,
                isClaimed: mayRun,
                now: unixMilliseconds()
            )
        } catch {
            if mayRun { calls.release(reference.name) }
            throw .storage(error.description)
        }
        KillPoint.pass("accept.stored")
        if case .claimed(let message) = result {
            calls.start(reference.name, message)
            return draft.id
        }
        if mayRun { calls.release(reference.name) }
        switch result {
        case .full(let depthMax): throw .full(function: reference.name, depthMax: depthMax)
        case .duplicate(let id): return id
        case .accepted, .claimed:
            calls.pump()
            return draft.id
        }
    }

    /// Takes up what an earlier scheduler left.
    package func resume() {
        calls.pump()
        deliveries.pump()
    }

    /// Claims nothing more; what runs is finished or found again at the next start.
    package func stop() {
        calls.stop()
        deliveries.stop()
    }

    /// - Throws: where there is no such function, or the name is none.
    package func reference(_ function: String, qualifier: String?) throws(LambdaError) -> FunctionReference {
        let reference = try plane.reference(function, qualifier: qualifier)
        do throws(LambdaError) {
            _ = try plane.target(of: reference, chance: 0)
        } catch {
            // One that is being made can wait for it.
            guard error.code == .resourceConflict else { throw error }
        }
        return reference
    }

    /// Sends the calls of a function again that came to nothing, under new ids.
    ///
    /// - Returns: how many.
    package func redrive(_ function: String) async throws(QueueError) -> Int {
        guard let letters = try await store.queue(MessageAddress(.deadLetter, function)) else { return 0 }
        var (count, moved) = (0, 0)
        repeat {
            moved = try await store.redrive(
                letters,
                to: nil,
                originKind: .function,
                isRenamed: true,
                countMax: Self.redriveCount,
                now: unixMilliseconds()
            )
            count += moved
        } while moved == Self.redriveCount
        calls.pump()
        return count
    }

    // MARK: One attempt

    private func attempt(_ event: QueuedEvent, _ handle: MessageHandle) async {
        KillPoint.pass("run.begin")
        let (outcome, label) = await caller.call(
            FunctionReference(name: event.function, qualifier: event.content.qualifier),
            contentType: event.content.contentType,
            clientContext: event.content.clientContext,
            body: event.body,
            identity: CallIdentity(id: event.id, attempt: event.receiptNumber)
        )
        KillPoint.pass("run.end")
        await settle(event, handle, outcome, executed: label)
    }

    private func settle(
        _ event: QueuedEvent,
        _ handle: MessageHandle,
        _ outcome: EventOutcome,
        executed label: String?
    ) async {
        let function = plane.find(event.function)
        let config = function?.eventInvoke(event.content.qualifier)
        let policy = EventPolicy(
            retriesMax: config?.retriesMax ?? EventInvokeConfig.retriesDefault,
            ageMillisecondsMax: Int64(config?.ageSecondsMax ?? EventInvokeConfig.ageSecondsDefault) * 1000,
            retryMilliseconds: Int64(settings.retrySeconds) * 1000
        )
        let now = unixMilliseconds()
        let chance = Double.random(in: 0..<1)
        let settlement: Settlement
        switch policy.decide(event, outcome, nowUnixMilliseconds: now, chance: chance) {
        case .again(let due):
            // Where it was throttled it was claimed, and no worker saw it: the attempt is not counted.
            let isThrottled = outcome == .throttled
            settlement = Settlement(
                handle,
                .again(
                    atUnixMilliseconds: due,
                    attempts: event.attempts - (isThrottled ? 1 : 0),
                    throttles: event.throttles + (isThrottled ? 1 : 0)
                )
            )
        case .done(let condition):
            let record = EventRecord(event, outcome, condition, executed: label, nowUnixMilliseconds: now)
            settlement = final(record, handle, config?.destinations, function)
        }
        await settleUntilDone(settlement, event.id)
        if settlement.followers.contains(where: { $0.0.kind == .delivery }) { deliveries.pump() }
    }

    /// The end of an event, with what it leads to.
    private func final(
        _ record: EventRecord,
        _ handle: MessageHandle,
        _ destinations: JSONValue?,
        _ function: LambdaFunction?
    ) -> Settlement {
        let event = record.event
        let targets = EventDestinations(plane: plane, hopsMax: Self.hopsMax)
        let following = targets.follow(record, destinations, deadLetterARN: function?.deadLetterARN)
        let body = record.outcome.body
        let kept = body.flatMap { $0.count <= Self.resultBytesMax ? $0 : nil }
        var notes = following.notes
        if let body, kept == nil { notes.append("its result of \(body.count) bytes is not kept") }
        if case .gone(let reason) = record.outcome { notes.append(reason) }
        let outcome = MessageOutcome(
            id: event.id,
            queue: event.function,
            condition: record.condition.rawValue,
            attempts: event.attempts,
            acceptedUnixMilliseconds: event.acceptedUnixMilliseconds,
            endedUnixMilliseconds: unixMilliseconds(),
            result: kept,
            note: notes.isEmpty ? nil : notes.joined(separator: "; ")
        )
        for note in following.notes {
            logger.warning(
                "an event's result did not arrive as it was",
                metadata: ["event": "\(event.id)", "reason": "\(note)"]
            )
        }
        let isLost = record.condition != .success && following.followers.isEmpty
        return Settlement(
            handle,
            isLost ? .bury(MessageAddress(.deadLetter, event.function)) : .acknowledge,
            outcome: outcome,
            followers: following.followers
        )
    }

    /// Tries until it is on the disk: an event whose end is not known is run again, which the disk's being full is no reason for.
    private func settleUntilDone(_ settlement: Settlement, _ id: InvocationID) async {
        var waitMilliseconds: Int64 = 100
        while !calls.isStopped {
            do throws(QueueError) {
                _ = try await store.settle([settlement], now: unixMilliseconds())
                KillPoint.pass("run.settled")
                return
            } catch {
                logger.error("an event could not be settled", metadata: ["event": "\(id)", "error": "\(error)"])
                try? await loop.scheduleTask(in: .milliseconds(waitMilliseconds)) {}.futureResult.get()
                waitMilliseconds = min(waitMilliseconds * 2, 30_000)
            }
        }
    }

    // MARK: What is sent outside

    private func deliver(_ message: Queues.Message, by deliver: @Sendable (Delivery) async -> DeliveryOutcome) async {
        KillPoint.pass("deliver.begin")
        guard let place = Delivery.Place(message.attributes) else {
            return await settleUntilDone(Settlement(message.handle, .acknowledge), message.id)
        }
        let outcome = await deliver(Delivery(id: message.id, place: place, body: message.body))
        KillPoint.pass("deliver.end")
        let now = unixMilliseconds()
        let settlement = DeliveryPolicy.settle(message, place, outcome, nowUnixMilliseconds: now)
        await settleUntilDone(settlement, message.id)
    }
}

/// Why an event was not accepted; nothing of it was kept.
package enum EventRefusal: Error, Equatable, CustomStringConvertible {
    case full(function: String, depthMax: Int)
    case storage(String)

    package var description: String {
        switch self {
        case .full(let function, let depthMax):
            "\(depthMax) events wait for \(function), which is all that may; try again when some have run"
        case .storage(let reason): "the event could not be stored: \(reason)"
        }
    }
}
