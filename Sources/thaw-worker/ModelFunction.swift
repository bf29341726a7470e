import Graphs
import Inference
import Kernels
import Linux
import Serving
import Snapshots
import Tasks
import Wire

/// A model function: a snapshot decoded into memory, and its task built on it.
enum ModelFunction {
    /// Runs in the template, inside its sandbox; the answer is what its forks do.
    static func load(
        _ file: borrowing FileDescriptor,
        _ bases: [SharedDescriptor],
        _ boot: TemplateBoot
    ) throws(LoadFailure) -> LoadedFunction {
        let begin = Clock.monotonicNanoseconds()
        let snapshot: LoadedSnapshot
        do throws(SnapshotError) {
            // Rows that come later are checked by their checksums: where digests are asked for, nothing comes later.
            snapshot = try LoadedSnapshot(
                file: file,
                bases: bases,
                verifying: boot.verifiesDigests ? .digests : .checksums,
                leavingRows: !boot.verifiesDigests
            )
        } catch {
            throw LoadFailure(message: "\(error)")
        }
        guard snapshot.index.digest.hex == boot.snapshotDigest else {
            throw LoadFailure(
                message:
                    "the file is the snapshot \(snapshot.index.digest.hex), not the \(boot.snapshotDigest) that was deployed"
            )
        }
        let decoded = Clock.monotonicNanoseconds()
        let second = try threads(of: snapshot) > 1 ? SecondThread() : nil
        let runner = try runner(of: snapshot, second.map { KernelSet.best.with($0) } ?? .best)
        let residency = TemplateReport.Residency(
            arenaBytes: UInt64(snapshot.index.arenaByteCount),
            decodeNanoseconds: decoded - begin,
            prepareNanoseconds: Clock.monotonicNanoseconds() - decoded
        )
        let idleStep = snapshot.rows.map { rows in { Self.decodesMore(of: rows) } }
        let warmUp = { withExtendedLifetime(snapshot) { runner.warmUp() } }
        let batchHandler: LoadedFunction.BatchHandler = { requests in
            withExtendedLifetime(snapshot) {
                runner.run(requests.map { TaskRequest($0) }).map { result in
                    result.map { CallReply($0) }.mapError { CallFailure($0) }
                }
            }
        }
        let secondThread = second.map { second in
            LoadedFunction.SecondThread(help: { second.help() }, awaitHelp: { second.awaitHelp() })
        }
        return LoadedFunction(
            residency: residency,
            idleStep: idleStep,
            warmUp: warmUp,
            secondThread: secondThread,
            batchHandler: batchHandler
        ) { (request) throws(CallFailure) -> CallReply in
            do throws(TaskFailure) {
                // The runner looks into the snapshot's memory: this closure keeps both.
                return try withExtendedLifetime(snapshot) { () throws(TaskFailure) in
                    CallReply(try runner.run(TaskRequest(request)))
                }
            } catch {
                throw CallFailure(error)
            }
        }
    }

    /// Some 10 µs of a table: an order does not wait longer for it.
    ///
    /// Damage is not told here: the first call that needs the row says so.
    private static func decodesMore(of rows: RowTables) -> Bool {
        (try? rows.decodeNext()) ?? false
    }

    /// Rows of a table whose floats the plan knows by name.
    private static func bring(
        _ ids: [Int32],
        of weight: Plan.Weight,
        from rows: RowTables
    ) -> String? {
        guard let columns = weight.shape.last else { return nil }
        do throws(SnapshotError) {
            let rowByteCount = columns * MemoryLayout<Float>.size
            try rows.need(rows: ids.lazy.map(Int.init), of: weight.name, rowByteCount: rowByteCount)
            return nil
        } catch {
            return "\(error)"
        }
    }

    private static func graphRunner(of snapshot: LoadedSnapshot) throws -> GraphRunner {
        try GraphRunner(try Graph(decoding: try snapshot.bytes(of: "graph"))) { constant in
            guard let entry = snapshot.entry(constant.name),
                let count = try? OperatorCall.elementCount(constant.shape),
                entry.byteCount == count * constant.element.byteCount,
                let bytes = unsafe snapshot.unsafeBytes(of: constant.name, as: entry.element)
            else { return nil }
            // The arena lives as long as this process, and so do all who look into it.
            let memory = unsafe TensorMemory(unsafeViewing: bytes)
            return Tensor(constant.element, shape: constant.shape, memory: memory)
        }
    }

    private static func threads(of snapshot: LoadedSnapshot) throws(LoadFailure) -> Int {
        do {
            return try TaskConfiguration(decoding: try snapshot.bytes(of: "task")).threads
        } catch {
            throw LoadFailure(message: "\(error)")
        }
    }

    private static func runner(
        of snapshot: LoadedSnapshot,
        _ kernels: KernelSet
    ) throws(LoadFailure) -> TaskRunner {
        do {
            let task = try TaskConfiguration(decoding: try snapshot.bytes(of: "task"))
            if snapshot.entry("graph") != nil {
                return try TaskRunner(task, graph: try graphRunner(of: snapshot))
            }
            let hasModel = task.kind != .none
            let plan = hasModel ? try snapshot.bytes(of: "plan") : []
            // A function without a model has none, and looks at no byte of what is given instead.
            guard let tokenizer = snapshot.entry("tokenizer") ?? (hasModel ? nil : snapshot.entry("task")) else {
                throw SnapshotError.unknownEntry("tokenizer")
            }
            return try snapshot.withBytes(of: tokenizer) { (tokenizer) throws(TaskError) in
                try TaskRunner(
                    task,
                    plan: plan,
                    tokenizer: tokenizer,
                    kernels: kernels,
                    rows: snapshot.rows.map { rows in { weight, ids in bring(ids, of: weight, from: rows) } }
                ) { name in
                    // The arena lives as long as this process, and so do all who look into it. The plan says what a
                    // weight is made of, and its runner whether there are as many bytes.
                    for element in [ElementType.f32, .bf16, .i8] {
                        guard let bytes = unsafe snapshot.unsafeBytes(of: name, as: element) else { continue }
                        return unsafe WeightView(unsafe: bytes)
                    }
                    return nil
                }
            }
        } catch {
            throw LoadFailure(message: "\(error)")
        }
    }
}

extension TaskRequest {
    fileprivate init(_ request: CallRequest) {
        self.init(form: request.form, contentType: request.contentType, body: request.body)
    }
}

extension CallReply {
    fileprivate init(_ reply: TaskReply) {
        self.init(contentType: reply.contentType, body: reply.body)
    }
}

extension CallFailure {
    fileprivate init(_ failure: TaskFailure) {
        switch failure {
        case .badInput(let sentence): self.init(code: .badInput, message: sentence)
        case .badPart(let fault, let sentence): self.init(code: .badPart, message: fault.message(sentence))
        case .model(let sentence): self.init(code: .model, message: sentence)
        }
    }
}
