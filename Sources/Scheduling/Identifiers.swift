/// One admitted call, numbered by the fleet.
package struct CallID: Hashable, Sendable {
    package var number: UInt64

    package init(_ number: UInt64) {
        self.number = number
    }
}

/// One worker process, numbered by the pool; never reused within a scheduler's life.
package struct WorkerID: Hashable, Comparable, Sendable {
    package var number: UInt32

    package init(_ number: UInt32) {
        self.number = number
    }

    package static func < (left: WorkerID, right: WorkerID) -> Bool {
        left.number < right.number
    }
}

/// One template process, numbered by the pool; never reused within a scheduler's life.
package struct TemplateID: Hashable, Sendable {
    package var number: UInt32

    package init(_ number: UInt32) {
        self.number = number
    }
}

/// What a pool serves: one immutable version of one function.
package struct PoolKey: Hashable, Comparable, Sendable {
    package var function: String
    package var version: Int

    package init(function: String, version: Int) {
        self.function = function
        self.version = version
    }

    package static func < (left: PoolKey, right: PoolKey) -> Bool {
        (left.function, left.version) < (right.function, right.version)
    }
}

/// A snapshot, by the digest of its content: two functions with one snapshot name the same.
package struct SnapshotID: Hashable, Sendable {
    package var digest: String

    package init(digest: String) {
        self.digest = digest
    }
}

/// How a call met its worker.
package enum StartKind: String, Codable, Sendable {
    /// A worker of that function waited.
    case hot
    /// A worker was forked for it, or parked ahead of it, from a resident template.
    case warm
    /// The template had to be built first.
    case cold
}
