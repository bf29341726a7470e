package import Scheduling

/// What every function holds at this moment.
package struct PoolsReport: Codable, Equatable, Sendable {
    /// How near a function's snapshot is to a worker.
    package enum Tier: String, Codable, Sendable {
        /// Only on the disk: the next call is cold.
        case disk
        /// Its template is being built.
        case booting
        /// Its template holds it decoded: the next call is warm, or hot.
        case resident
    }

    package struct Function: Codable, Equatable, Sendable {
        package var name: String
        /// Workers that have served.
        package var workers: Int
        /// Workers that are forked and sandboxed, and never have.
        package var parked: Int
        package var tier: Tier
        /// Bytes of memory that the snapshot takes; 0 while it is only on the disk.
        package var bytes: UInt64
        /// Calls that wait for a worker.
        package var waiting: Int
        /// Calls that a worker has.
        package var running: Int
    }

    package var functions: [Function]

    /// - Parameter census: all versions; those of one function are added up, an old version may still finish its calls.
    package init(names: [String], census: [WorkerPool.Census]) {
        let byName = Dictionary(grouping: census, by: \.key.function)
        functions = names.map { name in
            let versions = byName[name] ?? []
            let bytes = versions.compactMap(\.residentBytes)
            return Function(
                name: name,
                workers: versions.reduce(0) { $0 + $1.workers },
                parked: versions.reduce(0) { $0 + $1.parked },
                tier: !bytes.isEmpty ? .resident : versions.contains(where: \.isBooting) ? .booting : .disk,
                bytes: bytes.reduce(0, +),
                waiting: versions.reduce(0) { $0 + $1.waiting },
                running: versions.reduce(0) { $0 + $1.running }
            )
        }
    }
}
