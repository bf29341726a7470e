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
    package var precision: Precision
    /// Inputs whose results are known, against which a deploy is checked; nil where it is not.
    package var golden: GoldenReference?
    /// What the packer measured, nil where there was nothing to measure; an author cannot say it.
    package var evidence: PrecisionReport?
    /// Command, relative to the bundle, that brings model files too large to keep beside the manifest.
    package var fetch: String?
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

    package init(
        name: String,
        description: String? = nil,
        runtime: FunctionRuntime = .model,
        model: ModelReference? = nil,
        precision: Precision = .f32,
        golden: GoldenReference? = nil,
        fetch: String? = nil,
        limits: FunctionLimits = FunctionLimits(),
        threads: Int? = nil,
        concurrency: Int = 1,
        batching: Batching? = nil,
        scaling: Scaling = Scaling(),
        route: String? = nil,
        environment: [String: String] = [:]
    ) {
        self.name = name
        self.description = description
        self.runtime = runtime
        self.model = model
        self.precision = precision
        self.golden = golden
        self.fetch = fetch
        self.limits = limits
        self.threads = threads
        self.concurrency = concurrency
        self.batching = batching
        self.scaling = scaling
        self.route = route
        self.environment = environment
    }

    /// The task of the model, `echo` where there is none.
    package var task: TaskKind {
        model?.task ?? .echo
    }
}

/// What runs a function.
package enum FunctionRuntime: String, Codable, CaseIterable, Sendable {
    /// Thaw's own kernels run a model; no code of the author's.
    case model
}

/// What a function does around its model.
package enum TaskKind: String, Codable, CaseIterable, Sendable {
    /// Texts in, one vector for each out.
    case embed
    /// A tensor in, the likeliest label and all scores out.
    case classify
    /// A tensor in, a tensor out.
    case tensor
    /// No model: the body comes back as it came.
    case echo = "none"
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

    package init(
        memoryBytes: UInt64? = nil,
        timeoutMilliseconds: Int = ManifestBounds.timeoutMillisecondsDefault,
        payloadBytes: Int = ManifestBounds.payloadBytesDefault
    ) {
        self.memoryBytes = memoryBytes
        self.timeoutMilliseconds = timeoutMilliseconds
        self.payloadBytes = payloadBytes
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
