/// A function as its author describes it: `function.yaml`, checked and with every default filled in.
///
/// The packer parses it once from the bundle; the registry keeps it, as JSON, with the version that it describes.
package struct Manifest: Codable, Hashable, Sendable {
    /// `[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?`, so that it fits a URL, a host label and a file name.
    package var name: String
    package var description: String?
    package var runtime: FunctionRuntime
    /// The model that answers calls; nil for an echo, which returns its input.
    package var model: ModelReference?
    /// What a code function is started with: `module.function` for Python, the path of an executable in its code for a
    /// provided runtime; nil for the runtime's own name, and for models.
    package var handler: String?
    /// Where in the bundle the code is: a directory or a .zip file; nil means all of the bundle.
    package var code: String?
    /// Zip files of the bundle that are laid out in `/opt`, later ones over earlier ones; nil for none.
    package var layers: [String]?
    package var network: NetworkAccess
    /// Functions that its code may call.
    package var calls: [String]
    package var precision: Precision
    /// Inputs whose results are known, against which a deploy is checked; nil where it is not.
    package var golden: GoldenReference?
    /// What the packer measured, nil where there was nothing to measure; an author cannot say it.
    package var evidence: PrecisionReport?
    /// Command, relative to the bundle, that brings model files too large to keep beside the manifest.
    package var fetch: String?
    /// Command, relative to the bundle, that makes its code of what its author writes; run by `thaw deploy` and `thaw dev`.
    package var build: String?
    package var limits: FunctionLimits
    /// Threads that work on one call, 1 or 2; nil is 1.
    package var threads: Int?
    /// Calls that one worker serves at a time.
    package var concurrency: Int
    /// nil where every call is run by itself.
    package var batching: Batching?
    package var scaling: Scaling
    /// A path that also reaches this function, such as `/digits`.
    package var route: String?
    package var environment: [String: String]
    /// What becomes of calls that nobody waits for; nil for the node's defaults.
    package var events: EventSettings?
    /// What feeds it; nil where nothing is said, as in manifests of before.
    package var sources: [SourceSettings]?

    package init(
        name: String,
        description: String? = nil,
        runtime: FunctionRuntime = .model,
        model: ModelReference? = nil,
        handler: String? = nil,
        code: String? = nil,
        network: NetworkAccess = .none,
        calls: [String] = [],
        precision: Precision = .f32,
        golden: GoldenReference? = nil,
        fetch: String? = nil,
        build: String? = nil,
        limits: FunctionLimits = FunctionLimits(),
        threads: Int? = nil,
        concurrency: Int = 1,
        batching: Batching? = nil,
        scaling: Scaling = Scaling(),
        route: String? = nil,
        environment: [String: String] = [:],
        events: EventSettings? = nil,
        sources: [SourceSettings]? = nil
    ) {
        self.name = name
        self.description = description
        self.runtime = runtime
        self.model = model
        self.handler = handler
        self.code = code
        self.network = network
        self.calls = calls
        self.precision = precision
        self.golden = golden
        self.fetch = fetch
        self.build = build
        self.limits = limits
        self.threads = threads
        self.concurrency = concurrency
        self.batching = batching
        self.scaling = scaling
        self.route = route
        self.environment = environment
        self.events = events
        self.sources = sources
    }

    /// The task of the model, `echo` where there is none; `code` where the author's program answers.
    package var task: TaskKind {
        runtime == .model ? model?.task ?? .echo : .code
    }
}

/// What runs a function.
package enum FunctionRuntime: String, Codable, CaseIterable, Sendable {
    /// Thaw's own kernels run a model; no code of the author's.
    case model
    /// An executable of the bundle that speaks the Lambda Runtime API.
    case provided
    /// A Python function, imported once and forked.
    case python3
    /// A Swift executable built on `ThawFunction`, or on the Swift runtime for Lambda.
    case swift
}

/// What a code function reaches beside its caller.
package enum NetworkAccess: String, Codable, CaseIterable, Sendable {
    case none
    /// Connections to the outside, never to this machine.
    case egress
}

/// What a function does around its model.
package enum TaskKind: String, Codable, CaseIterable, Sendable {
    /// Texts in, one vector for each out.
    case embed
    /// A tensor or a text in, the likeliest label and all scores out.
    case classify
    /// Pairs of texts in, a score of each out.
    case rank
    /// Texts in, their parts that have a name out.
    case tag
    /// A tensor in, a tensor out.
    case tensor
    /// No model: the body comes back as it came.
    case echo = "none"
    /// The author's program answers; no model names this.
    case code

    /// What `model.task` may say.
    package static let ofModels = allCases.filter { $0 != .code }
}

/// Where the bundle keeps its model, and what to do with it.
package struct ModelReference: Codable, Hashable, Sendable {
    /// Path inside the bundle: a directory in Hugging Face layout, or an `.onnx` file.
    package var source: String
    package var task: TaskKind
    /// Names of the classes, in the order of the model's scores; nil where classes are called 0, 1, 2, ….
    package var labels: [String]?

    package init(source: String, task: TaskKind, labels: [String]? = nil) {
        self.source = source
        self.task = task
        self.labels = labels
    }
}

/// What one call, and one worker, may use.
package struct FunctionLimits: Codable, Hashable, Sendable {
    /// Memory of one worker; nil means that it follows from the model's size.
    package var memoryBytes: UInt64?
    package var timeoutMilliseconds: Int
    /// The largest body of a call.
    package var payloadBytes: Int
    /// Files that one worker of a code function may keep in `/tmp`.
    package var tmpBytes: UInt64
    /// The longest that code may take until it asks for its first call.
    package var initMilliseconds: Int

    package init(
        memoryBytes: UInt64? = nil,
        timeoutMilliseconds: Int = ManifestBounds.timeoutMillisecondsDefault,
        payloadBytes: Int = ManifestBounds.payloadBytesDefault,
        tmpBytes: UInt64 = ManifestBounds.tmpBytesDefault,
        initMilliseconds: Int = ManifestBounds.initMillisecondsDefault
    ) {
        self.memoryBytes = memoryBytes
        self.timeoutMilliseconds = timeoutMilliseconds
        self.payloadBytes = payloadBytes
        self.tmpBytes = tmpBytes
        self.initMilliseconds = initMilliseconds
    }
}

/// How many workers there may be, and how long an unused one stays.
package struct Scaling: Codable, Hashable, Sendable {
    package var min: Int
    /// nil means one for each core of the node.
    package var max: Int?
    package var idleMilliseconds: Int

    package init(
        min: Int = 0,
        max: Int? = nil,
        idleMilliseconds: Int = ManifestBounds.idleMillisecondsDefault
    ) {
        self.min = min
        self.max = max
        self.idleMilliseconds = idleMilliseconds
    }
}

/// Calls that are run as one: those that come while every worker is busy.
package struct Batching: Codable, Hashable, Sendable {
    /// Calls of one batch.
    package var max: Int
    /// How long calls gather before another worker is started for them, where one may be.
    package var delayMilliseconds: Int

    package init(max: Int = ManifestBounds.batchDefault, delayMilliseconds: Int = ManifestBounds.batchDelayDefault) {
        self.max = max
        self.delayMilliseconds = delayMilliseconds
    }
}
