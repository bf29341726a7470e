import Graphs
import Inference
import Linux
import Manifests
import Models
import Snapshots
import Tasks
import Wire

/// Makes a snapshot of a bundle.
enum Packer {
    /// Stands in every snapshot; another number says that the same bundle may give another snapshot.
    static let producer = "thaw-pack 6"

    /// Packs `bundle`, a tar archive that is open for reading, into `snapshot`.
    ///
    /// The snapshot is empty, open for reading and writing; what `catalog` knows is referred to where that pays. What is in it after a refusal is no snapshot.
    static func pack(
        _ bundle: borrowing FileDescriptor,
        with packages: PackageFiles? = nil,
        into snapshot: consuming FileDescriptor,
        sharing catalog: TensorCatalog = TensorCatalog()
    ) throws(PackRefusal) -> PackedFunction {
        let start = Clock.monotonicNanoseconds()
        let size: SnapshotSize
        let manifest: Manifest
        let signature: ModelSignature?
        do {
            let mapping = try map(bundle)
            var output = try SnapshotOutput(snapshot, sharing: catalog)
            (manifest, signature) = try mapping.withBytes { (bytes) throws(PackRefusal) in
                try write(bytes, packages, to: &output)
            }
            size = try output.finish()
        }
        return PackedFunction(
            manifest: manifest,
            snapshotDigest: size.digest.hex,
            arenaBytes: size.arenaBytes,
            storedBytes: size.storedBytes,
            tensorCount: size.entryCount,
            task: manifest.task,
            signature: signature,
            seconds: Double(Clock.monotonicNanoseconds() - start) / 1e9
        )
    }

    /// Writes what a bundle holds.
    ///
    /// - Parameter layers: nil where the bundle's own manifest names them. With some, it is the bundle in a zip: one in that
    ///   is none.
    private static func write(
        _ bytes: borrowing RawSpan,
        _ packages: PackageFiles?,
        to output: inout SnapshotOutput,
        nestedWith layers: [String]? = nil,
        in zip: String? = nil
    ) throws(PackRefusal) -> (Manifest, ModelSignature?) {
        let archive = try Archive(bytes)
        var manifest = try self.manifest(of: archive, bytes)
        guard manifest.runtime == .model else {
            if layers == nil, let bundle = try NestedBundle(manifest, of: archive, in: bytes) {
                return try unsafe write(
                    bundle.bytes.span.bytes,
                    packages,
                    to: &output,
                    nestedWith: bundle.layers,
                    in: manifest.code
                )
            }
            let zips = layers.map { $0 + (manifest.layers ?? []) } ?? manifest.layers ?? []
            let wanted = try PackageOrder(manifest, of: archive, in: bytes, inside: zip)
            if packages == nil, let wanted {
                throw PackRefusal(kind: .packages, message: "packages are to be installed", packages: wanted)
            }
            let beside = wanted == nil ? nil : packages
            try write(try CodeBundle(manifest, layers: zips, with: beside, of: archive, in: bytes), to: &output)
            return (manifest, nil)
        }
        let model = try self.model(manifest, of: archive, bytes)
        let task = try TaskConfiguration(manifest, model)
        let signature = try self.signature(task, model, manifest)
        try output.add("task", task.encoded())
        if let model {
            let choice = try PrecisionChoice(manifest, model, of: archive, bytes)
            manifest.evidence = choice.report
            switch choice.model {
            case .plan(let model): try write(model, choice, bytes, to: &output)
            case .graph(let model): try write(model, bytes, to: &output)
            }
        }
        return (manifest, signature)
    }

    static func map(_ bundle: borrowing FileDescriptor) throws(PackRefusal) -> Mapping {
        func unreadable(_ error: SystemError) -> PackRefusal {
            PackRefusal(kind: .storage, message: "the bundle cannot be read: \(error)")
        }
        let byteCount: Int
        do throws(SystemError) {
            byteCount = try bundle.size()
        } catch {
            throw unreadable(error)
        }
        guard byteCount > 0 else {
            throw PackRefusal(kind: .invalid, message: "the bundle is empty")
        }
        guard byteCount <= PackLimits.archiveBytesMax else {
            throw PackRefusal(
                kind: .tooLarge,
                message: "the bundle has \(byteCount) bytes; at most \(PackLimits.archiveBytesMax) are taken"
            )
        }
        do throws(SystemError) {
            return try Mapping.file(bundle, byteCount: byteCount)
        } catch {
            throw unreadable(error)
        }
    }

