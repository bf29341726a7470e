import ControlPlane
import HTTPTypes
import Schedules

/// The operations of EventBridge Scheduler, whose paths have no date before them.
extension LambdaRoute {
    /// Whether a path is that API's; tags are those of groups.
    static func isOfSchedules(_ path: LambdaPath) -> Bool {
        switch path.segments.first {
        case "schedules", "schedule-groups": true
        case "tags": path.segments.count == 2 && path.segments[1].hasPrefix("arn:aws:scheduler:")
        default: false
        }
    }

    static let schedules: [LambdaRoute] = [
        LambdaRoute(.post, "schedules/*", 200) { request async throws(LambdaError) in
            try await request.schedules.create(request.parameters[0], request.body)
        },
        LambdaRoute(.get, "schedules/*", 200) { request async throws(LambdaError) in
            try await request.schedules.get(request.parameters[0], group: request.query("groupName"))
        },
        LambdaRoute(.put, "schedules/*", 200) { request async throws(LambdaError) in
            try await request.schedules.update(request.parameters[0], request.body)
        },
        LambdaRoute(.delete, "schedules/*", 200) { request async throws(LambdaError) in
            try await request.schedules.delete(request.parameters[0], group: request.query("groupName"))
            return [:]
        },
        LambdaRoute(.get, "schedules", 200) { request async throws(LambdaError) in
            try await request.schedules.list(
                group: request.query("ScheduleGroup"),
                prefix: request.query("NamePrefix"),
                state: request.query("State"),
                token: request.query("NextToken"),
                countMax: try request.resultsMax()
            )
        },
        LambdaRoute(.post, "schedule-groups/*", 200) { request async throws(LambdaError) in
            try await request.schedules.createGroup(request.parameters[0], request.body)
        },
        LambdaRoute(.get, "schedule-groups/*", 200) { request async throws(LambdaError) in
            try await request.schedules.getGroup(request.parameters[0])
        },
        LambdaRoute(.delete, "schedule-groups/*", 200) { request async throws(LambdaError) in
            try await request.schedules.deleteGroup(request.parameters[0])
            return [:]
        },
        LambdaRoute(.get, "schedule-groups", 200) { request async throws(LambdaError) in
            try await request.schedules.listGroups(
                prefix: request.query("NamePrefix"),
                token: request.query("NextToken"),
                countMax: try request.resultsMax()
            )
        },
        LambdaRoute(.get, "tags/*", 200) { request async throws(LambdaError) in
            try await request.schedules.listTags(request.parameters[0])
        },
        LambdaRoute(.post, "tags/*", 200) { request async throws(LambdaError) in
            try await request.schedules.tag(request.parameters[0], request.body)
            return [:]
        },
        LambdaRoute(.delete, "tags/*", 200) { request async throws(LambdaError) in
            let keys = request.query.filter { $0.name == "TagKeys" }.map(\.value)
            try await request.schedules.untag(request.parameters[0], keys)
            return [:]
        },
    ]
}

extension LambdaRequest {
    /// Rows of a page of schedules or groups.
    fileprivate func resultsMax() throws(LambdaError) -> Int {
        guard let text = query("MaxResults") else { return 100 }
        guard let count = Int(text), (1...100).contains(count) else {
            throw .constraint(text, at: "maxResults", "Member must have value between 1 and 100")
        }
        return count
    }
}
