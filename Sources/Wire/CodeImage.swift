/// A code function as its snapshot carries it: how it starts, and which bytes of the snapshot are which file.
///
/// The entry ``entryName`` holds this; the files' bytes lie in the entries ``CodeImage/groupName(_:)``, one for each part of the
/// bundle that changes together, so that the next version stores only what it changed.
package struct CodeImage: Equatable, Sendable {
    package enum Runtime: UInt8, Sendable, CaseIterable {
        /// An executable that speaks the Lambda Runtime API.
        case provided = 1
        /// A Python module, imported once and forked.
        case python3 = 2
    }

    /// Where a file lies in the jail.
    package enum Root: UInt8, Sendable, CaseIterable {
        /// Beside the handler, `/var/task`.
        case task = 0
        /// What layers brought, `/opt`.
        case layers = 1
    }

    /// One regular file.
    package struct File: Equatable, Sendable {
        package var root: Root
        /// Below its root, with `/`; no empty part, no `.` and no `..`.
        package var path: String
        package var isExecutable: Bool
        /// Which group has its bytes.
        package var group: UInt16
        /// Where in the group they begin.
        package var offset: UInt64
        package var byteCount: UInt64

        package init(
            root: Root = .task,
            path: String,
            isExecutable: Bool,
            group: UInt16,
            offset: UInt64,
            byteCount: UInt64
        ) {
            self.root = root
            self.path = path
            self.isExecutable = isExecutable
            self.group = group
            self.offset = offset
            self.byteCount = byteCount
        }
    }

    package static let entryName = "code"

    package static func groupName(_ number: Int) -> String {
        "files/\(number)"
    }

    package var runtime: Runtime
    /// `module.function` for Python; the path of the executable for a provided runtime.
    package var handler: String
    /// In the order of their paths, those of the task first.
    package var files: [File]

    package init(runtime: Runtime, handler: String, files: [File]) {
        self.runtime = runtime
        self.handler = handler
        self.files = files
    }

    package func encoded() -> [UInt8] {
        var writer = ByteWriter()
        writer.append(Self.version)
        writer.append(runtime.rawValue)
        writer.append(text: handler)
        writer.append(UInt32(files.count))
        for file in files {
            writer.append(file.root.rawValue)
            writer.append(text: file.path)
            writer.append(UInt8(file.isExecutable ? 1 : 0))
            writer.append(file.group)
            writer.append(file.offset)
            writer.append(file.byteCount)
        }
        return writer.bytes
    }

    package init(parsing bytes: [UInt8]) throws(WireError) {
        var reader = ByteReader(bytes)
        let version = try reader.read(UInt16.self)
        guard version == Self.version || version == Self.versionWithoutLayers else { throw .version(version) }
        let number = try reader.read(UInt8.self)
        guard let runtime = Runtime(rawValue: number) else { throw .unknownKind(number) }
        self.runtime = runtime
        handler = try reader.readText(countMax: Self.handlerBytesMax)
        files = []
        for _ in 0..<(try reader.read(UInt32.self)) {
            let rootNumber = version == Self.version ? try reader.read(UInt8.self) : Root.task.rawValue
            guard let root = Root(rawValue: rootNumber) else { throw .unknownKind(rootNumber) }
            let path = try reader.readText(countMax: Self.pathBytesMax)
            guard Self.isPath(path) else { throw .notText }
            let flag = try reader.read(UInt8.self)
            guard flag <= 1 else { throw .unknownKind(flag) }
            files.append(
                File(
                    root: root,
                    path: path,
                    isExecutable: flag == 1,
                    group: try reader.read(UInt16.self),
                    offset: try reader.read(UInt64.self),
                    byteCount: try reader.read(UInt64.self)
                )
            )
        }
        try reader.finish()
    }

    /// Whether a path stays below the root that it is relative to.
    package static func isPath(_ path: String) -> Bool {
        guard !path.isEmpty, !path.utf8.contains(0) else { return false }
        return path.split(separator: "/", omittingEmptySubsequences: false).allSatisfy { part in
            part != "" && part != "." && part != ".."
        }
    }

    private static let version: UInt16 = 2
    /// Of snapshots that are still there: all files are the task's.
    private static let versionWithoutLayers: UInt16 = 1
    package static let pathBytesMax = 1024
    package static let handlerBytesMax = 255
}
