import Foundation

extension LambdaFunction {
    /// Freezes `$LATEST` as the next version.
    ///
    /// - Returns: the version; the one that was published last where nothing has changed since.
    mutating func publish(_ fields: RequestFields, now: Date) throws(LambdaError) -> LambdaVersion {
        try check(revision: try fields.text("RevisionId"), of: latest)
        guard phase == .active, update != .inProgress else {
            throw LambdaError(
                .resourceConflict,
                "The operation cannot be performed at this time. The function is currently in the following state: "
                    + "Pending"
            )
        }
        if let sha256 = try fields.text("CodeSha256"), sha256 != latest.code.sha256 {
            throw .invalid(
                "CodeSHA256 (\(sha256)) is different from current CodeSHA256 in $LATEST (\(latest.code.sha256)). Please "
                    + "try again with the CodeSHA256 in $LATEST."
            )
        }
        let description = try fields.text("Description", charactersMax: LambdaLimits.descriptionCharactersMax)
        return publishLatest(description: description, now: now)
    }

    mutating func publishLatest(description: String?, now: Date) -> LambdaVersion {
        if let last = versions.last, last.number == versionLast, last.code == latest.code,
            last.settings.isEqual(to: latest.settings, publishedAs: description)
        {
            return last
        }
        versionLast += 1
        var settings = latest.settings
        if let description { settings.description = description }
        let version = LambdaVersion(
            number: versionLast,
            settings: settings,
            code: latest.code,
            lastModified: LambdaTime.text(now)
        )
        versions.append(version)
        return version
    }

    mutating func delete(version label: String, in account: LambdaAccount) throws(LambdaError) {
        guard label != "$LATEST" else {
            throw .invalid("$LATEST version cannot be deleted without deleting the function.")
        }
        guard let number = Int(label) else {
            throw .invalid("Deletion of aliases is not currently supported.")
        }
        guard version(label) != nil else { return }
        let holders = aliases.filter { $0.value.functionVersion == label || $0.value.weights[label] != nil }.keys
        guard holders.isEmpty else {
            let arns = holders.sorted().map { account.functionARN(name, $0) }.joined(separator: ", ")
            throw LambdaError(
                .resourceConflict,
                "Version \(label) of \(account.functionARN(name)) is referenced by the following aliases: [\(arns)]"
            )
        }
        versions.removeAll { $0.number == number }
        for key in [label] {
            policies[key] = nil
            eventInvokes[key] = nil
            provisioned[key] = nil
        }
    }
}

extension FunctionSettings {
    /// Whether publishing would make the same version again; a description of its own makes no difference by itself.
    fileprivate func isEqual(to latest: FunctionSettings, publishedAs description: String?) -> Bool {
        var other = latest
        other.description = self.description
        return self == other && (description == nil || description == self.description)
    }
}
