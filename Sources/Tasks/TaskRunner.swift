package import Inference
package import Kernels
import Tokenizing

/// A function's task, built once in the template and run in its forks, one call at a time.
package struct TaskRunner {
    private enum Task {
        case echo
        case embed(EmbedTask)
        case numbers(NumberTask)
    }

    private let task: Task

    /// Builds the task of a snapshot and maps the memory of a usual call.
    ///
    /// - Parameters:
    ///   - plan: the snapshot's plan; not looked at for a task without a model.
    ///   - tokenizer: the snapshot's tokenizer; looked at by tasks on texts only.
    ///   - rows: brings rows of tables that are not complete yet, before they are read.
    ///   - lookup: the floats of each of the plan's weights; they outlive the runner.
    package init(
        _ configuration: TaskConfiguration,
        plan: [UInt8],
        tokenizer: RawSpan,
        rows: PlanRunner.RowSource? = nil,
        weight lookup: (_ name: String) -> WeightView?
    ) throws(TaskError) {
        switch configuration.kind {
        case .none:
            task = .echo
        case .embed:
            let runner = try Self.runner(plan, rows, lookup)
            guard runner.plan.takesTokens else { throw .mismatch("the model takes numbers, and the task texts") }
            if let longest = runner.plan.sequenceLengthMax, longest < configuration.tokensMax {
                throw .mismatch("the model has \(longest) positions, and tokensMax is \(configuration.tokensMax)")
            }
            let compiled: Tokenizer
            do throws(TokenizerError) {
                compiled = try Tokenizer(compiled: tokenizer)
            } catch {
                throw .tokenizer("\(error)")
            }
            task = .embed(try EmbedTask(tokenizer: compiled, runner: runner, tokensMax: configuration.tokensMax))
        case .classify, .tensor:
            task = .numbers(
                try NumberTask(
                    runner: try Self.runner(plan, nil, lookup),
                    isClassifier: configuration.kind == .classify,
                    labels: configuration.labels
                )
            )
        }
    }

    /// As ``init(_:plan:tokenizer:rows:weight:)``, for whoever has the tokenizer as an array.
    package init(
        _ configuration: TaskConfiguration,
        plan: [UInt8],
        tokenizer: [UInt8],
        weight lookup: (_ name: String) -> WeightView?
    ) throws(TaskError) {
        // Bytes of bytes: marked unsafe only because padding could be read in other types.
        try self.init(configuration, plan: plan, tokenizer: unsafe tokenizer.span.bytes, weight: lookup)
    }

    package func run(body: [UInt8], contentType: String) throws(TaskFailure) -> TaskReply {
        switch task {
        case .echo: TaskReply(contentType: contentType, body: body)
        case .embed(let embed): try embed.run(body)
        case .numbers(let numbers): try numbers.run(body)
        }
    }

    /// Runs an input of its own once, so that a call finds touched what it touches.
    ///
    /// Whether that succeeds is of no matter.
    package func warmUp() {
        switch task {
        case .echo: break
        case .embed(let embed): embed.warmUp()
        case .numbers(let numbers): numbers.warmUp()
        }
    }

    private static func runner(
        _ plan: [UInt8],
        _ rows: PlanRunner.RowSource?,
        _ lookup: (String) -> WeightView?
    ) throws(TaskError) -> PlanRunner {
        do throws(PlanError) {
            return try PlanRunner(plan: try Plan(decoding: plan), rows: rows, weight: lookup)
        } catch {
            throw .plan("\(error)")
        }
    }
}
