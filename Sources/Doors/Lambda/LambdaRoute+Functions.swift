import ControlPlane
import HTTPTypes

extension LambdaRoute {
    /// Functions, their code and configuration, versions and aliases.
    static let functions: [LambdaRoute] = [
        LambdaRoute(.post, "2015-03-31/functions", 201) { request async throws(LambdaError) in
            try await request.plane.createFunction(request.body)
        },
        LambdaRoute(.get, "2015-03-31/functions", 200) { request async throws(LambdaError) in
            try request.plane.listFunctions(try request.page(), allVersions: request.query("FunctionVersion") == "ALL")
        },
        LambdaRoute(.get, "2015-03-31/functions/*", 200) { request async throws(LambdaError) in
            try request.plane.getFunction(try request.function(), locator: request.locator)
        },
        LambdaRoute(.delete, "2015-03-31/functions/*", 204) { request async throws(LambdaError) in
            try await request.plane.deleteFunction(try request.function())
            return nil
        },
        LambdaRoute(.get, "2015-03-31/functions/*/configuration", 200) { request async throws(LambdaError) in
            try request.plane.getConfiguration(try request.function())
        },
        LambdaRoute(.put, "2015-03-31/functions/*/configuration", 200) { request async throws(LambdaError) in
            try await request.plane.updateConfiguration(try request.function(), request.body)
        },
        LambdaRoute(.put, "2015-03-31/functions/*/code", 200) { request async throws(LambdaError) in
            try await request.plane.updateCode(try request.function(), request.body)
        },
        LambdaRoute(.post, "2015-03-31/functions/*/versions", 201) { request async throws(LambdaError) in
            try await request.plane.publishVersion(try request.function(), request.body)
        },
        LambdaRoute(.get, "2015-03-31/functions/*/versions", 200) { request async throws(LambdaError) in
            try request.plane.listVersions(try request.function(), try request.page())
        },
        LambdaRoute(.post, "2015-03-31/functions/*/aliases", 201) { request async throws(LambdaError) in
            try await request.plane.createAlias(try request.function(), request.body)
        },
        LambdaRoute(.get, "2015-03-31/functions/*/aliases", 200) { request async throws(LambdaError) in
            try request.plane.listAliases(
                try request.function(),
                of: request.query("FunctionVersion"),
                try request.page()
            )
        },
        LambdaRoute(.get, "2015-03-31/functions/*/aliases/*", 200) { request async throws(LambdaError) in
            try request.plane.getAlias(try request.function(), request.parameters[1])
        },
        LambdaRoute(.put, "2015-03-31/functions/*/aliases/*", 200) { request async throws(LambdaError) in
            try await request.plane.updateAlias(try request.function(), request.parameters[1], request.body)
        },
        LambdaRoute(.delete, "2015-03-31/functions/*/aliases/*", 204) { request async throws(LambdaError) in
            try await request.plane.deleteAlias(try request.function(), request.parameters[1])
            return nil
        },
    ]
}
