import Linux

/// A folder that is watched, and what becomes of files that are done: the parts of
/// `file:///DIR?pattern=*.csv&done=DIR&then=move|delete&body=true`.
struct FolderAddress: Sendable {
    let shown: String
    let path: String
    let pattern: String
    let carriesBody: Bool
    /// Where files that are done are moved to; nil where they are deleted.
    let done: Place?

    enum Place: Equatable, Sendable {
        /// A name in the folder itself.
        case within(String)
        case elsewhere(String)
    }

    static let donePlace = ".done"

    /// - Throws: what is wrong with it.
    init(_ url: SourceURL) throws(SourceError) {
        shown = url.shown
        path = Self.trimmed(url.path)
        guard path.hasPrefix("/"), url.host.isEmpty else {
            throw SourceError(
                "\(url.shown) is no folder: the source is written file:///DIR?pattern=*.csv",
                isFinal: true
            )
        }
        pattern = url["pattern"] ?? "*"
        guard pattern.utf8.count <= 255, !pattern.contains("/"), !pattern.contains("\0") else {
            throw SourceError("\(url.shown): a pattern is for names in one folder, such as *.csv", isFinal: true)
        }
        carriesBody = url["body"] == "true"
        switch url["then"] ?? "move" {
        case "move":
            let place = url["done"] ?? Self.donePlace
            if place.hasPrefix("/") {
                done = .elsewhere(Self.trimmed(place))
            } else if !place.isEmpty, !place.contains("/"), place != ".", place != ".." {
                done = .within(place)
            } else {
                throw SourceError("\(url.shown): 'done' is a name in the folder, or a path from /", isFinal: true)
            }
        case "delete": done = nil
        default: throw SourceError("\(url.shown): 'then' is move or delete", isFinal: true)
        }
    }

    private static func trimmed(_ path: String) -> String {
        var path = path
        while path.count > 1, path.last == "/" { path.removeLast() }
        return path
    }

    /// Opens a folder that lies below one of those that the node's owner allows.
    static func open(_ path: String, below roots: [String]) throws(SourceError) -> OpenFolder {
        guard !roots.isEmpty else {
            throw SourceError("this node watches no folders; start it with thaw serve --watchable DIR", isFinal: true)
        }
        for root in roots.map(trimmed) where path == root || path.hasPrefix(root == "/" ? "/" : root + "/") {
            do throws(SystemError) {
                let rest = path.dropFirst(root.count).drop { $0 == "/" }
                return try OpenFolder(String(rest), beneath: root)
            } catch {
                throw SourceError("\(path) cannot be watched: \(error)")
            }
        }
        throw SourceError(
            "\(path) may not be watched: this node allows folders below \(roots.joined(separator: ", ")) "
                + "(thaw serve --watchable DIR)",
            isFinal: true
        )
    }

    /// Opens, or makes, where files that are done go; nil where they are deleted.
    func openDone(in folder: OpenFolder, below roots: [String]) throws(SourceError) -> OpenFolder? {
        guard let done else { return nil }
        var other: OpenFolder?
        if case .elsewhere(let path) = done { other = try Self.open(path, below: roots) }
        let isNear: Bool
        do throws(SystemError) {
            if case .within(let name) = done {
                try folder.makeFolder(name)
                other = try folder.folder(name)
            }
            isNear = try other?.identity().device == folder.identity().device
        } catch {
            throw SourceError("\(shown): the folder for files that are done: \(error)")
        }
        guard isNear else {
            throw SourceError("\(shown): 'done' lies in another file system; choose one in the same", isFinal: true)
        }
        return other
    }
}
