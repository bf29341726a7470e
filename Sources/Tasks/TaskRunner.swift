package import Graphs
package import Inference
package import Kernels
import Tokenizing
import Wire

/// A function's task, built once in the template and run in its forks: one call at a time, or several as one batch.
package struct TaskRunner {
    private enum Task {
        case echo
        case model(ModelTask)
    }

    private let task: Task

    /// Builds the task of a snapshot and maps the memory of a usual call.
    ///
    /// - Parameters:
    ///   - plan: the snapshot's plan; not looked at for a task without a model.
    ///   - tokenizer: the snapshot's tokenizer; not looked at for a task without a model.
    ///   - kernels: what the model is run with.
    ///   - rows: brings rows of tables that are not complete yet, before they are read.
    ///   - lookup: the floats of each of the plan's weights; they outlive the runner.
    package init(
        _ configuration: TaskConfiguration,
        plan: [UInt8],
        tokenizer: RawSpan,
        kernels: KernelSet = .best,
        rows: PlanRunner.RowSource? = nil,
        weight lookup: (_ name: String) -> WeightView?
    ) throws(TaskError) {
        guard configuration.kind != .none else {
            task = .echo
            return
        }
        guard let output = TextModel.Output(configuration.kind) else {
            throw .mismatch("the model takes texts, and the task is \(configuration.kind)")
        }
        let runner = try Self.runner(plan, kernels, rows, lookup)
        task = .model(try Self.textModel(configuration, output, runner, tokenizer))
    }

    /// As ``init(_:plan:tokenizer:kernels:rows:weight:)``, for whoever has the tokenizer as an array.
    package init(
        _ configuration: TaskConfiguration,
        plan: [UInt8],
        tokenizer: [UInt8],
        weight lookup: (_ name: String) -> WeightView?
    ) throws(TaskError) {
        // Bytes of bytes: marked unsafe only because padding could be read in other types.
        try self.init(configuration, plan: plan, tokenizer: unsafe tokenizer.span.bytes, weight: lookup)
    }

    /// A task around a model of any engine.
    ///
    /// - Parameters:
    ///   - isClassifier: its one output is scores of classes, a row for each example.
    ///   - labels: names of the classes.
    package init(_ model: TensorModel, isClassifier: Bool = false, labels: [String]? = nil) throws(TaskError) {
        task = .model(try ModelTask(model, isClassifier: isClassifier, labels: labels))
    }

    /// The task of a snapshot of a graph.
    package init(_ configuration: TaskConfiguration, graph runner: GraphRunner) throws(TaskError) {
        let isClassifier = configuration.kind == .classify
        guard isClassifier || configuration.kind == .tensor else {
            throw .mismatch("a graph takes tensors, and the task is \(configuration.kind)")
        }
        self = try TaskRunner(
            GraphModel.model(of: runner, isClassifier: isClassifier),
            isClassifier: isClassifier,
            labels: configuration.labels
        )
    }

    package func run(_ request: TaskRequest) throws(TaskFailure) -> TaskReply {
        switch task {
        case .echo:
            guard request.form == .own else {
                throw .badInput("this function has no model; call it by its own door, /functions/NAME/invocations")
            }
            return TaskReply(contentType: request.contentType, body: request.body)
        case .model(let model): return try model.run(request)
        }
    }

    /// Runs several calls as one, and answers each as it would have been answered alone.
    ///
    /// - Returns: as many answers as there were requests, in their order.
    package func run(_ requests: [TaskRequest]) -> [Result<TaskReply, TaskFailure>] {
        guard requests.count > 1, case .model(let model) = task else {
            return requests.map { request in Result { () throws(TaskFailure) in try run(request) } }
        }
        return model.run(requests)
    }

    /// Runs an input of its own once, so that a call finds touched what it touches.
    ///
    /// Whether that succeeds is of no matter.
    package func warmUp() {
        if case .model(let model) = task { model.warmUp() }
    }

    /// The task of a model of texts.
    private static func textModel(
        _ configuration: TaskConfiguration,
        _ output: TextModel.Output,
        _ runner: PlanRunner,
        _ tokenizer: RawSpan
    ) throws(TaskError) -> ModelTask {
        if let longest = runner.plan.sequenceLengthMax, longest < configuration.tokensMax {
            throw .mismatch("the model has \(longest) positions, and tokensMax is \(configuration.tokensMax)")
        }
        let compiled: Tokenizer
        do throws(TokenizerError) {
            compiled = try Tokenizer(compiled: tokenizer)
        } catch {
            throw .tokenizer("\(error)")
        }
        return try ModelTask(
            try TextModel(
                tokenizer: compiled,
                runner: runner,
                tokensMax: configuration.tokensMax,
                output: output
            ),
            labels: configuration.labels
        )
    }

    private static func runner(
        _ plan: [UInt8],
        _ kernels: KernelSet,
        _ rows: PlanRunner.RowSource?,
        _ lookup: (String) -> WeightView?
    ) throws(TaskError) -> PlanRunner {
        do throws(PlanError) {
            return try PlanRunner(plan: try Plan(decoding: plan), kernels: kernels, rows: rows, weight: lookup)
        } catch {
            throw .plan("\(error)")
        }
    }
}

extension TextModel.Output {
    /// nil for a task that is none of texts.
    fileprivate init?(_ kind: TaskConfiguration.Kind) {
        switch kind {
        case .embed: self = .vectors
        case .classify: self = .classes
        case .rank: self = .rank
        case .tag: self = .tags
        case .tensor, .none: return nil
        }
    }
}
