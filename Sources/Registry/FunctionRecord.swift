/// A function as `list` and `describe` show it.
package struct FunctionRecord: Codable, Equatable, Sendable {
    package let name: String
    /// What a call without a qualifier reaches.
    package let serving: FunctionVersion
    /// The highest version number; it differs from the serving one after a rollback.
    package let newest: Int
    /// How many versions can be called.
    package let versionCount: Int
    /// Label → version.
    package let aliases: [String: Int]
    /// When the first version that still exists was deployed: RFC 3339 in UTC.
    package let createdAt: String
    /// What the serving version keeps in other versions' files; empty for most.
    package let shares: [SharedTensors]

    package init(
        name: String,
        serving: FunctionVersion,
        newest: Int,
        versionCount: Int,
        aliases: [String: Int],
        createdAt: String,
        shares: [SharedTensors] = []
    ) {
        self.name = name
        self.serving = serving
        self.newest = newest
        self.versionCount = versionCount
        self.aliases = aliases
        self.createdAt = createdAt
        self.shares = shares
    }
}
