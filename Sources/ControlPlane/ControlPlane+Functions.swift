import Foundation
import Invoking
import Manifests
import Registry

extension ControlPlane {
    package func createFunction(_ fields: RequestFields) async throws(LambdaError) -> JSONValue {
        let reference = try reference(try fields.required("FunctionName"))
        let name = reference.name
        var settings = FunctionSettings(role: try fields.required("Role"))
        try settings.apply(fields)
        let package = try fields.choice("PackageType", ["Zip", "Image"]) ?? "Zip"
        guard package == "Zip" else {
            throw .invalid("PackageType Image is not run on this node; send a zip, or an archive by reference.")
        }
        guard let source = try fields.object("Code") else {
            throw .constraint("null", at: "code", "Member must not be null")
        }
        guard settings.runtime != nil else {
            throw .invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
        }
        if CodeRuntime.named(settings.runtime) == .python, settings.handler == nil {
            throw .invalid(
                "Runtime and Handler are mandatory parameters for functions created with deployment packages."
            )
        }
        let tags = try Self.tags(fields)
        let isPublished = try fields.bool("Publish") ?? false
        guard find(name) == nil else {
            throw LambdaError(.resourceConflict, "Function already exist: \(name)")
        }
        let registryName = try CodeManifest.registryName(name)
        try findLayers(&settings)
        let (archive, isInline) = try archive(source)
        let made = LambdaVersion(
            settings: settings,
            code: CodeFacts(sha256: archive.sha256, byteCount: archive.byteCount, archive: archive.name),
            lastModified: LambdaTime.text(now())
        )
        let accepted = try await store.change(name) { stored in
            if let known = stored, known.phase == .pending {
                throw LambdaError(.resourceConflict, "Function already exist: \(name)")
            }
            var function = LambdaFunction(name: name, registryName: registryName, latest: made)
            function.phase = .pending
            function.tags = tags
            stored = function
            return function
        }
        let work = deployment(of: accepted, archive, isPublished: isPublished)
        var shown = accepted
        if isInline {
            let done = await work.value
            if case .failure(let error) = done {
                try await store.change(name) { $0 = nil }
                collect()
                throw error
            }
            if isPublished { shown.latest.number = 1 }
        }
        return shown.configuration(shown.latest, in: account).as(state: .creating)
    }

    package func updateCode(
        _ reference: FunctionReference,
        _ fields: RequestFields
    ) async throws(LambdaError) -> JSONValue {
        let function = try function(reference)
        try function.check(revision: try fields.text("RevisionId"), of: function.latest)
        if fields.has("ImageUri") {
            throw .invalid("PackageType Image is not run on this node; send a zip, or an archive by reference.")
        }
        let (archive, isInline) = try archive(fields)
        if try fields.bool("DryRun") ?? false { return function.configuration(function.latest, in: account) }
        let isPublished = try fields.bool("Publish") ?? false
        let architectures = try fields.texts("Architectures")
        let now = now()
        let (before, accepted) = try await change(reference) { [account] function in
            try function.checkNoUpdate(in: account)
            let before = function
            function.latest.code = CodeFacts(
                sha256: archive.sha256,
                byteCount: archive.byteCount,
                archive: archive.name
            )
            if let architectures { function.latest.settings.architectures = architectures }
            function.latest.lastModified = LambdaTime.text(now)
            function.latest.revisionID = UUID().uuidString.lowercased()
            function.update = .inProgress
            return (before, function)
        }
        let work = deployment(of: accepted, archive, isPublished: isPublished)
        return try await answer(accepted, before, work, waits: isInline, isPublished: isPublished)
    }

    package func updateConfiguration(
        _ reference: FunctionReference,
        _ fields: RequestFields
    ) async throws(LambdaError) -> JSONValue {
        let function = try function(reference)
        try function.check(revision: try fields.text("RevisionId"), of: function.latest)
        var settings = function.latest.settings
        try settings.apply(fields)
        if fields.has("Layers") { try findLayers(&settings) }
        let now = now()
        let (before, accepted) = try await change(reference) { [account, settings] function in
            try function.checkNoUpdate(in: account)
            let before = function
            function.latest.settings = settings
            function.latest.lastModified = LambdaTime.text(now)
            function.latest.revisionID = UUID().uuidString.lowercased()
            function.update = .inProgress
            return (before, function)
        }
        let work: Task<Result<Void, LambdaError>, Never>
        if before.latest.settings.needsPacking(for: settings) {
            guard let name = before.latest.code.archive else {
                try await store.change(reference.name) { $0 = before }
                throw .invalid(
                    "The function was deployed without an archive that this node has kept; change its function.yaml and "
                        + "deploy it again."
                )
            }
            let archive = CodeStore.Archive(name: name, byteCount: before.latest.code.byteCount)
            work = deployment(of: accepted, archive, isPublished: false)
        } else {
            work = reconfiguration(of: accepted, memoryIsSet: fields.has("MemorySize"))
        }
        return try await answer(accepted, before, work, waits: true, isPublished: false)
    }

