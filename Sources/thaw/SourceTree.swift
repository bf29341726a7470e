import Foundation
import Linux

/// The files of a folder as they are now, to see whether anything has changed.
struct SourceTree: Equatable, Sendable {
    private struct State: Equatable {
        var byteCount: Int
        var modified: Date
        var permissions: Int
    }

    private var files: [String: State] = [:]
    /// Every folder below, itself included.
    private(set) var folders: [String] = []

    /// Folders in which tools keep what is nobody's source.
    private static let skipped: Set<String> = [".git", ".build", "__pycache__", "node_modules", ".venv"]

    /// What cannot be read counts as not there: an editor may be replacing it at this moment.
    init(directory: String) {
        add(directory)
    }

    private mutating func add(_ folder: String) {
        folders.append(folder)
        let names = (try? FileManager.default.contentsOfDirectory(atPath: folder)) ?? []
        for name in names where !Self.skipped.contains(name) {
            let path = folder + "/" + name
            guard let attributes = try? FileManager.default.attributesOfItem(atPath: path) else { continue }
            switch attributes[.type] as? FileAttributeType {
            case .typeDirectory:
                add(path)
            case .typeRegular:
                files[path] = State(
                    byteCount: (attributes[.size] as? NSNumber)?.intValue ?? 0,
                    modified: attributes[.modificationDate] as? Date ?? .distantPast,
                    permissions: (attributes[.posixPermissions] as? NSNumber)?.intValue ?? 0
                )
            default:
                continue
            }
        }
    }

    static func == (one: SourceTree, other: SourceTree) -> Bool {
        one.files == other.files
    }
}
