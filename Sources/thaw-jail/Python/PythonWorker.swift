import JSON
import Linux
import Sandboxing
import Serving
import Wire

/// A worker whose program is a fork of the function's ``Zygote``.
enum PythonWorker {
    static func begin(
        _ order: ProgramOrder,
        _ zygote: Zygote,
        _ place: WorkerPlace
    ) throws(LoadFailure) -> BegunWorker {
        let socket: SharedDescriptor
        let life: ProgramLife
        do throws(SystemError) {
            let pair = try DescriptorPair.streamSockets()
            let ours = pair.first
            let theirs = pair.second
            try ours.passCredentials()
            let cell = try zygote.fork(serving: theirs, joining: place.groups)
            // The fork's own end: where it dies, ours ends.
            _ = consume theirs
            let pid = try Self.hello(ours, milliseconds: Int(order.settings.initMilliseconds))
            try Self.checkGroups(of: pid)
            try cell.check(pid)
            cell.tieToThisProcess()
            let handle = SharedDescriptor(try ProcessHandle(pid: pid).takeDescriptor())
            life = ProgramLife(handle: handle, words: place.lastWords) { id in
                ExitSentence.text(ofWaitStatus: zygote.exitStatus(milliseconds: 50), during: id)
            }
            socket = SharedDescriptor(ours)
        } catch {
            throw LoadFailure(message: error.code == 0 ? error.call : "Runtime.Unknown: no worker: \(error)")
        }
        let calls = CallSocket(socket)
        let log = CallLog(order)
        return BegunWorker(
            awaitProgram: { () throws(LoadFailure) in
                do throws(SystemError) {
                    try life.watchBetweenCalls(hangingUp: { socket.descriptor.endReading() })
                } catch {
                    throw LoadFailure(message: "Runtime.Unknown: its program cannot be watched: \(error)")
                }
            },
            afterCall: {
                log.end()
                life.endCall()
            },
            handler: { (request, caller) throws(CallFailure) in
                life.beginCall()
                let call = LambdaCall(of: request)
                log.begin(call.id)
                return try calls.run(call, request, life, caller)
            }
        )
    }

    /// The number of the process that says hello, as the kernel knows it.
    private static func hello(_ calls: borrowing FileDescriptor, milliseconds: Int) throws(SystemError) -> Int32 {
        var reader = CallFrameReader()
        var pid: Int32 = 0
        let end = Clock.monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
        while true {
            let now = Clock.monotonicNanoseconds()
            let left = now < end ? Int((end - now) / 1_000_000) + 1 : 0
            guard try FileDescriptor.waitReadable([calls.rawValue], timeoutMilliseconds: left) != 0 else {
                let sentence = "the worker did not come up within \(milliseconds) ms (limits.init)"
                throw SystemError(call: "Sandbox.Timedout: \(sentence)", code: 0)
            }
            let (bytes, sender) = try calls.receive(countMax: 64 * 1024)
            guard !bytes.isEmpty else {
                throw SystemError(call: "Runtime.ExitError: the worker ended while it came up", code: 0)
            }
            if pid == 0 { pid = sender }
            reader.append(bytes)
            let frame: CallFrame?
            do throws(CallFrameError) {
                frame = try reader.next()
            } catch {
                throw SystemError(call: "Runtime.Unknown: the worker sent \(error.problem)", code: 0)
            }
            switch frame?.kind {
            case nil: continue
            case .hello where pid > 0: return pid
            case .error:
                let document = ErrorDocument(body: frame?.payload ?? [], type: nil)
                throw SystemError(call: document.sentence, code: 0)
            default: throw SystemError(call: "Runtime.Unknown: the worker sent what is no hello", code: 0)
            }
        }
    }

    /// Refuses one that has not joined this worker's groups: it was told to, and has run the author's code.
    private static func checkGroups(of pid: Int32) throws(SystemError) {
        guard let own = try? FileDescriptor.open("/proc/self/cgroup").readAll(countMax: 64 * 1024) else { return }
        let its = try FileDescriptor.open("/proc/\(pid)/cgroup").readAll(countMax: 64 * 1024)
        guard own == its else {
            throw SystemError(call: "Runtime.Unknown: the program is not in its worker's memory group", code: 0)
        }
    }
}
