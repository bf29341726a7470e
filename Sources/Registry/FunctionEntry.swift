import Foundation
import Manifests

/// One function with its versions and aliases, as small as memory can hold it; one of the versions always serves.
///
/// Ten thousand deployed functions lie in memory while nobody calls them: what versions have in common is shared, and a
/// ``FunctionVersion`` is made of it when somebody asks.
struct FunctionEntry: Sendable {
    let name: String
    /// In the order of their numbers; never empty.
    private let stored: [StoredVersion]
    /// Place of the version that serves.
    private let servingIndex: Int
    let aliases: [String: Int]

    /// - Returns: nil where no version has the number that is said to serve.
    init?(name: String, serving: Int, versions: [StoredVersion], aliases: [String: Int]) {
        guard let index = FunctionEntry.find(serving, in: versions) else { return nil }
        self.init(name: name, stored: versions, servingIndex: index, aliases: aliases)
    }

    private init(name: String, stored: [StoredVersion], servingIndex: Int, aliases: [String: Int]) {
        self.name = name
        self.stored = stored
        self.servingIndex = servingIndex
        self.aliases = aliases
    }

    /// The same entry on values that others share.
    func sharing(
        _ manifests: inout SharedValues<Manifest>,
        _ snapshots: inout SharedValues<SnapshotRecord>
    ) -> FunctionEntry {
        let shared = stored.map { $0.sharing(&manifests, &snapshots) }
        return FunctionEntry(name: name, stored: shared, servingIndex: servingIndex, aliases: aliases)
    }

    var serving: FunctionVersion { stored[servingIndex].version(of: name) }

    /// The route of the version that serves.
    var route: String? { stored[servingIndex].route }

    /// In the order of their numbers; never empty.
    var versions: [FunctionVersion] { stored.map { $0.version(of: name) } }

    func version(_ qualifier: Qualifier) -> FunctionVersion? {
        switch qualifier {
        case .serving: serving
        case .newest: stored.last?.version(of: name)
        case .version(let number): version(number)
        case .alias(let label): aliases[label].flatMap { version($0) }
        }
    }

    /// Numbers and snapshots of its versions, the oldest first.
    var snapshots: some BidirectionalCollection<(number: Int, snapshot: SnapshotRecord)> {
        stored.lazy.map { ($0.number, $0.snapshot.value) }
    }

    /// Without name and route.
    var servingManifest: Manifest { stored[servingIndex].commonManifest }

    var servingSnapshot: SnapshotRecord { stored[servingIndex].snapshot.value }

    var newestUnixMilliseconds: Int64 { stored.last?.createdUnixMilliseconds ?? 0 }

    /// - Parameter owners: a version of each snapshot that the serving one refers to, where there is one.
    func record(_ owners: [String: String]) -> FunctionRecord {
        let serving = serving
        return FunctionRecord(
            name: name,
            serving: serving,
            newest: stored.last?.number ?? serving.version,
            versionCount: stored.count,
            aliases: aliases,
            createdAt: stored.first?.createdAt ?? serving.createdAt,
            shares: serving.snapshot.bases.map { base in
                SharedTensors(byteCount: base.sharedByteCount, owner: owners[base.digest])
            }
        )
    }

    private func version(_ number: Int) -> FunctionVersion? {
        FunctionEntry.find(number, in: stored).map { stored[$0].version(of: name) }
    }

    /// Numbers have gaps where a function was deleted and made again, so the index is not the number.
    private static func find(_ number: Int, in versions: [StoredVersion]) -> Int? {
        var low = 0
        var high = versions.count
        while low < high {
            let middle = (low + high) / 2
            if versions[middle].number < number { low = middle + 1 } else { high = middle }
        }
        guard low < versions.count, versions[low].number == number else { return nil }
        return low
    }
}

/// One version without its function's name: 40 bytes, and what no other version has.
struct StoredVersion: Sendable {
    let number: Int
    let createdUnixMilliseconds: Int64
    /// Without name and route, which differ where all else may be equal.
    private let manifest: SharedValue<Manifest>
    let snapshot: SharedValue<SnapshotRecord>
    let route: String?

    init(number: Int, manifest: Manifest, snapshot: SnapshotRecord, createdUnixMilliseconds: Int64) {
        var common = manifest
        common.name = ""
        common.route = nil
        self.init(number, createdUnixMilliseconds, SharedValue(common), SharedValue(snapshot), manifest.route)
    }

    private init(
        _ number: Int,
        _ createdUnixMilliseconds: Int64,
        _ manifest: SharedValue<Manifest>,
        _ snapshot: SharedValue<SnapshotRecord>,
        _ route: String?
    ) {
        self.number = number
        self.createdUnixMilliseconds = createdUnixMilliseconds
        self.manifest = manifest
        self.snapshot = snapshot
        self.route = route
    }

    func sharing(
        _ manifests: inout SharedValues<Manifest>,
        _ snapshots: inout SharedValues<SnapshotRecord>
    ) -> StoredVersion {
        let (manifest, snapshot) = (manifests.shared(manifest), snapshots.shared(snapshot))
        return StoredVersion(number, createdUnixMilliseconds, manifest, snapshot, route)
    }

    var commonManifest: Manifest { manifest.value }

    /// RFC 3339 in UTC, to the millisecond.
    var createdAt: String {
        Date(timeIntervalSince1970: Double(createdUnixMilliseconds) / 1000)
            .formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    }

    func version(of function: String) -> FunctionVersion {
        var manifest = manifest.value
        manifest.name = function
        manifest.route = route
        return FunctionVersion(
            function: function,
            version: number,
            manifest: manifest,
            snapshot: snapshot.value,
            createdAt: createdAt
        )
    }
}
