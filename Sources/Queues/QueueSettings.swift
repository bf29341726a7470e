/// How a queue behaves.
package struct QueueSettings: Codable, Equatable, Sendable {
    /// A claimed message that nobody settles comes again after this time.
    package var visibilityMilliseconds: Int64 = 30_000
    /// Before a new message is given out.
    package var delayMilliseconds: Int64 = 0
    /// A message that nobody acknowledged for so long is dropped; nil where it waits for ever.
    package var retentionMilliseconds: Int64?
    /// A message more is refused, and none dropped for it.
    package var depthMax = Self.depthDefault
    /// How long a deduplication key is remembered.
    package var deduplicationMilliseconds: Int64 = 300_000
    /// Messages need a group.
    package var isOrdered = false
    /// Where a message goes that was claimed `attemptsMax` times.
    package var deadLetters: String?
    package var attemptsMax: Int?
    /// What its clients said of it, under their own names.
    package var attributes: [String: String] = [:]
    package var tags: [String: String] = [:]

    /// A million messages of a kilobyte are a gigabyte: what a disk has room for, and hours of work.
    package static let depthDefault = 2_000_000

    package init() {}

    /// What is not said is as in a new queue: an earlier Thaw knew fewer settings.
    package init(from decoder: any Decoder) throws {
        let said = try decoder.container(keyedBy: CodingKeys.self)
        visibilityMilliseconds = try said.decodeIfPresent(Int64.self, forKey: .visibilityMilliseconds) ?? 30_000
        delayMilliseconds = try said.decodeIfPresent(Int64.self, forKey: .delayMilliseconds) ?? 0
        retentionMilliseconds = try said.decodeIfPresent(Int64.self, forKey: .retentionMilliseconds)
        depthMax = try said.decodeIfPresent(Int.self, forKey: .depthMax) ?? Self.depthDefault
        deduplicationMilliseconds = try said.decodeIfPresent(Int64.self, forKey: .deduplicationMilliseconds) ?? 300_000
        isOrdered = try said.decodeIfPresent(Bool.self, forKey: .isOrdered) ?? false
        deadLetters = try said.decodeIfPresent(String.self, forKey: .deadLetters)
        attemptsMax = try said.decodeIfPresent(Int.self, forKey: .attemptsMax)
        attributes = try said.decodeIfPresent([String: String].self, forKey: .attributes) ?? [:]
        tags = try said.decodeIfPresent([String: String].self, forKey: .tags) ?? [:]
    }
}

/// A queue, as it lies in the store.
package struct StoredQueue: Equatable, Sendable {
    package var number: Int64
    package var address: MessageAddress
    package var settings: QueueSettings
    package var createdUnixMilliseconds: Int64
    package var changedUnixMilliseconds: Int64
}

/// How a queue fares.
package struct QueueDepth: Equatable, Sendable {
    /// All of it.
    package var count: Int
    /// Held by a claim.
    package var inFlight: Int
    /// Waiting for their time.
    package var delayed: Int
    package var oldestUnixMilliseconds: Int64?

    package init(count: Int, inFlight: Int, delayed: Int, oldestUnixMilliseconds: Int64? = nil) {
        self.count = count
        self.inFlight = inFlight
        self.delayed = delayed
        self.oldestUnixMilliseconds = oldestUnixMilliseconds
    }

    /// May be claimed now, or behind others of their group.
    package var ready: Int { count - inFlight - delayed }
}

/// Why a store did not do what it was asked.
package enum QueueError: Error, Equatable, CustomStringConvertible {
    case newerSchema(path: String)
    case unknownQueue(String)
    case queueExists(String)
    /// SQLite's own words: the disk is full, the file is not a database.
    case storage(String)

    package var description: String {
        switch self {
        case .newerSchema(let path): "\(path) was written by a newer Thaw; run that one"
        case .unknownQueue(let name): "there is no queue \(name)"
        case .queueExists(let name): "a queue \(name) is there with other settings"
        case .storage(let reason): "the queue's file cannot be used: \(reason)"
        }
    }
}
