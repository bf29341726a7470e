package import Linux

/// The directory of snapshots: files named by their digest, complete or absent.
///
/// A deploy writes below `incoming/` and moves the file when everything has held; what a crash leaves there is removed at
/// the next start.
package struct SnapshotStore: Sendable {
    package let directory: String
    private var incoming: String { directory + "/incoming" }

    /// Makes the directories where there are none, and clears what an earlier run left unfinished.
    package init(directory: String) throws(SystemError) {
        self.directory = directory
        try Directory.make(directory)
        try Directory.make(directory + "/incoming")
        for name in try Directory.names(in: directory + "/incoming") {
            try Directory.unlink(directory + "/incoming/" + name)
        }
    }

    package func path(ofSnapshot digest: String) -> String {
        "\(directory)/\(digest).thaw"
    }

    /// Digests of the snapshots on the disk.
    package func digests() throws(SystemError) -> [String] {
        try Directory.names(in: directory).compactMap { name in
            name.hasSuffix(".thaw") ? String(name.dropLast(".thaw".count)) : nil
        }
    }

    /// A file that nobody else sees until ``publish(_:as:)``.
    package func incomingPath(_ name: String) -> String {
        "\(incoming)/\(name)"
    }

    /// Makes a complete file the snapshot of its digest; on the disk when this returns.
    ///
    /// One that is there already is replaced: the same content, and whole again if the disk had damaged it.
    package func publish(_ incomingPath: String, as digest: String) throws(SystemError) {
        try Directory.rename(incomingPath, to: path(ofSnapshot: digest))
        try Directory.sync(directory)
    }

    package func removeIncoming(_ path: String) {
        // Nothing to be done about a file that will not go: the next start tries again.
        try? Directory.unlink(path)
    }

    /// - Returns: bytes that were freed.
    package func remove(snapshot digest: String) throws(SystemError) -> Int {
        let bytes = try FileIdentity(ofPath: path(ofSnapshot: digest)).byteCount
        try Directory.unlink(path(ofSnapshot: digest))
        return bytes
    }
}
