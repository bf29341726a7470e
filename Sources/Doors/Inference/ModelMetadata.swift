import Invoking
import Manifests
import Registry

/// `GET /v2/models/{model}`.
struct ModelMetadata: Encodable {
    var name: String
    var versions: [String]
    var platform: String
    var inputs: [ModelSignature.Port]
    var outputs: [ModelSignature.Port]

    init(_ version: FunctionVersion, name: String, all: [FunctionVersion]) {
        self.name = name
        versions = all.map { String($0.version) }
        platform = ModelConfiguration.platform(version)
        inputs = version.snapshot.signature?.inputs ?? []
        outputs = version.snapshot.signature?.outputs ?? []
    }
}

/// `GET /v2/models/{model}/config`, in the words of Triton's model configuration.
struct ModelConfiguration: Encodable {
    struct Port: Encodable {
        var name: String
        var dataType: String
        var dims: [Int]

        private enum CodingKeys: String, CodingKey {
            case name, dims
            case dataType = "data_type"
        }
    }

    struct VersionPolicy: Encodable {
        struct Specific: Encodable {
            var versions: [Int]
        }

        var specific: Specific
    }

    var name: String
    var platform: String
    var backend = "thaw"
    var versionPolicy: VersionPolicy
    /// 0 where the first dimension is none of a batch; then it is part of the shapes.
    var maxBatchSize: Int
    var input: [Port]
    var output: [Port]

    private enum CodingKeys: String, CodingKey {
        case name, platform, backend, input, output
        case versionPolicy = "version_policy"
        case maxBatchSize = "max_batch_size"
    }

    init(_ version: FunctionVersion, name: String) {
        self.name = name
        platform = Self.platform(version)
        versionPolicy = VersionPolicy(specific: .init(versions: [version.version]))
        maxBatchSize = 0
        input = (version.snapshot.signature?.inputs ?? []).map(Self.port)
        output = (version.snapshot.signature?.outputs ?? []).map(Self.port)
    }

    static func platform(_ version: FunctionVersion) -> String {
        "thaw_\(version.snapshot.task.rawValue)"
    }

    private static func port(_ port: ModelSignature.Port) -> Port {
        let dataType = port.datatype == "BYTES" ? "TYPE_STRING" : "TYPE_\(port.datatype)"
        return Port(name: port.name, dataType: dataType, dims: port.shape)
    }
}

/// `GET /v2/models/{model}/stats`: calls since the node started.
struct ModelStatistics: Encodable {
    struct List: Encodable {
        var modelStats: [ModelStatistics]

        private enum CodingKeys: String, CodingKey {
            case modelStats = "model_stats"
        }
    }

    struct Duration: Encodable {
        var count: UInt64
        var ns: UInt64
    }

    struct Calls: Encodable {
        var success: Duration
        var fail: Duration
        var queue: Duration
        var computeInput = Duration(count: 0, ns: 0)
        var computeInfer: Duration
        var computeOutput = Duration(count: 0, ns: 0)
        var cacheHit = Duration(count: 0, ns: 0)
        var cacheMiss = Duration(count: 0, ns: 0)

        private enum CodingKeys: String, CodingKey {
            case success, fail, queue
            case computeInput = "compute_input"
            case computeInfer = "compute_infer"
            case computeOutput = "compute_output"
            case cacheHit = "cache_hit"
            case cacheMiss = "cache_miss"
        }
    }

    var name: String
    var version: String
    /// Milliseconds since 1970; 0 where there was none.
    var lastInference: UInt64
    var inferenceCount: UInt64
    var executionCount: UInt64
    var inferenceStats: Calls
    var batchStats: [String] = []
    var memoryUsage: [String] = []
    var responseStats: [String: String] = [:]

    private enum CodingKeys: String, CodingKey {
        case name, version
        case lastInference = "last_inference"
        case inferenceCount = "inference_count"
        case executionCount = "execution_count"
        case inferenceStats = "inference_stats"
        case batchStats = "batch_stats"
        case memoryUsage = "memory_usage"
        case responseStats = "response_stats"
    }
}

extension ModelStatistics {
    init(_ version: FunctionVersion, name: String, _ calls: CallStatistics) {
        self.name = name
        self.version = String(version.version)
        lastInference = calls.lastUnixNanoseconds / 1_000_000
        inferenceCount = calls.succeeded
        executionCount = calls.executions
        let all = calls.succeeded + calls.failed
        inferenceStats = Calls(
            success: Duration(count: calls.succeeded, ns: calls.succeededNanoseconds),
            fail: Duration(count: calls.failed, ns: calls.failedNanoseconds),
            queue: Duration(count: all, ns: calls.waitNanoseconds),
            computeInfer: Duration(count: all, ns: calls.runNanoseconds)
        )
    }
}
