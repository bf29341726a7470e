import Foundation
import Manifests
import Registry

extension LambdaFunction {
    /// A function that was never touched through the Lambda API: the version that serves is its `$LATEST`.
    init(adopting version: FunctionVersion) {
        var settings = FunctionSettings(role: "arn:aws:iam::000000000000:role/thaw")
        settings.adopt(version.manifest, memoryBytes: nil)
        self.init(
            name: version.function,
            registryName: version.function,
            latest: LambdaVersion(settings: settings, code: CodeFacts(of: version), lastModified: version.lastModified)
        )
        latest.revisionID = Self.revision(of: version)
        update = .successful
    }

    /// The same for as long as the version serves: nothing is stored that could hold one.
    private static func revision(of version: FunctionVersion) -> String {
        let digest = Array(version.snapshot.digest.prefix(20))
        let number = String(version.version, radix: 16)
        let padded = String(repeating: "0", count: max(0, 12 - number.count)) + number
        return String(digest[..<8]) + "-" + String(digest[8..<12]) + "-" + String(digest[12..<16]) + "-"
            + String(digest[16..<20]) + "-" + padded
    }
}

extension ControlPlane {
    /// What a label of the registry's (`thaw alias`) means, where the API has no alias or version of that name.
    ///
    /// The version that was published of it, or `$LATEST`; one that was never published is shown by the registry's number.
    func labelled(_ qualifier: String?, of function: LambdaFunction) -> LambdaVersion? {
        guard let qualifier, function.aliases[qualifier] == nil, function.version(qualifier) == nil,
            case .alias = Qualifier(qualifier),
            let found = try? registry.resolve(function.registryName, qualifier: qualifier)
        else { return nil }
        let known = [function.latest] + function.versions.reversed()
        if let version = known.first(where: { $0.code.registryVersion == found.version }) { return version }
        var settings = function.latest.settings
        settings.adopt(found.manifest, memoryBytes: nil)
        return LambdaVersion(
            number: found.version,
            settings: settings,
            code: CodeFacts(of: found),
            lastModified: found.lastModified
        )
    }

    /// What a qualifier means to an operation that shows configurations.
    func shown(_ qualifier: String?, of function: LambdaFunction) throws(LambdaError) -> LambdaVersion {
        if let labelled = labelled(qualifier, of: function) { return labelled }
        return try function.shown(qualifier, in: account)
    }

    /// Aliases of the API, and labels of the registry that it has none for, by name.
    func aliases(of function: LambdaFunction) -> [String: LambdaAlias] {
        var aliases = function.aliases
        for label in (try? registry.describe(function.registryName).aliases.keys) ?? [:].keys {
            guard let version = labelled(label, of: function) else { continue }
            var alias = LambdaAlias(functionVersion: version.label)
            // The same for as long as it means the same: nothing is stored that could hold one.
            alias.revisionID = "\(label)-\(version.code.registryVersion)"
            aliases[label] = alias
        }
        return aliases
    }
}

extension LambdaVersion {
    /// Takes over a version that the node's own doors made.
    mutating func adopt(_ version: FunctionVersion) {
        settings.adopt(version.manifest, memoryBytes: nil)
        code = CodeFacts(of: version)
        lastModified = version.lastModified
        revisionID = UUID().uuidString.lowercased()
    }
}

extension FunctionSettings {
    /// What a manifest says, which was not made from settings.
    mutating func adopt(_ manifest: Manifest, memoryBytes: UInt64?) {
        let wasNative =
            CodeRuntime.named(runtime) == .python && manifest.runtime == .python3
            || CodeRuntime.named(runtime) == .provided && manifest.runtime == .provided
        if !wasNative {
            runtime =
                switch manifest.runtime {
                case .python3: "python3.11"
                case .provided, .swift: "provided.al2023"
                case .model: runtime ?? CodeRuntime.bundleName
                }
        }
        handler = manifest.handler ?? handler ?? Manifest.fileName
        description = manifest.description ?? description
        timeoutSeconds = (manifest.limits.timeoutMilliseconds + 999) / 1000
        if let bytes = manifest.limits.memoryBytes ?? memoryBytes {
            memoryMebibytes = max(1, Int(clamping: bytes >> 20))
        }
        temporaryMebibytes = Int(clamping: manifest.limits.tmpBytes >> 20)
        let own = manifest.environment.filter { $0.key != CodeManifest.handlerVariable }
        environment = own.isEmpty ? nil : own
    }

    /// Lets a manifest say what these settings say, beyond its code.
    func write(to manifest: inout Manifest, memoryIsSet: Bool) {
        manifest.description = description.isEmpty ? nil : description
        manifest.limits.timeoutMilliseconds = timeoutSeconds * 1000
        if memoryIsSet { manifest.limits.memoryBytes = UInt64(memoryMebibytes) << 20 }
        manifest.limits.tmpBytes = UInt64(temporaryMebibytes) << 20
        // Taken away, the variable leaves none behind; where there never was one, a function.yaml has the word.
        if manifest.runtime != .model, manifest.environment[Self.networkVariable] != nil || network != nil {
            manifest.network = network ?? .none
        }
        manifest.environment = CodeManifest.environment(self)
    }
}

extension CodeFacts {
    init(of version: FunctionVersion) {
        self.init(
            sha256: CodeStore.Archive.base64(version.snapshot.digest),
            byteCount: version.snapshot.byteCount,
            registryVersion: version.version
        )
    }
}

extension FunctionVersion {
    fileprivate var lastModified: String {
        createdAt.hasSuffix("Z") ? createdAt.dropLast() + "+0000" : createdAt
    }
}
