extension Manifest {
    /// The manifest's name inside a bundle.
    package static let fileName = "function.yaml"

    /// Reads a manifest.
    ///
    /// `file` is the name that errors carry.
    package static func parse(yaml: String, file: String) throws(ManifestError) -> Manifest {
        try ManifestReader(file: file).manifest(try ManifestNode.root(yaml: yaml, file: file))
    }

    /// Reads a manifest from the bytes of a file, which must be UTF-8.
    package static func parse(bytes: [UInt8], file: String) throws(ManifestError) -> Manifest {
        guard let yaml = String(validating: bytes, as: UTF8.self) else {
            throw ManifestError(file: file, line: 0, column: 0, message: "the manifest is not UTF-8 text")
        }
        return try parse(yaml: yaml, file: file)
    }
}

/// Turns the tree of `function.yaml` into a ``Manifest``; one function a section.
struct ManifestReader {
    /// The keys of each section, as the published schema lists them.
    static let rootKeys = [
        "name", "description", "runtime", "model", "handler", "code", "layers", "network", "calls", "precision",
        "golden", "fetch", "build", "limits", "threads", "concurrency", "batching", "scaling", "route", "environment",
        "events", "sources", "schedules",
    ]
    /// Keys of the root that only code functions have, and only models.
    static let codeKeys = ["handler", "code", "layers", "network", "calls", "build"]
    static let modelOnlyKeys = ["model", "precision", "golden", "threads", "batching"]
    static let modelKeys = ["source", "task", "labels"]
    static let goldenKeys = ["file", "tolerance"]
    static let limitsKeys = ["memory", "timeout", "payload", "tmp", "init"]
    static let batchingKeys = ["max", "delay"]
    static let scalingKeys = ["min", "max", "idle"]
    static let scheduleKeys = ["expression", "zone", "input", "missed"]

    let file: String

    func manifest(_ root: ManifestNode) throws(ManifestError) -> Manifest {
        let fields = try root.fields(of: "the manifest", known: Self.rootKeys)
        guard let nameNode = fields["name"] else {
            throw root.error("name is missing; a function is called by it")
        }
        var manifest = Manifest(name: try name(nameNode))
        if let node = fields["description"] {
            manifest.description = try text(node, "description", bytesMax: ManifestBounds.descriptionBytesMax)
        }
        if let node = fields["runtime"] { manifest.runtime = try choice(node, "runtime") }
        if let node = fields["model"] {
            guard manifest.runtime == .model else {
                throw node.error("model goes with runtime model, not \(manifest.runtime.rawValue); drop one of them")
            }
            manifest.model = try model(node)
        }
        if let node = fields["precision"] { manifest.precision = try choice(node, "precision") }
        if let node = fields["golden"] { manifest.golden = try golden(node) }
        if let node = fields["fetch"] { manifest.fetch = try bundlePath(node, "fetch") }
        if let node = fields["limits"] { manifest.limits = try limits(node) }
        if let node = fields["threads"] { manifest.threads = try node.integer("threads", in: 1...2) }
        if let node = fields["concurrency"] { manifest.concurrency = try concurrency(node) }
        if let node = fields["batching"] { manifest.batching = try batching(node, manifest.concurrency) }
        if let node = fields["scaling"] { manifest.scaling = try scaling(node) }
        if let node = fields["route"] { manifest.route = try route(node) }
        if let node = fields["environment"] { manifest.environment = try environment(node) }
        if let node = fields["events"] { manifest.events = try events(node) }
        if let node = fields["sources"] { manifest.sources = try sources(node) }
        if let node = fields["schedules"] { manifest.schedules = try schedules(node) }
        try readCode(fields, root, into: &manifest)
        return manifest
    }

    /// What a function has that runs code of the author's.
    private func readCode(
        _ fields: [String: ManifestNode],
        _ root: ManifestNode,
        into manifest: inout Manifest
    ) throws(ManifestError) {
        guard manifest.runtime != .model else {
            for key in Self.codeKeys {
                if let extra = fields[key] {
                    throw extra.error("\(key) is for code, and runtime model runs none; drop one of them")
                }
            }
            return
        }
        for key in Self.modelOnlyKeys {
            if let extra = fields[key] {
                throw extra.error("\(key) is for models, and runtime \(manifest.runtime.rawValue) runs code; drop it")
            }
        }
        if let node = fields["handler"] { manifest.handler = try handler(node, manifest.runtime) }
        if manifest.runtime == .python3, manifest.handler == nil {
            throw root.error("handler is missing; for Python it is module.function, such as app.handler for app.py")
        }
        if let node = fields["code"] {
            let path = try text(node, "code", bytesMax: ManifestBounds.pathBytesMax)
            manifest.code = path == "." || path == "./" ? nil : try bundlePath(node, "code")
        }
        if let node = fields["build"] { manifest.build = try bundlePath(node, "build") }
        if let node = fields["layers"] { manifest.layers = try layers(node) }
        if let node = fields["network"] { manifest.network = try choice(node, "network") }
        if let node = fields["calls"] { manifest.calls = try calls(node) }
    }

