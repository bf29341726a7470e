import Manifests

/// Paths inside a bundle, as archives give them.
enum BundlePath {
    /// `./a/b` → `a`, `b`.
    ///
    /// Refuses what leaves the bundle.
    static func parts(of path: String) throws(PackRefusal) -> [String] {
        func refused(_ reason: String) -> PackRefusal {
            PackRefusal(kind: .invalid, message: "the bundle holds \"\(path.prefix(255))\", \(reason)")
        }
        guard path.utf8.count <= PackLimits.pathBytesMax else {
            throw refused("a path of more than \(PackLimits.pathBytesMax) bytes")
        }
        guard !path.hasPrefix("/") else { throw refused("an absolute path; paths should be relative to the bundle") }
        guard path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F && $0 != 0x5C }) else {
            throw refused("a path with control characters or backslashes")
        }
        var parts = path.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        if parts.last == "" { parts.removeLast() }
        while parts.first == "." { parts.removeFirst() }
        guard !parts.contains("..") else { throw refused("a path with .., which could leave the bundle") }
        guard !parts.contains(""), !parts.contains(".") else { throw refused("a path with empty parts") }
        guard parts.count <= PackLimits.pathDepthMax else {
            throw refused("a path deeper than \(PackLimits.pathDepthMax) directories")
        }
        return parts
    }
}
