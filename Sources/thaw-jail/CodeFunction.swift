import Linux
import Sandboxing
import Serving
import Snapshots
import Wire

/// A code function: files written into a jail, and a program of the author's in each worker.
enum CodeFunction {
    /// Files and folders of one function's code.
    private static let taskFilesMax = 200_000
    private static let runtimeVariable = "THAW_RUNTIME"

    /// Builds the root in which the code will lie; answers no listener, since what a template does itself is ours.
    static func confine(_ boot: TemplateBoot) throws(SandboxError) -> FileDescriptor? {
        guard let path = CurrentProcess.environment(runtimeVariable) else {
            throw SandboxError("\(runtimeVariable) names no folder of runtimes; thaw serve starts this program")
        }
        if let egress = boot.code?.egress {
            do throws(SystemError) {
                try Egress.close(egress)
            } catch {
                throw SandboxError("its closed addresses", error)
            }
        }
        try Jail.enter(
            runtimePath: path,
            taskFilesMax: taskFilesMax,
            resolver: boot.code?.egress == nil ? nil : Egress.resolver
        )
        return nil
    }

    /// Runs in the template, inside the jail.
    static func load(
        _ file: borrowing FileDescriptor,
        _ bases: [SharedDescriptor],
        _ boot: TemplateBoot
    ) throws(LoadFailure) -> LoadedFunction {
        guard let settings = boot.code else {
            throw LoadFailure(message: "the scheduler says nothing of code; its version is another")
        }
        let begunAt = Clock.monotonicNanoseconds()
        let image = try unpack(file, bases, boot)
        let unpacked = Clock.monotonicNanoseconds()
        let byteCount = image.files.reduce(0) { $0 + $1.byteCount }
        let program = ProgramOrder(image: image, boot: boot, settings: settings)
        if settings.egress != nil { try Egress.await() }
        let beginWorker = try begin(program)
        let residency = TemplateReport.Residency(
            arenaBytes: byteCount,
            decodeNanoseconds: unpacked - begunAt,
            prepareNanoseconds: Clock.monotonicNanoseconds() - unpacked
        )
        return LoadedFunction(residency: residency, beginWorker: beginWorker) { (_) throws(CallFailure) in
            throw CallFailure(code: .model, message: "a template of code answers no calls itself")
        }
    }

    /// What each worker begins with, after whatever is done once for all of them.
    private static func begin(
        _ program: ProgramOrder
    ) throws(LoadFailure) -> (WorkerPlace) throws(LoadFailure) -> BegunWorker {
        switch program.image.runtime {
        case .provided:
            return { (place) throws(LoadFailure) in try RuntimeWorker.begin(program, place) }
        case .python3:
            let zygote = try Zygote(program)
            return { (place) throws(LoadFailure) in try PythonWorker.begin(program, zygote, place) }
        }
    }

    /// Decodes the snapshot and writes its files; the memory they were decoded into is given back.
    private static func unpack(
        _ file: borrowing FileDescriptor,
        _ bases: [SharedDescriptor],
        _ boot: TemplateBoot
    ) throws(LoadFailure) -> CodeImage {
        do {
            let snapshot = try LoadedSnapshot(
                file: file,
                bases: bases,
                verifying: boot.verifiesDigests ? .digests : .checksums
            )
            guard snapshot.index.digest.hex == boot.snapshotDigest else {
                throw LoadFailure(
                    message: "the file is the snapshot \(snapshot.index.digest.hex), not the one that was deployed"
                )
            }
            let image = try CodeImage(parsing: try snapshot.bytes(of: CodeImage.entryName))
            try TaskFolder(snapshot, image).write()
            return image
        } catch let failure as LoadFailure {
            throw failure
        } catch {
            throw LoadFailure(message: "\(error)")
        }
    }
}
