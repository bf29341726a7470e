import Linux
import Serving
import Synchronization

/// Whether a worker's program lives, and what is said where it does not.
final class ProgramLife: @unchecked Sendable {  // Safe: its reason is asked for once, by whoever ends the process.
    private let handle: SharedDescriptor
    private let words: LastWords
    /// The sentence for how it ended, during the call of that id or between two.
    private let reason: (String?) -> String
    private let isInCall = Atomic<Bool>(false)

    /// How long a program that has ended is looked after while an answer of it is still on its way.
    private static let settleMilliseconds = 5

    init(handle: SharedDescriptor, words: LastWords, reason: @escaping (String?) -> String) {
        self.handle = handle
        self.words = words
        self.reason = reason
    }

    func beginCall() {
        isInCall.store(true, ordering: .releasing)
    }

    func endCall() {
        isInCall.store(false, ordering: .releasing)
    }

    /// A thread ends this worker when the program ends between two calls: no call shall meet a worker without one.
    ///
    /// - Parameter hangUp: tells whoever waits for the program in a call that it has ended, where that is not seen otherwise.
    func watchBetweenCalls(hangingUp hangUp: (@Sendable () -> Void)? = nil) throws(SystemError) {
        try Thread.start(named: "thaw-program") { [self] in
            _ = try? FileDescriptor.waitReadable([handle.descriptor.rawValue], timeoutMilliseconds: nil)
            repeat {
                Clock.sleep(milliseconds: Self.settleMilliseconds)
                // Of a connection, what lies in it can be read all the same.
                hangUp?()
            } while isInCall.load(ordering: .acquiring)
            end(during: nil)
        }
    }

    /// The program has ended: so does its worker, with the reason as its last words.
    func end(during id: String?) -> Never {
        end(saying: reason(id))
    }

    func end(saying sentence: String) -> Never {
        words.say(sentence)
        CurrentProcess.exit(ExitStatus.programEnded.rawValue)
    }
}