    /// The reply is the change as it was accepted; a change that failed at once is undone and answered with its error.
    private func answer(
        _ accepted: LambdaFunction,
        _ before: LambdaFunction,
        _ work: Task<Result<Void, LambdaError>, Never>,
        waits: Bool,
        isPublished: Bool
    ) async throws(LambdaError) -> JSONValue {
        var shown = accepted
        if waits {
            if case .failure(let error) = await work.value {
                try await store.change(accepted.name) { $0 = before }
                collect()
                throw error
            }
            if isPublished, let number = store.read({ $0.functions[accepted.name]?.versionLast }) {
                shown.latest.number = number
            }
        }
        return shown.configuration(shown.latest, in: account).as(state: .updating)
    }

    // MARK: Reading and removing

    package func getFunction(_ reference: FunctionReference, locator: CodeLocator) throws(LambdaError) -> JSONValue {
        let function = try function(reference)
        let version = try shown(reference.qualifier, of: function)
        var location = "\(locator.origin)/functions/\(function.registryName)"
        if let archive = version.code.archive { location = try locator.location(of: archive) }
        return .present([
            "Configuration": function.configuration(version, qualifier: reference.qualifier, in: account),
            "Code": ["RepositoryType": "S3", "Location": .text(location)],
            "Tags": function.tags.isEmpty ? nil : .texts(function.tags),
            "Concurrency": function.reservedConcurrency.map { ["ReservedConcurrentExecutions": .integer($0)] },
        ])
    }

    package func getConfiguration(_ reference: FunctionReference) throws(LambdaError) -> JSONValue {
        let function = try function(reference)
        let version = try shown(reference.qualifier, of: function)
        return function.configuration(version, qualifier: reference.qualifier, in: account)
    }

    package func listFunctions(_ page: Page, allVersions: Bool) throws(LambdaError) -> JSONValue {
        let rows = functions().flatMap { function -> [JSONValue] in
            guard allVersions else { return [function.configuration(function.latest, in: account)] }
            return ([function.latest] + function.versions).map {
                function.configuration($0, qualifier: $0.label, in: account)
            }
        }
        return try page.document(of: rows, as: "Functions")
    }

    package func deleteFunction(_ reference: FunctionReference) async throws(LambdaError) {
        let function = try function(reference)
        if let label = reference.qualifier {
            try await change(reference) { [account] in try $0.delete(version: label, in: account) }
            return collect()
        }
        do {
            try await acts.delete(function.registryName)
        } catch RegistryError.unknownFunction {
            // Its first deploy failed: there is only the record.
        } catch {
            throw .storage(error)
        }
        try await store.change(reference.name) { $0 = nil }
        gate.limit(function.registryName, to: nil)
        collect()
    }

    // MARK: Versions

    package func publishVersion(
        _ reference: FunctionReference,
        _ fields: RequestFields
    ) async throws(LambdaError) -> JSONValue {
        let now = now()
        return try await change(reference) { [account] function in
            let version = try function.publish(fields, now: now)
            return function.configuration(version, in: account)
        }
    }

    package func listVersions(_ reference: FunctionReference, _ page: Page) throws(LambdaError) -> JSONValue {
        let function = try function(reference)
        let rows = ([function.latest] + function.versions).map {
            function.configuration($0, qualifier: $0.label, in: account)
        }
        return try page.document(of: rows, as: "Versions")
    }

    static func tags(_ fields: RequestFields) throws(LambdaError) -> [String: String] {
        let tags = try fields.map("Tags") ?? [:]
        guard tags.count <= LambdaLimits.tagsMax else {
            throw .invalid("Number of tags exceeds resource tag limit.")
        }
        return tags
    }
}

extension LambdaFunction {
    func checkNoUpdate(in account: LambdaAccount) throws(LambdaError) {
        guard update != .inProgress, phase != .pending else {
            throw LambdaError(
                .resourceConflict,
                "The operation cannot be performed at this time. An update is in progress for resource: "
                    + account.functionARN(name)
            )
        }
    }
}

extension JSONValue {
    fileprivate enum ShownState { case creating, updating }

    /// The configuration with the state in which the change was accepted.
    fileprivate func `as`(state: ShownState) -> JSONValue {
        var members = members ?? [:]
        switch state {
        case .creating:
            members["State"] = "Pending"
            members["StateReason"] = "The function is being created."
            members["StateReasonCode"] = "Creating"
            members["LastUpdateStatus"] = nil
        case .updating:
            members["State"] = "Active"
            members["LastUpdateStatus"] = "InProgress"
            members["LastUpdateStatusReason"] = "The function is being created."
            members["LastUpdateStatusReasonCode"] = "Creating"
        }
        return .object(members)
    }
}

/// One page of a list.
package struct Page: Sendable {
    package var marker: String?
    package var itemsMax: Int

    package init(marker: String?, itemsMax: Int?) {
        self.marker = marker
        self.itemsMax = itemsMax ?? LambdaLimits.pageItemsDefault
    }

    /// A marker is the place of the page's first row: rows that come or go meanwhile may be seen twice or not at all.
    func document(of rows: [JSONValue], as key: String) throws(LambdaError) -> JSONValue {
        let start = try marker.map { (marker) throws(LambdaError) in
            guard let start = Int(marker), start >= 0 else {
                throw .invalid("The marker is not one of this list: \(marker)")
            }
            return start
        }
        let first = min(start ?? 0, rows.count)
        let end = min(first + max(itemsMax, 1), rows.count)
        return .present([
            key: .array(Array(rows[first..<end])),
            "NextMarker": end < rows.count ? .text(String(end)) : nil,
        ])
    }
}
