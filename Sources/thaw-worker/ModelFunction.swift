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
        _ boot: TemplateBoot
    ) throws(LoadFailure) -> LoadedFunction {
        let begin = Clock.monotonicNanoseconds()
        let snapshot: LoadedSnapshot
        do throws(SnapshotError) {
            snapshot = try LoadedSnapshot(file: file, verifying: boot.verifiesDigests ? .digests : .checksums)
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
        let runner = try runner(of: snapshot)
        let residency = TemplateReport.Residency(
            arenaBytes: UInt64(snapshot.index.arenaByteCount),
            decodeNanoseconds: decoded - begin,
            prepareNanoseconds: Clock.monotonicNanoseconds() - decoded
        )
        return LoadedFunction(residency: residency) { (body, contentType) throws(CallFailure) -> CallReply in
            do throws(TaskFailure) {
                // The runner looks into the snapshot's memory: this closure keeps both.
                let reply = try withExtendedLifetime(snapshot) { () throws(TaskFailure) in
                    try runner.run(body: body, contentType: contentType)
                }
                return CallReply(contentType: reply.contentType, body: reply.body)
            } catch {
                switch error {
                case .badInput(let sentence): throw CallFailure(code: .badInput, message: sentence)
                case .model(let sentence): throw CallFailure(code: .model, message: sentence)
                }
            }
        }
    }

    private static func runner(of snapshot: LoadedSnapshot) throws(LoadFailure) -> TaskRunner {
        do {
            let task = try TaskConfiguration(decoding: try snapshot.bytes(of: "task"))
            let hasModel = task.kind != .none
            return try TaskRunner(
                task,
                plan: hasModel ? try snapshot.bytes(of: "plan") : [],
                tokenizer: task.kind == .embed ? try snapshot.bytes(of: "tokenizer") : []
            ) { name in
                // The arena lives as long as this process, and so do all who look into it.
                unsafe snapshot.unsafeBytes(of: name, as: .f32).flatMap { unsafe WeightView(unsafe: $0) }
            }
        } catch {
            throw LoadFailure(message: "\(error)")
        }
    }
}