    private func layers(_ node: ManifestNode) throws(ManifestError) -> [String] {
        var paths: [String] = []
        for element in try node.elements(of: "layers") { paths.append(try bundlePath(element, "a layer")) }
        guard paths.count <= ManifestBounds.layersMax else {
            throw node.error("layers names \(paths.count) files; at most \(ManifestBounds.layersMax) are taken")
        }
        guard Set(paths).count == paths.count else { throw node.error("layers names a file twice") }
        return paths
    }

    private func calls(_ node: ManifestNode) throws(ManifestError) -> [String] {
        var names: [String] = []
        for element in try node.elements(of: "calls") { names.append(try name(element)) }
        guard names.count <= ManifestBounds.callsMax else {
            throw node.error("calls names \(names.count) functions; at most \(ManifestBounds.callsMax) are taken")
        }
        return names
    }

    private func schedules(_ node: ManifestNode) throws(ManifestError) -> [ManifestSchedule] {
        var schedules: [ManifestSchedule] = []
        for element in try node.elements(of: "schedules") {
            let fields = try element.fields(of: "a schedule", known: Self.scheduleKeys)
            guard let expression = fields["expression"] else {
                throw element.error("a schedule's expression is missing; it is cron(…), rate(…) or at(…)")
            }
            var schedule = ManifestSchedule(
                expression: try text(expression, "expression", bytesMax: ManifestBounds.expressionBytesMax)
            )
            if let zone = fields["zone"] {
                schedule.zone = try text(zone, "zone", bytesMax: ManifestBounds.zoneBytesMax)
            }
            if let input = fields["input"] {
                schedule.input = try text(input, "input", bytesMax: ManifestBounds.inputBytesMax)
            }
            if let missed = fields["missed"] { schedule.missed = try choice(missed, "missed") }
            schedules.append(schedule)
        }
        guard schedules.count <= ManifestBounds.schedulesMax else {
            throw node.error(
                "schedules has \(schedules.count) entries; at most \(ManifestBounds.schedulesMax) are taken"
            )
        }
        return schedules
    }

    private func handler(_ node: ManifestNode, _ runtime: FunctionRuntime) throws(ManifestError) -> String {
        guard runtime == .python3 else { return try bundlePath(node, "handler") }
        let handler = try text(node, "handler", bytesMax: ManifestBounds.handlerBytesMax)
        let parts = handler.split(separator: ".", omittingEmptySubsequences: false)
        let isName = parts.allSatisfy { part in
            !part.isEmpty && part.utf8.allSatisfy { $0 > 0x20 && $0 != 0x7F && $0 != UInt8(ascii: "\\") }
        }
        guard parts.count > 1, isName else {
            throw node.error("handler should be module.function, such as app.handler for app.py, got \(node.kind)")
        }
        return handler
    }

    private func name(_ node: ManifestNode) throws(ManifestError) -> String {
        let name = try node.text("name")
        guard Manifest.isName(name) else {
            throw node.error(
                "name should be 1 to \(ManifestBounds.nameBytesMax) of a-z, 0-9 and -, without - at either end, "
                    + "got \(node.kind)"
            )
        }
        return name
    }

    /// `model: {task: none}` is the same as no model.
    private func model(_ node: ManifestNode) throws(ManifestError) -> ModelReference? {
        let fields = try node.fields(of: "model", known: Self.modelKeys)
        guard let taskNode = fields["task"] else {
            throw node.error("model.task is missing; it is one of \(Self.list(TaskKind.ofModels))")
        }
        let task: TaskKind = try choice(taskNode, "model.task", of: TaskKind.ofModels)
        if task == .echo {
            for key in ["source", "labels"] {
                if let extra = fields[key] {
                    throw extra.error("model.\(key) is given, but task none has no model; drop one of them")
                }
            }
            return nil
        }
        guard let sourceNode = fields["source"] else {
            throw node.error(
                "model.source is missing; it is the path in the bundle of a directory in Hugging Face layout or of an "
                    + ".onnx file"
            )
        }
        let source = try bundlePath(sourceNode, "model.source")
        var labels: [String]?
        if let labelsNode = fields["labels"] {
            guard task == .classify || task == .tag else {
                throw labelsNode.error(
                    "model.labels names classes, so it goes with task classify or tag, not \(task.rawValue)"
                )
            }
            labels = try self.labels(labelsNode)
        }
        return ModelReference(source: source, task: task, labels: labels)
    }

