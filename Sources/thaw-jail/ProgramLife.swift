import Linux
import Serving
import Synchronization

/// Whether a worker's program lives, and what is said where it does not.
final class ProgramLife: Sendable {
    private let child: Int32
    private let handle: SharedDescriptor
    private let words: LastWords
    private let isInCall = Atomic<Bool>(false)

    /// How often a program that has ended is looked after while an answer of it is still on its way.
    private static let settleMilliseconds = 5

    /// - Parameter child: the first process of the program, a child of this process.
    init(child: Int32, words: LastWords) throws(SystemError) {
        self.child = child
        handle = SharedDescriptor(try ProcessHandle(pid: child).takeDescriptor())
        self.words = words
    }

    func beginCall() {
        isInCall.store(true, ordering: .releasing)
    }

    func endCall() {
        isInCall.store(false, ordering: .releasing)
    }

    /// A thread ends this worker when the program ends between two calls: no call shall meet a worker without one.
    func watchBetweenCalls() throws(SystemError) {
        try Thread.start(named: "thaw-program") { [self] in
            _ = try? FileDescriptor.waitReadable([handle.descriptor.rawValue], timeoutMilliseconds: nil)
            repeat {
                Clock.sleep(milliseconds: Self.settleMilliseconds)
            } while isInCall.load(ordering: .acquiring)
            end(during: nil)
        }
    }

    /// The program has ended: so does its worker, with the reason as its last words.
    func end(during id: String?) -> Never {
        words.say(exitSentence(during: id))
        CurrentProcess.exit(ExitStatus.programEnded.rawValue)
    }

    /// Lambda's words for how a runtime ended.
    func exitSentence(during id: String?) -> String {
        let status = (try? ProcessHandle.wait(pid: child))?.status ?? 0
        let reason =
            switch status {
            case 0: "Runtime exited without providing a reason"
            case 129...: "Runtime exited with error: signal: \(Signals.name(of: status - 128))"
            default: "Runtime exited with error: exit status \(status)"
            }
        guard let id else { return "Runtime.ExitError: \(reason)" }
        return "Runtime.ExitError: RequestId: \(id) Error: \(reason)"
    }
}
