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
        var root = CodeImage.Root.task
        var path: String
        var isExecutable: Bool
        var contents: Contents

        enum Contents {
            case range(Range<Int>)
            /// Of the zip with that number.
            case member(ZipArchive.Member, zip: Int)
            /// Of the packages' archive.
            case package(Range<Int>)
        }
    }

    /// A zip file of the bundle, and where it lies.
    private struct Zip {
        let archive: ZipArchive
        let range: Range<Int>
    }

    /// - Parameters:
    ///   - packages: what lies beside the code; of two files with one path the author's own holds.
    ///   - layers: zip files of the bundle; those that its manifest names, where nobody else has named some.
    init(
        _ manifest: Manifest,
        layers: [String],
        with packages: PackageFiles? = nil,
        of archive: Archive,
        in bytes: borrowing RawSpan
    ) throws(PackRefusal) {
        var zips: [Zip] = []
        var sources: [Source]
        if let code = manifest.code, let range = archive.files[code] {
            zips.append(Zip(archive: try ZipArchive(code, bytes.extracting(range)), range: range))
            sources = Self.sources(zips[0].archive, zip: 0)
        } else {
            sources = try Self.sources(manifest, layers, archive)
        }
        if let packages {
            let own = Set(sources.map(\.path))
            sources += packages.archive.files.compactMap { path, range in
                guard !own.contains(path) else { return nil }
                let isExecutable = packages.archive.executables.contains(path)
                return Source(path: path, isExecutable: isExecutable, contents: .package(range))
            }
        }
        sources.sort { $0.path < $1.path }
        let handler = try Self.handler(manifest, Set(sources.map(\.path)))
        sources += try Self.sources(ofLayers: layers, &zips, archive, bytes)
        let total = sources.reduce(0) { $0 + $1.byteCount }
        guard total <= PackLimits.codeBytesMax else {
            throw PackRefusal(
                kind: .tooLarge,
                message: "the code has \(total) bytes, layers included; at most \(PackLimits.codeBytesMax) are taken"
            )
        }
        let runtime: CodeImage.Runtime = manifest.runtime == .python3 ? .python3 : .provided
        var groups: [[UInt8]] = [[]]
        var numbers: [String: Int] = [:]
        var files: [CodeImage.File] = []
        for source in sources {
            let number = Self.group(of: source, &numbers)
            if number == groups.count { groups.append([]) }
            let contents: [UInt8] =
                switch source.contents {
                case .member(let member, let zip):
                    try zips[zip].archive.contents(of: member, in: bytes.extracting(zips[zip].range))
                case .range(let range):
                    FileBytes.copy(range, of: bytes)
                case .package(let range):
                    Array(packages?.bytes[range] ?? [])
                }
            files.append(
                CodeImage.File(
                    root: source.root,
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

    private static func sources(_ zip: ZipArchive, zip number: Int, root: CodeImage.Root = .task) -> [Source] {
        zip.members.map {
            Source(root: root, path: $0.path, isExecutable: $0.isExecutable, contents: .member($0, zip: number))
        }
    }

    private static func sources(
        _ manifest: Manifest,
        _ layers: [String],
        _ archive: Archive
    ) throws(PackRefusal) -> [Source] {
        let prefix = manifest.code.map { $0 + "/" } ?? ""
        let sources = archive.files.compactMap { path, range -> Source? in
            guard path.hasPrefix(prefix), path != Manifest.fileName, !layers.contains(path) else { return nil }
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

    /// The files of all layers in the order of their paths: of two with the same path the later layer's.
    private static func sources(
        ofLayers layers: [String],
        _ zips: inout [Zip],
        _ archive: Archive,
        _ bytes: borrowing RawSpan
    ) throws(PackRefusal) -> [Source] {
        var chosen: [String: Source] = [:]
        for layer in layers {
            guard let range = archive.files[layer] else {
                throw PackRefusal(
                    kind: .invalid,
                    message: "the layer \(layer) is not in the bundle; put the zip file there, or correct layers"
                )
            }
            zips.append(Zip(archive: try ZipArchive(layer, bytes.extracting(range)), range: range))
            for source in Self.sources(zips[zips.count - 1].archive, zip: zips.count - 1, root: .layers) {
                chosen[source.path] = source
            }
        }
        // One layer's file may be another one's folder.
        for path in chosen.keys {
            for index in path.indices where path[index] == "/" && chosen[String(path[..<index])] != nil {
                throw PackRefusal(
                    kind: .invalid,
                    message: "the layers disagree: \(path[..<index]) is a file in one and a folder in another"
                )
            }
        }
        return chosen.values.sorted { $0.path < $1.path }
    }

    /// What changes together is a group: the top, which is the first, each folder, and each layer.
    private static func group(of source: Source, _ numbers: inout [String: Int]) -> Int {
        let key: String
        if case .member(_, let zip) = source.contents, source.root == .layers {
            key = "/\(zip)"
        } else if let slash = source.path.firstIndex(of: "/") {
            key = String(source.path[..<slash])
        } else {
            return 0
        }
        if let number = numbers[key] { return number }
        let number = min(numbers.count + 1, PackLimits.codeGroupsMax - 1)
        numbers[key] = number
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
        case .range(let range), .package(let range): range.count
        case .member(let member, _): member.byteCount
        }
    }
}
