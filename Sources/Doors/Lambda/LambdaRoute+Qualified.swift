import ControlPlane
import HTTPTypes

extension LambdaRoute {
    /// What hangs on a function or one of its qualifiers: permissions, concurrency, event invocations, URLs.
    static let qualified: [LambdaRoute] = [
        LambdaRoute(.post, "2015-03-31/functions/*/policy", 201) { request async throws(LambdaError) in
            try await request.plane.addPermission(try request.function(), request.body)
        },
        LambdaRoute(.get, "2015-03-31/functions/*/policy", 200) { request async throws(LambdaError) in
            try request.plane.getPolicy(try request.function())
        },
        LambdaRoute(.delete, "2015-03-31/functions/*/policy/*", 204) { request async throws(LambdaError) in
            try await request.plane.removePermission(
                try request.function(),
                request.parameters[1],
                revision: request.query("RevisionId")
            )
            return nil
        },
        LambdaRoute(.put, "2017-10-31/functions/*/concurrency", 200) { request async throws(LambdaError) in
            try await request.plane.putConcurrency(try request.function(), request.body)
        },
        LambdaRoute(.get, "2019-09-30/functions/*/concurrency", 200) { request async throws(LambdaError) in
            try request.plane.getConcurrency(try request.function())
        },
        LambdaRoute(.delete, "2017-10-31/functions/*/concurrency", 204) { request async throws(LambdaError) in
            try await request.plane.deleteConcurrency(try request.function())
            return nil
        },
        LambdaRoute(.put, "2019-09-30/functions/*/provisioned-concurrency", 202) { request async throws(LambdaError) in
            try await request.plane.putProvisioned(try request.function(), request.body)
        },
        LambdaRoute(.get, "2019-09-30/functions/*/provisioned-concurrency", 200) { request async throws(LambdaError) in
            // The same path and method for one of them and for all.
            request.query("List") == "ALL"
                ? try request.plane.listProvisioned(try request.function(), try request.page())
                : try request.plane.getProvisioned(try request.function())
        },
        LambdaRoute(.delete, "2019-09-30/functions/*/provisioned-concurrency", 204) {
            request async throws(LambdaError) in
            try await request.plane.deleteProvisioned(try request.function())
            return nil
        },
        LambdaRoute(.put, "2019-09-25/functions/*/event-invoke-config", 200) { request async throws(LambdaError) in
            try await request.plane.setEventInvoke(try request.function(), request.body, isReplacement: true)
        },
        LambdaRoute(.post, "2019-09-25/functions/*/event-invoke-config", 200) { request async throws(LambdaError) in
            try await request.plane.setEventInvoke(try request.function(), request.body, isReplacement: false)
        },
        LambdaRoute(.get, "2019-09-25/functions/*/event-invoke-config", 200) { request async throws(LambdaError) in
            try request.plane.getEventInvoke(try request.function())
        },
        LambdaRoute(.get, "2019-09-25/functions/*/event-invoke-config/list", 200) {
            request async throws(LambdaError) in
            try request.plane.listEventInvokes(try request.function(), try request.page())
        },
        LambdaRoute(.delete, "2019-09-25/functions/*/event-invoke-config", 204) { request async throws(LambdaError) in
            try await request.plane.deleteEventInvoke(try request.function())
            return nil
        },
        LambdaRoute(.post, "2021-10-31/functions/*/url", 201) { request async throws(LambdaError) in
            try await request.plane.createURL(try request.function(), request.body, origin: request.origin)
        },
        LambdaRoute(.get, "2021-10-31/functions/*/url", 200) { request async throws(LambdaError) in
            try request.plane.getURL(try request.function(), origin: request.origin)
        },
        LambdaRoute(.put, "2021-10-31/functions/*/url", 200) { request async throws(LambdaError) in
            try await request.plane.updateURL(try request.function(), request.body, origin: request.origin)
        },
        LambdaRoute(.delete, "2021-10-31/functions/*/url", 204) { request async throws(LambdaError) in
            try await request.plane.deleteURL(try request.function())
            return nil
        },
        LambdaRoute(.get, "2021-10-31/functions/*/urls", 200) { request async throws(LambdaError) in
            try request.plane.listURLs(try request.function(), try request.page(), origin: request.origin)
        },
    ]
}
