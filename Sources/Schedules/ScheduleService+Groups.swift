package import ControlPlane

extension ScheduleService {
    package func createGroup(_ name: String, _ fields: RequestFields) async throws(LambdaError) -> JSONValue {
        try ScheduleRequest.check(name, "name")
        var made = ScheduleGroup(name: name, created: now(), modified: now())
        made.tags = try Self.tags(fields)
        made.clientToken = try fields.text("ClientToken", charactersMax: 64)
        let group = made
        guard name != Schedule.groupDefault else { throw Self.groupExists(name) }
        _ = try await storage { [store] in
            try await store.changeGroup(name) { stored in
                if let stored {
                    if let token = stored.clientToken, token == group.clientToken { return }
                    throw Self.groupExists(name)
                }
                stored = group
            }
        }
        return ["ScheduleGroupArn": .text(group.arn(in: account))]
    }

    package func getGroup(_ name: String) async throws(LambdaError) -> JSONValue {
        document(try await existingGroup(name))
    }

    /// Deletes a group and its schedules.
    package func deleteGroup(_ name: String) async throws(LambdaError) {
        guard name != Schedule.groupDefault else {
            throw LambdaError(.validation, "Deleting the default schedule group is not possible.")
        }
        let ids = try await storage { [store] in
            try await store.changeGroup(name) { stored in
                guard stored != nil else { throw Self.noGroup(name) }
                stored = nil
            }
        }
        await runner.forget(ids)
    }

    package func listGroups(prefix: String?, token: String?, countMax: Int) async throws(LambdaError) -> JSONValue {
        var after: String?
        if let token {
            let names = try Self.names(in: token)
            guard names.count == 1 else { throw Self.badToken }
            after = names[0]
        }
        let place = after
        var page = try await storage { [store] in
            try await store.listGroups(prefix: prefix ?? "", after: place, countMax: countMax + 1)
        }
        // Always there, and nowhere stored.
        let isDefaultHere = (place ?? "") < Schedule.groupDefault && Schedule.groupDefault.hasPrefix(prefix ?? "")
        if isDefaultHere {
            page.append(Self.groupDefault)
            page.sort { $0.name < $1.name }
        }
        let rows = page.prefix(countMax)
        return .present([
            "ScheduleGroups": .array(rows.map(document)),
            "NextToken": page.count > countMax ? rows.last.map { Self.token([$0.name]) } : nil,
        ])
    }

    // MARK: Tags

    package func listTags(_ arn: String) async throws(LambdaError) -> JSONValue {
        let tags = try await existingGroup(try groupName(arn)).tags
        let rows = tags.sorted { $0.key < $1.key }.map { JSONValue.object(["Key": .text($0), "Value": .text($1)]) }
        return ["Tags": .array(rows)]
    }

    package func tag(_ arn: String, _ fields: RequestFields) async throws(LambdaError) {
        let tags = try Self.tags(fields)
        try await changeTags(arn) { $0.merge(tags) { $1 } }
    }

    package func untag(_ arn: String, _ keys: [String]) async throws(LambdaError) {
        try await changeTags(arn) { tags in
            for key in keys { tags[key] = nil }
        }
    }

    private func changeTags(
        _ arn: String,
        _ body: @escaping @Sendable (inout [String: String]) -> Void
    ) async throws(LambdaError) {
        let name = try groupName(arn)
        _ = try await storage { [store] in
            try await store.changeGroup(name) { stored in
                guard var group = stored else { throw Self.noGroup(name) }
                body(&group.tags)
                stored = group
            }
        }
    }

    private static func tags(_ fields: RequestFields) throws(LambdaError) -> [String: String] {
        guard let list = fields.value("Tags") else { return [:] }
        guard let elements = list.elements, elements.count <= 200 else {
            throw LambdaError(.serialization, "Tags should be a list of at most 200 tags")
        }
        var tags: [String: String] = [:]
        for element in elements {
            guard let key = element["Key"]?.text, let value = element["Value"]?.text, (1...128).contains(key.count),
                value.count <= 256
            else {
                throw LambdaError(.validation, "A tag has a Key of 1 to 128 characters and a Value of up to 256.")
            }
            tags[key] = value
        }
        return tags
    }

    // MARK: Finding

    private static let groupDefault = ScheduleGroup(name: Schedule.groupDefault, created: 0, modified: 0)

    func existingGroup(_ name: String) async throws(LambdaError) -> ScheduleGroup {
        if name == Schedule.groupDefault { return Self.groupDefault }
        guard let group = try await storage({ [store] in try await store.group(name) }) else {
            throw Self.noGroup(name)
        }
        return group
    }

    private func groupName(_ arn: String) throws(LambdaError) -> String {
        let prefix = "arn:aws:scheduler:\(account.region):\(account.id):schedule-group/"
        guard arn.hasPrefix(prefix) else {
            throw .constraint(
                arn,
                at: "resourceArn",
                "Member must satisfy regular expression pattern: ^arn:aws(-[a-z]+)?:scheduler:[a-z0-9\\-]+:\\d{12}:"
                    + "schedule-group\\/[0-9a-zA-Z-_.]+$"
            )
        }
        return String(arn.dropFirst(prefix.count))
    }

    private func document(_ group: ScheduleGroup) -> JSONValue {
        [
            "Arn": .text(group.arn(in: account)), "CreationDate": .number(group.created),
            "LastModificationDate": .number(group.modified), "Name": .text(group.name), "State": "ACTIVE",
        ]
    }

    private static func noGroup(_ name: String) -> LambdaError {
        LambdaError(.resourceNotFound, "Schedule group \(name) does not exist.")
    }

    private static func groupExists(_ name: String) -> LambdaError {
        LambdaError(.conflict, "Schedule group \(name) already exists.")
    }
}
