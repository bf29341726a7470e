import Foundation

/// The tree that these tests read: every rule is a function over text, so that a bad sample can be tried on it.
enum House {
    /// The root of the repository, found from where this file lies.
    static let root: String = URL(filePath: #filePath).resolvingSymlinksInPath()
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent().path

    /// Folders whose files are written by hand.
    private static let folders = ["Sources", "Tests", "functions", "runtime", "deploy"]

    /// Every file with one of these extensions under the hand-written folders, in a stable order.
    static func files(_ extensions: Set<String>) throws -> [SourceFile] {
        try all.get().filter { extensions.contains(($0.path as NSString).pathExtension) }
    }

    /// Read once: the rules go over the same files.
    private static let all = Result {
        let extensions: Set<String> = ["swift", "c", "h", "py", "md"]
        var files: [SourceFile] = []
        for folder in folders {
            let paths = try? FileManager.default.subpathsOfDirectory(atPath: "\(root)/\(folder)")
            for path in (paths ?? []).sorted() where extensions.contains((path as NSString).pathExtension) {
                // What `fetch` brings is not ours.
                guard !path.hasPrefix("embed/model/") else { continue }
                files.append(try file("\(folder)/\(path)"))
            }
        }
        return files
    }

    /// One file, by its path from the root.
    static func file(_ path: String) throws -> SourceFile {
        SourceFile(path: path, text: try String(contentsOfFile: "\(root)/\(path)", encoding: .utf8))
    }

    /// The folders of `Sources/` that hold code: all but the one with pages only, and empty ones, which git forgets.
    static func rooms() throws -> [String] {
        let manager = FileManager.default
        return try manager.contentsOfDirectory(atPath: "\(root)/Sources").sorted().filter { name in
            let path = "\(root)/Sources/\(name)"
            return name != "Decisions" && (try? manager.contentsOfDirectory(atPath: path))?.isEmpty == false
        }
    }

    static func exists(_ path: String) -> Bool {
        FileManager.default.fileExists(atPath: "\(root)/\(path)")
    }
}
