package import Foundation

/// A function as the Lambda API knows it: its mutable `$LATEST`, what was published of it, and all that hangs on them.
///
/// A value: every operation of the API is a method that changes it or throws what the service would say. The store
/// writes it when the method has returned.
package struct LambdaFunction: Codable, Equatable, Sendable {
    /// As its author writes it.
    package let name: String
    /// Under which the registry has it: a DNS label.
    package let registryName: String
    package var latest: LambdaVersion
    package var phase = Phase.active
    package var update: Update?
    /// The number that was published last; a deleted one is not given again.
    var versionLast = 0
    var versions: [LambdaVersion] = []
    var aliases: [String: LambdaAlias] = [:]
    /// By qualifier; "" for the function itself.
    var policies: [String: ResourcePolicy] = [:]
    var urls: [String: FunctionURL] = [:]
    var eventInvokes: [String: EventInvokeConfig] = [:]
    var provisioned: [String: ProvisionedConcurrency] = [:]
    package var reservedConcurrency: Int?
    package var tags: [String: String] = [:]
    /// Configurations that are kept and given back, by the operation's noun.
    var extras: [String: JSONValue] = [:]

    init(name: String, registryName: String, latest: LambdaVersion) {
        self.name = name
        self.registryName = registryName
        self.latest = latest
    }

    /// Where the function as a whole is in its life.
    package enum Phase: Codable, Equatable, Sendable {
        case pending
        case active
        case failed(reason: String)
    }

    /// The last change of `$LATEST`; nil while the function is being created.
    package enum Update: Codable, Equatable, Sendable {
        case inProgress
        case successful
        case failed(reason: String)
    }

    /// Where its events go that failed for good, beside destinations.
    package var deadLetterARN: String? { latest.settings.others["DeadLetterConfig"]?["TargetArn"]?.text }

    /// Bytes of code that all its versions keep.
    var codeByteCount: Int { versions.reduce(latest.code.byteCount) { $0 + $1.code.byteCount } }

    /// Archives of code that may not be removed.
    var archives: Set<String> {
        Set(
            ([latest] + versions).flatMap { version in
                (version.code.archive.map { [$0] } ?? []) + (version.settings.layerCode ?? []).map(\.archive)
            }
        )
    }
}

/// `$LATEST`, or what was published of it.
package struct LambdaVersion: Codable, Equatable, Sendable {
    /// nil for `$LATEST`.
    package var number: Int?
    package var settings: FunctionSettings
    package var code: CodeFacts
    package var revisionID = UUID().uuidString.lowercased()
    /// The service's own way to write a time: `2025-11-24T23:11:08.000+0000`.
    package var lastModified: String

    package var label: String { number.map(String.init) ?? "$LATEST" }

    init(number: Int? = nil, settings: FunctionSettings, code: CodeFacts, lastModified: String) {
        self.number = number
        self.settings = settings
        self.code = code
        self.lastModified = lastModified
    }
}

/// The code of one version.
package struct CodeFacts: Codable, Equatable, Sendable {
    /// Base64 of the archive's SHA-256; of the snapshot's digest where there was no archive.
    package var sha256: String
    package var byteCount: Int
    /// The version in the registry that runs it; 0 while it is being packed.
    package var registryVersion: Int
    /// The kept archive, by its digest in hexadecimal; nil where there was none.
    package var archive: String?

    init(sha256: String, byteCount: Int, registryVersion: Int = 0, archive: String? = nil) {
        self.sha256 = sha256
        self.byteCount = byteCount
        self.registryVersion = registryVersion
        self.archive = archive
    }
}

/// Times as the API writes them.
package enum LambdaTime {
    /// For shapes of the kind `Timestamp`: text, to the millisecond, with an offset without a colon.
    package static func text(_ date: Date) -> String {
        let text = date.formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
        return text.hasSuffix("Z") ? text.dropLast() + "+0000" : text
    }

    /// For shapes of the kind `Date`: seconds since 1970, as a number.
    static func number(_ date: Date) -> JSONValue {
        .number((date.timeIntervalSince1970 * 1000).rounded() / 1000)
    }
}

// MARK: Lookups and checks that all operations share

extension LambdaFunction {
    func check(revision: String?, of version: LambdaVersion) throws(LambdaError) {
        guard revision == nil || revision == version.revisionID else { throw .staleRevision }
    }

    /// A published version; nil for a number that is none.
    func version(_ label: String) -> LambdaVersion? {
        if label == "$LATEST" { return latest }
        return Int(label).flatMap { number in versions.first { $0.number == number } }
    }

    /// What a qualifier means to an operation that shows configurations: a version, or an alias' first one.
    package func shown(_ qualifier: String?, in account: LambdaAccount) throws(LambdaError) -> LambdaVersion {
        guard let qualifier else { return latest }
        let label = aliases[qualifier]?.functionVersion ?? qualifier
        guard let version = version(label) else { throw .functionNotFound(account.functionARN(name, qualifier)) }
        return version
    }

    /// Where a call goes.
    ///
    /// - Parameter chance: from 0 up to 1, for aliases with weights.
    package func target(
        _ qualifier: String?,
        chance: Double,
        in account: LambdaAccount
    ) throws(LambdaError) -> LambdaVersion {
        guard let qualifier else { return latest }
        if let alias = aliases[qualifier] {
            let label = alias.pick(chance)
            if let version = version(label) { return version }
        } else if let version = version(qualifier) {
            return version
        }
        throw .functionNotFound(account.functionARN(name, qualifier))
    }

    /// A qualifier under which something can be kept: `$LATEST`, a version or an alias that is there.
    func check(qualifier: String?, in account: LambdaAccount) throws(LambdaError) {
        guard let qualifier, aliases[qualifier] == nil, version(qualifier) == nil else { return }
        throw .functionNotFound(account.functionARN(name, qualifier))
    }
}
