import ControlPlane
import HTTPTypes

extension LambdaRoute {
    static let mappings: [LambdaRoute] = [
        LambdaRoute(.post, "2015-03-31/event-source-mappings", 202) { request async throws(LambdaError) in
            try await request.plane.createMapping(request.body)
        },
        LambdaRoute(.get, "2015-03-31/event-source-mappings", 200) { request async throws(LambdaError) in
            try request.plane.listMappings(
                function: request.query("FunctionName"),
                source: request.query("EventSourceArn"),
                try request.page()
            )
        },
        LambdaRoute(.get, "2015-03-31/event-source-mappings/*", 200) { request async throws(LambdaError) in
            try request.plane.getMapping(request.parameters[0])
        },
        LambdaRoute(.put, "2015-03-31/event-source-mappings/*", 202) { request async throws(LambdaError) in
            try await request.plane.updateMapping(request.parameters[0], request.body)
        },
        LambdaRoute(.delete, "2015-03-31/event-source-mappings/*", 202) { request async throws(LambdaError) in
            try await request.plane.deleteMapping(request.parameters[0])
        },
    ]

    static let layers: [LambdaRoute] = [
        LambdaRoute(.get, "2018-10-31/layers", 200) { request async throws(LambdaError) in
            // The same path and method for a version by its ARN and for the list.
            if request.query("find") == "LayerVersion", let arn = request.query("Arn") {
                return try request.plane.getLayer(arn: arn, locator: request.locator)
            }
            return try request.plane.listLayers(runtime: request.query("CompatibleRuntime"), try request.page())
        },
        LambdaRoute(.post, "2018-10-31/layers/*/versions", 201) { request async throws(LambdaError) in
            try await request.plane.publishLayer(request.parameters[0], request.body, locator: request.locator)
        },
        LambdaRoute(.get, "2018-10-31/layers/*/versions", 200) { request async throws(LambdaError) in
            try request.plane.listLayerVersions(
                request.parameters[0],
                runtime: request.query("CompatibleRuntime"),
                try request.page()
            )
        },
        LambdaRoute(.get, "2018-10-31/layers/*/versions/*", 200) { request async throws(LambdaError) in
            try request.plane.getLayer(request.parameters[0], request.parameters[1], locator: request.locator)
        },
        LambdaRoute(.delete, "2018-10-31/layers/*/versions/*", 204) { request async throws(LambdaError) in
            try await request.plane.deleteLayer(request.parameters[0], request.parameters[1])
            return nil
        },
        LambdaRoute(.post, "2018-10-31/layers/*/versions/*/policy", 201) { request async throws(LambdaError) in
            try await request.plane.addLayerPermission(request.parameters[0], request.parameters[1], request.body)
        },
        LambdaRoute(.get, "2018-10-31/layers/*/versions/*/policy", 200) { request async throws(LambdaError) in
            try request.plane.layerPolicy(request.parameters[0], request.parameters[1])
        },
        LambdaRoute(.delete, "2018-10-31/layers/*/versions/*/policy/*", 204) { request async throws(LambdaError) in
            try await request.plane.removeLayerPermission(
                request.parameters[0],
                request.parameters[1],
                request.parameters[2]
            )
            return nil
        },
    ]

    /// Tags and the account, and what clients read on their way to something else.
    static let others: [LambdaRoute] = [
        LambdaRoute(.get, "2016-08-19/account-settings", 200) { request async throws(LambdaError) in
            request.plane.accountSettings()
        },
        LambdaRoute(.get, "2017-03-31/tags/*", 200) { request async throws(LambdaError) in
            try request.plane.listTags(request.parameters[0])
        },
        LambdaRoute(.post, "2017-03-31/tags/*", 204) { request async throws(LambdaError) in
            try await request.plane.tag(request.parameters[0], request.body)
            return nil
        },
        LambdaRoute(.delete, "2017-03-31/tags/*", 204) { request async throws(LambdaError) in
            let keys = request.query.filter { $0.name == "tagKeys" }.map(\.value)
            try await request.plane.untag(request.parameters[0], keys)
            return nil
        },
        LambdaRoute(.get, "2024-08-31/functions/*/recursion-config", 200) { request async throws(LambdaError) in
            try request.plane.recursion(try request.function())
        },
        LambdaRoute(.put, "2024-08-31/functions/*/recursion-config", 200) { request async throws(LambdaError) in
            try await request.plane.setRecursion(try request.function(), request.body)
        },
        LambdaRoute(.get, "2021-07-20/functions/*/runtime-management-config", 200) {
            request async throws(LambdaError) in
            try request.plane.runtimeManagement(try request.function())
        },
        LambdaRoute(.put, "2021-07-20/functions/*/runtime-management-config", 200) {
            request async throws(LambdaError) in
            try await request.plane.setRuntimeManagement(try request.function(), request.body)
        },
        LambdaRoute(.get, "2025-11-30/functions/*/function-scaling-config", 200) { request async throws(LambdaError) in
            try request.plane.scalingConfig(try request.function())
        },
        LambdaRoute(.put, "2025-11-30/functions/*/function-scaling-config", 202) { request async throws(LambdaError) in
            try await request.plane.setScalingConfig(try request.function(), request.body)
        },
        LambdaRoute(.get, "2020-06-30/functions/*/code-signing-config", 200) { request async throws(LambdaError) in
            try request.plane.codeSigning(try request.function())
        },
        LambdaRoute(.get, "2020-04-22/code-signing-configs", 200) { _ async throws(LambdaError) in
            ["CodeSigningConfigs": .array([])]
        },
        LambdaRoute(.get, "2025-11-30/capacity-providers", 200) { _ async throws(LambdaError) in
            ["CapacityProviders": .array([])]
        },
        LambdaRoute(.get, "2025-12-01/functions/*/durable-executions", 200) { request async throws(LambdaError) in
            _ = try request.plane.getConfiguration(try request.function())
            return ["DurableExecutions": .array([])]
        },
    ]
}
