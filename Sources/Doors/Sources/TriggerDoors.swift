import Hummingbird
import Schedules

/// `GET /triggers`: when functions are called without anybody who calls.
struct TriggerDoors: Sendable {
    let services: DoorServices

    func open(_ router: Router<DoorContext>) {
        router.path("/triggers", [.get: { _, _ in try await list() }])
    }

    private func list() async throws -> Response {
        do {
            return Response(Triggers(schedules: try await services.triggers(DoorLimits.rowsMax)))
        } catch {
            throw Refusal.storage("\(error)")
        }
    }

    private struct Triggers: Encodable {
        var schedules: [ScheduleService.Trigger]
    }
}
