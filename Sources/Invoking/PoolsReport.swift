package import Fleet
import Linux
import Scheduling

/// What every function holds at this moment, and what the node does.
package struct PoolsReport: Codable, Equatable, Sendable {
    /// How near a function's snapshot is to a worker.
    package enum Tier: String, Codable, Sendable {
        /// Only on the disk: the next call is cold.
        case disk
        /// Its file is in memory: the next call is cold, but waits for no disk.
        case packed
        /// Its template is being built.
        case booting
        /// Its template holds it decoded: the next call is warm.
        case resident
        /// It has workers: the next call is hot, or warm.
        case bound
    }

    package struct Function: Codable, Equatable, Sendable {
        package var name: String
        /// Workers that have served.
        package var workers: Int
        /// Workers that are forked and sandboxed, and never have.
        package var parked: Int
        package var tier: Tier
        /// Bytes of memory that the snapshot takes, as the kernel counts them; 0 while it is only on the disk.
        ///
        /// Two functions with one snapshot share the file while it is packed.
        package var bytes: UInt64
        /// Of them, those in huge pages; absent where the kernel does not tell.
        package var hugePageBytes: UInt64?
        /// Calls that wait for a worker.
        package var waiting: Int
        /// Calls that a worker has.
        package var running: Int
        /// How often it was made resident ahead of a call; how often a call came in time, and how often none did.
        package var prewarms: Int
        package var hits: Int
        package var waste: Int
    }

    /// What rests on the node.
    package struct Resting: Codable, Equatable, Sendable {
        package var bytes: UInt64
        package var bytesMax: UInt64
        /// Packed files that the kernel would not lock in memory.
        package var unlockedFiles: Int
    }

    package var functions: [Function]
    /// What a template that is built now gets from the kernel: `thp`, `hugetlb` or `none`.
    package var hugePages: String
    package var resting: Resting

    /// - Parameters:
    ///   - names: every function, called or not.
    ///   - census: all versions; those of one function are added up, an old version may still finish its calls.
    package init(names: [String], census: NodeCensus = NodeCensus()) {
        let byName = Dictionary(grouping: census.versions, by: \.key.function)
        functions = names.map { name in
            let versions = byName[name] ?? []
            let forecast = census.forecasts[name]
            return Function(
                name: name,
                workers: versions.reduce(0) { $0 + $1.workers },
                parked: versions.reduce(0) { $0 + $1.parked },
                tier: Tier(versions.map(\.tier).max() ?? .disk),
                bytes: versions.reduce(0) { $0 + $1.bytes },
                hugePageBytes: census.hugePageBytes[name],
                waiting: versions.reduce(0) { $0 + $1.waiting },
                running: versions.reduce(0) { $0 + $1.running },
                prewarms: forecast?.prewarms ?? 0,
                hits: forecast?.hits ?? 0,
                waste: forecast?.waste ?? 0
            )
        }
        hugePages = census.hugePages.rawValue
        resting = Resting(
            bytes: census.restingBytes,
            bytesMax: census.restingBytesMax,
            unlockedFiles: census.unlockedFiles
        )
    }
}

extension PoolsReport.Tier {
    init(_ tier: WorkerPool.Census.Tier) {
        self =
            switch tier {
            case .disk: .disk
            case .packed: .packed
            case .booting: .booting
            case .resident: .resident
            case .bound: .bound
            }
    }
}
