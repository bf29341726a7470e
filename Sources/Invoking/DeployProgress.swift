import Linux

/// How far a deploy is that has not ended yet.
package struct DeployProgress: Codable, Equatable, Sendable {
    package enum Phase: String, Codable, Sendable {
        /// The bundle comes in.
        case receiving
        /// The packer reads it and writes the snapshot.
        case packing
        /// The snapshot is checked and published.
        case publishing
    }

    package var phase: Phase
    /// Bytes of the bundle that have come.
    package var bundleBytes: Int
    /// Bytes of the snapshot that are written; seldom more than the bundle has.
    package var snapshotBytes: Int

    package init(phase: Phase, bundleBytes: Int = 0, snapshotBytes: Int = 0) {
        self.phase = phase
        self.bundleBytes = bundleBytes
        self.snapshotBytes = snapshotBytes
    }
}

/// The deploys under way, the latest of each name.
struct DeploysUnderway: Sendable {
    private struct Entry {
        let number: Int
        var progress: DeployProgress
        let snapshotPath: String
    }

    private var entries: [String: Entry] = [:]

    mutating func begin(_ number: Int, of name: String, snapshotPath: String) {
        entries[name] = Entry(number: number, progress: DeployProgress(phase: .receiving), snapshotPath: snapshotPath)
    }

    mutating func update(_ number: Int, of name: String, _ change: (inout DeployProgress) -> Void) {
        guard entries[name]?.number == number, var entry = entries[name] else { return }
        change(&entry.progress)
        entries[name] = entry
    }

    mutating func end(_ number: Int, of name: String) {
        if entries[name]?.number == number { entries[name] = nil }
    }

    /// nil where nobody deploys under that name.
    ///
    /// The packer is not asked: how long its file has become is what the kernel says.
    func progress(of name: String) -> DeployProgress? {
        guard let entry = entries[name] else { return nil }
        var progress = entry.progress
        if let file = try? FileDescriptor.open(entry.snapshotPath), let size = try? file.size() {
            progress.snapshotBytes = size
        }
        return progress
    }
}