    private func labels(_ node: ManifestNode) throws(ManifestError) -> [String] {
        var labels: [String] = []
        for element in try node.elements(of: "model.labels") {
            let label = try text(element, "a label", bytesMax: ManifestBounds.labelBytesMax)
            labels.append(label)
        }
        guard !labels.isEmpty else {
            throw node.error("model.labels is empty; leave it out to have classes called 0, 1, 2, …")
        }
        guard Set(labels).count == labels.count else {
            throw node.error("model.labels names a class twice")
        }
        return labels
    }

    private func golden(_ node: ManifestNode) throws(ManifestError) -> GoldenReference {
        let fields = try node.fields(of: "golden", known: Self.goldenKeys)
        guard let fileNode = fields["file"] else {
            throw node.error(
                "golden.file is missing; it is the path in the bundle of a JSON file with inputs and outputs"
            )
        }
        var golden = GoldenReference(file: try bundlePath(fileNode, "golden.file"))
        if let tolerance = fields["tolerance"] {
            golden.tolerance = try tolerance.fraction("golden.tolerance", max: ManifestBounds.toleranceMax)
        }
        return golden
    }

    private func limits(_ node: ManifestNode) throws(ManifestError) -> FunctionLimits {
        let fields = try node.fields(of: "limits", known: Self.limitsKeys)
        var limits = FunctionLimits()
        if let memory = fields["memory"] {
            limits.memoryBytes = try memory.byteCount(
                "limits.memory",
                in: ManifestBounds.memoryBytesMin...ManifestBounds.memoryBytesMax
            )
        }
        if let timeout = fields["timeout"] {
            limits.timeoutMilliseconds = try timeout.milliseconds(
                "limits.timeout",
                in: 1...ManifestBounds.timeoutMillisecondsMax
            )
        }
        if let payload = fields["payload"] {
            limits.payloadBytes = Int(
                try payload.byteCount("limits.payload", in: 1...UInt64(ManifestBounds.payloadBytesMax))
            )
        }
        if let tmp = fields["tmp"] {
            limits.tmpBytes = try tmp.byteCount("limits.tmp", in: 0...ManifestBounds.tmpBytesMax)
        }
        if let node = fields["init"] {
            limits.initMilliseconds = try node.milliseconds(
                "limits.init",
                in: 1...ManifestBounds.timeoutMillisecondsMax
            )
        }
        return limits
    }

    private func batching(_ node: ManifestNode, _ concurrency: Int) throws(ManifestError) -> Batching {
        guard concurrency == 1 else {
            throw node.error("batching runs calls together, and concurrency one beside the other; drop one of them")
        }
        let fields = try node.fields(of: "batching", known: Self.batchingKeys)
        var batching = Batching()
        if let max = fields["max"] {
            batching.max = try max.integer("batching.max", in: 2...ManifestBounds.batchMax)
        }
        if let delay = fields["delay"] {
            batching.delayMilliseconds = try delay.milliseconds(
                "batching.delay",
                in: 0...ManifestBounds.batchDelayMillisecondsMax
            )
        }
        return batching
    }

    private func concurrency(_ node: ManifestNode) throws(ManifestError) -> Int {
        try node.integer("concurrency", in: 1...ManifestBounds.concurrencyMax)
    }

    private func scaling(_ node: ManifestNode) throws(ManifestError) -> Scaling {
        let fields = try node.fields(of: "scaling", known: Self.scalingKeys)
        var scaling = Scaling()
        if let min = fields["min"] { scaling.min = try min.integer("scaling.min", in: 0...ManifestBounds.workersMax) }
        if let max = fields["max"] {
            scaling.max = try max.integer("scaling.max", in: 1...ManifestBounds.workersMax)
            if let limit = scaling.max, scaling.min > limit {
                throw max.error("scaling.max is \(limit), below scaling.min, which is \(scaling.min)")
            }
        }
        if let idle = fields["idle"] {
            scaling.idleMilliseconds = try idle.milliseconds(
                "scaling.idle",
                in: 0...ManifestBounds.idleMillisecondsMax
            )
        }
        return scaling
    }

