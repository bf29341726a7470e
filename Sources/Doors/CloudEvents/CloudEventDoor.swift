import ControlPlane
import Events
import HTTPTypes
import Hummingbird
import Invoking
import Metering
import NIOCore

/// `POST /functions/{name}/events`: CloudEvents in all three modes, for a function that nobody waits for; `OPTIONS` is the
/// handshake of their webhooks.
struct CloudEventDoor: Sendable {
    let lambda: LambdaServices

    /// Events of one request, all together.
    static let bodyBytesMax = 4 << 20
    /// For so long an event of the same source and id is the same event.
    static let dedupMilliseconds: Int64 = 24 * 3600 * 1000

    func open(_ router: Router<DoorContext>) {
        router.path(
            "/functions/:name/events",
            [
                .post: { request, context in try await accept(request, context) },
                .options: { request, context in try await shakeHands(request, context) },
            ]
        )
    }

    // MARK: Events in

    private func accept(_ request: Request, _ context: DoorContext) async throws -> Response {
        let (reference, target) = try await target(context)
        let body = try await AdmittedBody(of: request, context, bytesMax: Self.bodyBytesMax).collect()
        let message = CloudEventMessage(
            fields: request.headers.map { (name: $0.name.rawName, value: $0.value) },
            contentType: request.headers[.contentType],
            body: Array(body.readableBytesView)
        )
        let events: [(event: CloudEvent, structured: [UInt8])]
        do throws(CloudEventError) {
            events = try message.events()
        } catch {
            guard error.isUnsupported else { throw Refusal.badInput(error.description) }
            throw Refusal(status: .unsupportedMediaType, code: "unsupportedMediaType", message: error.description)
        }
        let calls = try events.map { try Self.call($0.event, $0.structured, isCode: target.isCode) }
        // Handed in together, so that the queue can write them together; answered in their order.
        let accepted = try await withThrowingTaskGroup { group in
            for (index, call) in calls.enumerated() {
                group.addTask { (index, try await accept(call, of: events[index].event, reference)) }
            }
            var accepted = [Accepted?](repeating: nil, count: calls.count)
            for try await (index, row) in group { accepted[index] = row }
            return accepted.compactMap { $0 }
        }
        return Response(Batch(events: accepted), status: .accepted)
    }

    private func accept(
        _ call: (contentType: String, body: [UInt8]),
        of event: CloudEvent,
        _ reference: FunctionReference
    ) async throws -> Accepted {
        let id = InvocationID.generated()
        let origin = EventRunner.Origin(
            id: id,
            // A source has no line's end in it.
            deduplicationKey: "cloudevents/\(event.source)\n\(event.id)",
            deduplicationMilliseconds: Self.dedupMilliseconds,
            trigger: "cloudevent:\(event.type)"
        )
        do throws(EventRefusal) {
            let accepted = try await lambda.events.accept(
                reference,
                contentType: call.contentType,
                body: call.body,
                clientContext: "",
                origin: origin
            )
            return Accepted(event, accepted, isKnown: accepted != id)
        } catch {
            // What was accepted of a batch is known when it is sent again.
            throw Refusal(error)
        }
    }

    /// A program is given the event, a model its data.
    private static func call(
        _ event: CloudEvent,
        _ structured: [UInt8],
        isCode: Bool
    ) throws(Refusal) -> (contentType: String, body: [UInt8]) {
        let call: (contentType: String, body: [UInt8])
        if isCode {
            call = ("application/cloudevents+json", structured)
        } else {
            let message = event.binary
            call = (message.contentType ?? "application/octet-stream", message.body)
        }
        guard call.body.count <= EventRunner.bodyBytesMax else { throw .tooLarge(bytesMax: EventRunner.bodyBytesMax) }
        return call
    }

    private func target(_ context: DoorContext) async throws -> (FunctionReference, LambdaTarget) {
        let name = context.parameters.get("name") ?? ""
        do throws(LambdaError) {
            let reference = try lambda.plane.reference(lambda.plane.name(ofRegistry: name))
            return (reference, try lambda.plane.target(of: reference, chance: Double.random(in: 0..<1)))
        } catch {
            guard error.code == .resourceConflict else { throw Refusal.unknownFunction(name) }
            throw Refusal.unavailable(error.message)
        }
    }

    private struct Batch: Encodable {
        var events: [Accepted]
    }

    /// What became of one event of a request.
    private struct Accepted: Encodable {
        var source: String
        var id: String
        /// Of its call, as in receipts.
        var invocation: String
        /// It had come before, and is not run again.
        var isKnown: Bool

        init(_ event: CloudEvent, _ invocation: InvocationID, isKnown: Bool) {
            source = event.source
            id = event.id
            self.invocation = invocation.description
            self.isKnown = isKnown
        }
    }

    // MARK: The handshake

    private static let requestOrigin = LambdaReply.name("WebHook-Request-Origin")
    private static let allowedOrigin = LambdaReply.name("WebHook-Allowed-Origin")
    private static let allowedRate = LambdaReply.name("WebHook-Allowed-Rate")

    /// Whoever may ask this node at all may deliver to it, as often as it likes: the queue is what bounds.
    private func shakeHands(_ request: Request, _ context: DoorContext) async throws -> Response {
        _ = try await target(context)
        var fields = HTTPFields()
        fields[.allow] = "OPTIONS, POST"
        if let origin = request.headers[Self.requestOrigin] {
            fields[Self.allowedOrigin] = origin
            fields[Self.allowedRate] = "*"
        }
        return Response(status: .ok, headers: fields, body: ResponseBody())
    }
}
