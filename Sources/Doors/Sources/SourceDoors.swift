import ControlPlane
import Events
import Hummingbird

/// `GET /sources`: what feeds functions, and how far behind it is.
struct SourceDoors: Sendable {
    let services: DoorServices

    func open(_ router: Router<DoorContext>) {
        router.path("/sources", [.get: { _, _ in await list() }])
    }

    private func list() async -> Response {
        let sources = await services.sources().map { report in
            Source(
                id: report.mapping.uuid,
                function: report.mapping.function,
                qualifier: report.mapping.qualifier,
                source: report.mapping.shownSource,
                isEnabled: report.mapping.isEnabled,
                lastResult: report.status?.lastResult,
                batches: report.status?.batchCount,
                records: report.status?.recordCount,
                failed: report.status?.failedCount,
                filtered: report.status?.filteredCount,
                lag: report.lag
            )
        }
        return Response(Sources(sources: sources))
    }

    private struct Sources: Encodable {
        var sources: [Source]
    }

    /// Counts are since the node started or the mapping was changed.
    private struct Source: Encodable {
        var id: String
        var function: String
        var qualifier: String?
        var source: String
        var isEnabled: Bool
        var lastResult: String?
        var batches: Int?
        var records: Int?
        var failed: Int?
        var filtered: Int?
        var lag: Int?
    }
}
