import Digests
package import Linux
import Manifests

/// Packages as they were installed for bundles, each a tar archive: the next deploy with the same requirements takes them.
///
/// Of one function only, so that no function's author can say what another one gets.
package struct PackageCache: Sendable {
    /// Of all archives together; those used longest ago go first.
    private static let bytesMax = 8 << 30
    private static let interpreter = "/usr/bin/python3"

    private let directory: String

    package init(directory: String) throws(SystemError) {
        self.directory = directory
        try Directory.make(directory)
    }

    /// Where the packages lie, or will: named by all that decides on them.
    func path(of order: PackageOrder, for function: String) throws -> String {
        // Its link names the version: python3.11.
        let version = Mounts.target(ofLink: Self.interpreter) ?? Self.interpreter
        let digest = try SHA256.digest(of: Array("\(function)\0\(version)\0\(order.inputs)".utf8))
        return "\(directory)/\(Hexadecimal.text(digest)).tar"
    }

    func holds(_ path: String) -> Bool {
        (try? FileIdentity(ofPath: path)) != nil
    }

    /// Keeps a complete archive, and lets go of old ones.
    func keep(_ incoming: String, as path: String) throws {
        try Directory.rename(incoming, to: path)
        var archives = try Directory.names(in: directory).compactMap { name in
            (try? FileIdentity(ofPath: "\(directory)/\(name)")).map { (path: "\(directory)/\(name)", facts: $0) }
        }
        archives.sort { $0.facts.modifiedNanoseconds < $1.facts.modifiedNanoseconds }
        var total = archives.reduce(0) { $0 + $1.facts.byteCount }
        for archive in archives where total > Self.bytesMax && archive.path != path {
            try Directory.unlink(archive.path)
            total -= archive.facts.byteCount
        }
    }
}