    private static func manifest(of archive: Archive, _ bytes: borrowing RawSpan) throws(PackRefusal) -> Manifest {
        guard let range = archive.files[Manifest.fileName] else {
            throw PackRefusal(kind: .invalid, message: "the bundle has no \(Manifest.fileName) at its top")
        }
        guard range.count <= ManifestBounds.fileBytesMax else {
            throw PackRefusal(
                kind: .tooLarge,
                message:
                    "\(Manifest.fileName) has \(range.count) bytes; at most \(ManifestBounds.fileBytesMax) are read"
            )
        }
        do throws(ManifestError) {
            return try Manifest.parse(bytes: FileBytes.copy(range, of: bytes), file: Manifest.fileName)
        } catch {
            throw PackRefusal(kind: .invalid, message: error.description)
        }
    }

    /// nil for a function without a model.
    private static func model(
        _ manifest: Manifest,
        of archive: Archive,
        _ bytes: borrowing RawSpan
    ) throws(PackRefusal) -> EngineModel? {
        guard let reference = manifest.model else { return nil }
        do throws(ModelError) {
            let files = ModelFiles(ranges: archive.files)
            return try ModelImporter.importModel(
                source: reference.source,
                for: TextTask(reference.task),
                of: files,
                in: bytes
            )
        } catch {
            throw PackRefusal(error, fetch: manifest.fetch)
        }
    }

    private static func signature(
        _ task: TaskConfiguration,
        _ model: EngineModel?,
        _ manifest: Manifest
    ) throws(PackRefusal) -> ModelSignature? {
        guard let model, let reference = manifest.model else { return nil }
        return ModelSignature(try TensorSignature(task, model, reference))
    }

    private static func write(_ code: CodeBundle, to output: inout SnapshotOutput) throws(PackRefusal) {
        try output.add(CodeImage.entryName, code.image.encoded())
        for (number, bytes) in code.groups.enumerated() {
            try output.add(CodeImage.groupName(number), bytes)
        }
    }

    /// The entries that a worker looks for after its task, in the order in which it needs them.
    private static func write(
        _ model: ImportedGraph,
        _ archive: borrowing RawSpan,
        to output: inout SnapshotOutput
    ) throws(PackRefusal) {
        try output.add("graph", model.graph.encoded())
        for (constant, source) in zip(model.graph.constants, model.sources) where constant.element != .string {
            try source.withBytes(in: archive) { (bytes) throws(PackRefusal) in
                try output.add(constant, bytes)
            }
        }
    }

    private static func write(
        _ model: ImportedModel,
        _ choice: PrecisionChoice,
        _ archive: borrowing RawSpan,
        to output: inout SnapshotOutput
    ) throws(PackRefusal) {
        try output.add("plan", model.plan.encoded())
        if let tokenizer = model.tokenizer {
            try output.add("tokenizer", tokenizer)
        }
        let tables = rowTables(of: model.plan)
        let isTable = model.plan.weights.indices.map { tables.contains($0) }
        for access in [SnapshotEntry.Access.whole, .rows] {
            for number in model.plan.weights.indices where isTable[number] == (access == .rows) {
                try choice.withBytes(of: number, model, in: archive) { (bytes) throws(PackRefusal) in
                    try output.add(model.plan.weights[number], access, bytes)
                }
            }
        }
    }

    /// Weights of which a call reads the rows of its tokens and nothing else; they come last.
    private static func rowTables(of plan: Plan) -> Set<Plan.WeightIndex> {
        var tables: Set<Plan.WeightIndex> = []
        for case .embed(let words, _, _, _) in plan.steps
        where plan.weights[words].layout == .plain && plan.weights[words].wordCount >= rowTableFloatsMin {
            tables.insert(words)
        }
        // One that is also read by its first rows is none; every other step reads vectors and panels.
        for case .embed(_, let positions, let types, _) in plan.steps {
            tables.subtract([positions, types])
        }
        return tables
    }

    /// 1 MiB, which is decoded in a quarter of a millisecond: below it, pages of its own are not worth their rounding.
    private static let rowTableFloatsMin = 1 << 18
}

extension TextTask {
    /// What a directory is read for; `tensor` and `none` are refused once it is known to be one.
    fileprivate init(_ task: TaskKind) {
        switch task {
        case .classify: self = .classify
        case .rank: self = .rank
        case .tag: self = .tag
        case .embed, .tensor, .echo, .code: self = .embed
        }
    }
}

extension PackRefusal {
    /// A model that cannot be read; `fetch` is the command of the bundle that brings missing files.
    init(_ error: ModelError, fetch: String?) {
        switch error {
        case .invalid(let message): self.init(kind: .invalid, message: message)
        case .unsupported(let message): self.init(kind: .unsupported, message: message)
        case .tooLarge(let message): self.init(kind: .tooLarge, message: message)
        case .missing(let message):
            let hint = fetch.map { "; run ./\($0) in the function's folder, which brings it, and deploy again" } ?? ""
            self.init(kind: .invalid, message: message + hint)
        }
    }
}