    private func route(_ node: ManifestNode) throws(ManifestError) -> String {
        let route = try text(node, "route", bytesMax: ManifestBounds.routeBytesMax)
        let segments = route.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        let isPlain = segments.allSatisfy { segment in
            !segment.isEmpty && segment != "." && segment != ".." && segment.utf8.allSatisfy(Self.isUnreserved)
        }
        guard route.hasPrefix("/"), !segments.isEmpty, isPlain else {
            throw node.error(
                "route should be a path such as \"/digits\": segments of letters, digits, -, ., _ and ~, each after a "
                    + "/, got \(node.kind)"
            )
        }
        if let first = segments.first, ManifestBounds.reservedRoutes.contains(String(first)) {
            throw node.error("route may not begin with /\(first), which Thaw answers itself; choose another first word")
        }
        return route
    }

    private func environment(_ node: ManifestNode) throws(ManifestError) -> [String: String] {
        var environment: [String: String] = [:]
        var byteCount = 0
        for (key, name, value) in try node.texts(of: "environment") {
            let isName =
                !name.isEmpty && !Self.isDigit(name.utf8.first)
                && name.utf8.allSatisfy { Self.isUnreserved($0) && $0 != 0x2D && $0 != 0x2E && $0 != 0x7E }
            guard isName else {
                throw key.error("an environment name is letters, digits and _, not a digit first, got \"\(name)\"")
            }
            guard !value.utf8.contains(0) else {
                throw key.error("environment.\(name) holds a zero character, which no environment can carry")
            }
            // As the kernel lays them out: NAME=value and a zero.
            byteCount += name.utf8.count + value.utf8.count + 2
            guard byteCount <= ManifestBounds.environmentBytesMax else {
                throw key.error(
                    "the environment may have \(ManifestBounds.environmentBytesMax) bytes in all, and "
                        + "\(name) goes beyond; keep long values in a file of the bundle"
                )
            }
            environment[name] = value
        }
        return environment
    }

    /// A relative path that stays in the bundle, `./` in front allowed and dropped.
    private func bundlePath(_ node: ManifestNode, _ section: String) throws(ManifestError) -> String {
        let path = try text(node, section, bytesMax: ManifestBounds.pathBytesMax)
        var segments = path.split(separator: "/", omittingEmptySubsequences: false)
        if segments.first == "." { segments.removeFirst() }
        if segments.count > 1, segments.last == "" { segments.removeLast() }
        let isPlain = segments.allSatisfy { $0 != "" && $0 != "." && $0 != ".." }
        guard !segments.isEmpty, isPlain, path.utf8.allSatisfy({ $0 >= 0x20 && $0 != 0x7F }) else {
            throw node.error("\(section) should be a relative path inside the bundle, without .., got \(node.kind)")
        }
        return segments.joined(separator: "/")
    }

    private func text(_ node: ManifestNode, _ section: String, bytesMax: Int) throws(ManifestError) -> String {
        let text = try node.text(section)
        guard !text.isEmpty else {
            throw node.error("\(section) is empty")
        }
        guard text.utf8.count <= bytesMax else {
            throw node.error("\(section) may have \(bytesMax) bytes, this one has \(text.utf8.count)")
        }
        return text
    }

    private func choice<Choice: RawRepresentable & CaseIterable & Equatable>(
        _ node: ManifestNode,
        _ section: String,
        of choices: [Choice] = Array(Choice.allCases)
    ) throws(ManifestError) -> Choice where Choice.RawValue == String {
        guard let choice = node.word.flatMap(Choice.init(rawValue:)), choices.contains(choice) else {
            throw node.error("\(section) should be one of \(Self.list(choices)), got \(node.kind)")
        }
        return choice
    }

    private static func list(_ choices: [some RawRepresentable<String>]) -> String {
        choices.map(\.rawValue).joined(separator: ", ")
    }

    private static func isDigit(_ byte: UInt8?) -> Bool {
        byte.map { (0x30...0x39).contains($0) } ?? false
    }

    /// The characters that a URL path carries as they are (RFC 3986, section 2.3).
    private static func isUnreserved(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x5A, 0x61...0x7A, 0x2D, 0x2E, 0x5F, 0x7E: true
        default: false
        }
    }
}

extension Manifest {
    /// Whether `text` may name a function.
    package static func isName(_ text: String) -> Bool {
        guard !text.isEmpty, text.utf8.count <= ManifestBounds.nameBytesMax else { return false }
        guard !text.hasPrefix("-"), !text.hasSuffix("-") else { return false }
        return text.utf8.allSatisfy { (0x61...0x7A).contains($0) || (0x30...0x39).contains($0) || $0 == 0x2D }
    }
}
