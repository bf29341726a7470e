import Manifests
import Models
import Wire

/// The code of a function, taken out of its bundle.
struct CodeBundle {
    let image: CodeImage
    /// The files' bytes, by group.
    let groups: [[UInt8]]

    /// A file before it has a place.
    fileprivate struct Source {
        var path: String
        var isExecutable: Bool
        var contents: Contents

        enum Contents {
            case range(Range<Int>)
            case member(ZipArchive.Member)
        }
    }

    init(_ manifest: Manifest, of archive: Archive, in bytes: borrowing RawSpan) throws(PackRefusal) {
        let zip: (archive: ZipArchive, range: Range<Int>)?
        guard manifest.network == .none else {
            throw PackRefusal(
                kind: .invalid,
                message: "network: egress is not served by this version; a function reaches nothing but its caller"
            )
        }
        if let code = manifest.code, let range = archive.files[code] {
            zip = (try ZipArchive(code, bytes.extracting(range)), range)
        } else {
            zip = nil
        }
        var sources: [Source]
        if let zip { sources = Self.sources(zip.archive) } else { sources = try Self.sources(manifest, archive) }
        sources.sort { $0.path < $1.path }
        let total = sources.reduce(0) { $0 + $1.byteCount }
        guard total <= PackLimits.codeBytesMax else {
            throw PackRefusal(
                kind: .tooLarge,
                message: "the code has \(total) bytes; at most \(PackLimits.codeBytesMax) are taken"
            )
        }
        let handler = try Self.handler(manifest, Set(sources.map(\.path)))
        let runtime: CodeImage.Runtime = manifest.runtime == .python3 ? .python3 : .provided
        var groups: [[UInt8]] = [[]]
        var numbers: [Substring: Int] = [:]
        var files: [CodeImage.File] = []
        for source in sources {
            let number = Self.group(of: source.path, &numbers)
            if number == groups.count { groups.append([]) }
            let contents: [UInt8]
            switch (source.contents, zip) {
            case (.member(let member), let zip?):
                contents = try zip.archive.contents(of: member, in: bytes.extracting(zip.range))
            case (.range(let range), _):
                contents = FileBytes.copy(range, of: bytes)
            case (.member, nil):
                preconditionFailure("members come from a zip")
            }
            files.append(
                CodeImage.File(
                    path: source.path,
                    // Whoever names a program means it to run, and zip files from some tools have no modes.
                    isExecutable: source.isExecutable || runtime == .provided && source.path == handler,
                    group: UInt16(number),
                    offset: UInt64(groups[number].count),
                    byteCount: UInt64(contents.count)
                )
            )
            groups[number] += contents
        }
        image = CodeImage(runtime: runtime, handler: handler, files: files)
        self.groups = groups
    }

    private static func sources(_ zip: ZipArchive) -> [Source] {
        zip.members.map { Source(path: $0.path, isExecutable: $0.isExecutable, contents: .member($0)) }
    }

    private static func sources(_ manifest: Manifest, _ archive: Archive) throws(PackRefusal) -> [Source] {
        let prefix = manifest.code.map { $0 + "/" } ?? ""
        let sources = archive.files.compactMap { path, range -> Source? in
            guard path.hasPrefix(prefix), path != Manifest.fileName else { return nil }
            return Source(
                path: String(path.dropFirst(prefix.count)),
                isExecutable: archive.executables.contains(path),
                contents: .range(range)
            )
        }
        guard !sources.isEmpty else {
            let place = manifest.code.map { "\($0), which \(Manifest.fileName) names as its code, is" } ?? "its code is"
            throw PackRefusal(kind: .invalid, message: "\(place) not in the bundle; put it there, or correct code")
        }
        return sources
    }

    /// Files of one folder change together, and those at the top with them: each folder is a group, the top is the first.
    private static func group(of path: String, _ numbers: inout [Substring: Int]) -> Int {
        guard let slash = path.firstIndex(of: "/") else { return 0 }
        let folder = path[..<slash]
        if let number = numbers[folder] { return number }
        let number = min(numbers.count + 1, PackLimits.codeGroupsMax - 1)
        numbers[folder] = number
        return number
    }

    /// What the runtime starts, if it is there.
    private static func handler(_ manifest: Manifest, _ paths: Set<String>) throws(PackRefusal) -> String {
        guard manifest.runtime == .python3, let handler = manifest.handler else {
            let path = manifest.handler ?? "bootstrap"
            guard paths.contains(path) else {
                throw PackRefusal(
                    kind: .invalid,
                    message: "the code has no \(path), the program that runtime \(manifest.runtime.rawValue) starts"
                )
            }
            return path
        }
        let module = handler[..<(handler.lastIndex(of: ".") ?? handler.endIndex)].split(separator: ".")
            .joined(separator: "/")
        // One in C has the interpreter's name in its own.
        let isThere =
            paths.contains("\(module).py") || paths.contains("\(module)/__init__.py")
            || paths.contains { $0.hasPrefix("\(module).") && $0.hasSuffix(".so") }
        guard isThere else {
            throw PackRefusal(
                kind: .invalid,
                message: "the handler is \(handler), but the code has no \(module).py"
            )
        }
        return handler
    }
}

extension CodeBundle.Source {
    fileprivate var byteCount: Int {
        switch contents {
        case .range(let range): range.count
        case .member(let member): member.byteCount
        }
    }
}
