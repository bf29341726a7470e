import Linux
import Sandboxing
import Serving
import Snapshots
import Wire

/// Writes the files of a code function where its program looks for them.
struct TaskFolder {
    private let snapshot: LoadedSnapshot
    private let image: CodeImage

    init(_ snapshot: LoadedSnapshot, _ image: CodeImage) {
        self.snapshot = snapshot
        self.image = image
    }

    /// Writes all files, then closes the folder for good.
    func write() throws {
        var folders: Set<Substring> = []
        for file in image.files {
            let path = Self.path(of: file)
            if let slash = path.lastIndex(of: "/"), folders.insert(path[..<slash]).inserted {
                try Directory.make(String(path[..<slash]))
            }
            try write(file, to: path)
        }
        try Jail.closeCodeFolders()
    }

    private static func path(of file: CodeImage.File) -> String {
        switch file.root {
        case .task: "\(Jail.taskFolder)/\(file.path)"
        case .layers: "\(Jail.layersFolder)/\(file.path)"
        }
    }

    private func write(_ file: CodeImage.File, to path: String) throws {
        let output = try FileDescriptor.open(
            path,
            [.writing, .creating, .exclusive, .notFollowingLinks],
            permissions: file.isExecutable ? 0o755 : 0o644
        )
        if file.byteCount == 0 { return }
        guard let group = snapshot.entry(CodeImage.groupName(Int(file.group))),
            file.offset <= UInt64(group.byteCount), file.byteCount <= UInt64(group.byteCount) - file.offset
        else {
            throw LoadFailure(message: "the snapshot does not hold all of its file \(file.path)")
        }
        let (start, count) = (Int(file.offset), Int(file.byteCount))
        try snapshot.withBytes(of: group) { (bytes) throws in
            try output.writeAll(bytes.extracting(start..<start + count))
        }
    }
}
