import HTTPTypes
import Hummingbird
import Metering

/// What calls cost: `GET /receipts/{id}` and `GET /receipts[?function=&last=]`.
struct ReceiptDoors: Sendable {
    let services: DoorServices

    func open(_ router: Router<DoorContext>) {
        router.path("/receipts", [.get: { request, _ in try await list(request) }])
        router.path("/receipts/:id", [.get: { _, context in try await receipt(context.parameters.get("id") ?? "") }])
    }

    /// The fields of the last attempt, and `attempts`: all of them.
    private func receipt(_ text: String) async throws -> Response {
        guard let id = InvocationID(text) else {
            throw Refusal.badInput("\"\(text.prefix(80))\" is not the id of an invocation, which is a UUID")
        }
        let attempts: [Receipt]
        do {
            attempts = try await services.ledger.attempts(of: id)
        } catch {
            throw Refusal.storage("\(error)")
        }
        guard let last = attempts.last else {
            throw Refusal(status: .notFound, code: "unknownReceipt", message: "there is no receipt of \(id)")
        }
        return Response(Attempts(last: last, attempts: attempts))
    }

    private func list(_ request: Request) async throws -> Response {
        let last = try request.count("last", in: 1...DoorLimits.rowsMax) ?? DoorLimits.receiptsDefault
        do {
            let receipts = try await services.ledger.receipts(function: request.query("function"), last: last)
            return Response(Receipts(receipts: receipts))
        } catch {
            throw Refusal.storage("\(error)")
        }
    }

    private struct Attempts: Encodable {
        var last: Receipt
        var attempts: [Receipt]

        private enum CodingKeys: CodingKey {
            case attempts
        }

        func encode(to encoder: any Encoder) throws {
            try last.encode(to: encoder)
            var container = encoder.container(keyedBy: CodingKeys.self)
            try container.encode(attempts, forKey: .attempts)
        }
    }

    private struct Receipts: Encodable {
        var receipts: [Receipt]
    }
}
