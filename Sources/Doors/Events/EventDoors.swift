import ControlPlane
import Events
import FoundationEssentials
import HTTPTypes
import Hummingbird
import Metering
import NIOCore
import Queues

/// Calls that nobody waits for: `POST /events?function=`, `GET /events/{id}`, `GET /events`, `POST /events/redrive`.
struct EventDoors: Sendable {
    let events: EventRunner

    func open(_ router: Router<DoorContext>) {
        router.path(
            "/events",
            [
                .get: { _, _ in try await list() },
                .post: { request, context in try await accept(request, context) },
            ]
        )
        router.path("/events/redrive", [.post: { request, _ in try await redrive(request) }])
        router.path("/events/:id", [.get: { _, context in try await event(context.parameters.get("id") ?? "") }])
    }

    /// 202 when it is on the disk.
    ///
    /// `key` makes a second one the first; `group` has those of one group run in turn.
    private func accept(_ request: Request, _ context: DoorContext) async throws -> Response {
        guard let function = request.query("function") else {
            throw Refusal.badInput("say which function: POST /events?function=NAME")
        }
        let body = try await AdmittedBody(of: request, context, bytesMax: EventRunner.bodyBytesMax).collect()
        let reference: FunctionReference
        do throws(LambdaError) {
            reference = try events.reference(function, qualifier: request.query("qualifier"))
        } catch {
            throw Refusal.unknownFunction(function)
        }
        do throws(EventRefusal) {
            let id = try await events.accept(
                reference,
                contentType: request.headers[.contentType] ?? "application/json",
                body: Array(body.readableBytesView),
                clientContext: "",
                origin: EventRunner.Origin(deduplicationKey: request.query("key"), groupKey: request.query("group"))
            )
            return Response(Accepted(id: id.description), status: .accepted)
        } catch {
            switch error {
            case .full:
                throw Refusal(
                    status: .tooManyRequests,
                    code: "queueFull",
                    message: error.description,
                    headers: [.retryAfter: "1"]
                )
            case .storage: throw Refusal.storage(error.description)
            }
        }
    }

    private func event(_ text: String) async throws -> Response {
        guard let id = InvocationID(text) else {
            throw Refusal.badInput("\"\(text.prefix(80))\" is not the id of an event, which is a UUID")
        }
        do throws(QueueError) {
            if let outcome = try await events.store.outcome(id) { return Response(Event(outcome)) }
            if let message = try await events.store.message(id) { return Response(Event(message)) }
        } catch {
            throw Refusal.storage(error.description)
        }
        throw Refusal(
            status: .notFound,
            code: "unknownEvent",
            message: "there is no event \(id), or its outcome is no longer kept"
        )
    }

    private func list() async throws -> Response {
        let now = Int64(Date.now.timeIntervalSince1970 * 1000)
        do throws(QueueError) {
            let queues = try await events.store.measureAll(now: now)
            let outcomes = try await events.store.outcomeCounts()
            return Response(
                Listing(queues: queues.map { Queue($0.0, $0.1, now: now) }, outcomes: outcomes)
            )
        } catch {
            throw Refusal.storage(error.description)
        }
    }

    /// Sends the calls of a function again that came to nothing: `?function=NAME`.
    private func redrive(_ request: Request) async throws -> Response {
        guard let function = request.query("function") else {
            throw Refusal.badInput("say which function: POST /events/redrive?function=NAME")
        }
        do throws(QueueError) {
            return Response(Redriven(moved: try await events.redrive(function)))
        } catch {
            throw Refusal.storage(error.description)
        }
    }

    private struct Accepted: Encodable {
        var id: String
    }

    private struct Redriven: Encodable {
        var moved: Int
    }

    private struct Listing: Encodable {
        var queues: [Queue]
        /// Of those whose outcomes are kept, by condition.
        var outcomes: [String: Int]
    }

    private struct Queue: Encodable {
        var kind: String
        var name: String
        var depth: Int
        var inFlight: Int
        var delayed: Int
        var oldestSeconds: Double?

        init(_ queue: StoredQueue, _ depth: QueueDepth, now: Int64) {
            kind = queue.address.kind.rawValue
            name = queue.address.name
            self.depth = depth.count
            inFlight = depth.inFlight
            delayed = depth.delayed
            oldestSeconds = depth.oldestUnixMilliseconds.map { Double(now - $0) / 1000 }
        }
    }

    private struct Event: Encodable {
        var id: String
        var function: String?
        /// `waiting`, `running` or `done`.
        var state: String
        var condition: String?
        var attempts: Int
        var acceptedUnixMilliseconds: Int64
        var endedUnixMilliseconds: Int64?
        var result: JSONValue?
        var note: String?

        init(_ message: Message) {
            id = message.id.description
            state = message.claim == 0 ? "waiting" : "running"
            attempts = message.attempts
            acceptedUnixMilliseconds = message.acceptedUnixMilliseconds
        }

        init(_ outcome: MessageOutcome) {
            id = outcome.id.description
            function = outcome.queue
            state = "done"
            condition = outcome.condition
            attempts = outcome.attempts
            acceptedUnixMilliseconds = outcome.acceptedUnixMilliseconds
            endedUnixMilliseconds = outcome.endedUnixMilliseconds
            result = outcome.result.map { JSONValue(parsing: $0) ?? .text(String(decoding: $0, as: UTF8.self)) }
            note = outcome.note
        }
    }
}
