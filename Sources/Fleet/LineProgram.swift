import Linux
package import Logging
package import NIOCore
import NIOPosix
import Synchronization

/// A program of ours that answers lines with lines: for work that must not be done in the scheduler's memory, a broker's
/// client library for example.
///
/// Each request has a number, which its answer begins with as `{"n":NUMBER,`; answers may come in another order. When the program ends,
/// what waits for an answer fails; when the scheduler ends, the program reads the end of its input.
package final class LineProgram: Sendable {
    private let channel: any Channel
    private let answers: Answers
    private let name: String

    /// Bytes of an answer: as much as a batch may carry in base64, twice.
    static let lineBytesMax = 32 << 20

    /// Starts the program at `path`, as nobody, in namespaces of its own but for the network and the files.
    package static func start(
        _ path: String,
        name: String,
        on loop: any EventLoop,
        logger: Logger
    ) async throws(LineProgramError) -> LineProgram {
        let started: Started
        do {
            // Making a process stops the thread that does it for as long as that takes.
            started = try await NIOThreadPool.singleton.runIfActive { try Started(path, name: name) }
        } catch {
            throw LineProgramError("\(name) could not be started: \(error)")
        }
        let answers = Answers(name: name)
        let handle = started.handle
        do {
            let channel = try await NIOPipeBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(AnswerLines(answers))
                    }
                }
                .takingOwnershipOfDescriptors(input: started.output, output: started.input).get()
            channel.closeFuture.whenComplete { _ in
                answers.end()
                // It may be dead already, or read the end of its input right now; it is not waited for on a loop.
                Task {
                    try? await NIOThreadPool.singleton.runIfActive {
                        let ending = try handle.value.killAndWait()
                        if ending.signal != Signals.kill, ending.status != 0 || ending.signal != 0 {
                            logger.warning(
                                "a program of the node ended",
                                metadata: ["program": "\(name)", "ending": "\(ending)"]
                            )
                        }
                    }
                }
            }
            return LineProgram(channel: channel, answers: answers, name: name)
        } catch {
            throw LineProgramError("\(name) could not be reached: \(error)")
        }
    }

    private init(channel: any Channel, answers: Answers, name: String) {
        self.channel = channel
        self.answers = answers
        self.name = name
    }

    /// Sends a request and waits for its answer.
    ///
    /// - Parameter line: the request's bytes, without an end of line, from its number.
    package func ask(_ line: (Int) -> [UInt8]) async throws(LineProgramError) -> [UInt8] {
        let number = answers.next()
        let bytes = line(number) + [UInt8(ascii: "\n")]
        let result: Result<[UInt8], LineProgramError> = await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                guard answers.expect(number, continuation) else { return }
                channel.writeAndFlush(ByteBuffer(bytes: bytes)).whenFailure { [answers, name] error in
                    answers.fail(number, LineProgramError("\(name) cannot be written to: \(error)"))
                }
            }
        } onCancel: {
            answers.fail(number, LineProgramError("\(name) is not waited for any more"))
        }
        return try result.get()
    }

    /// Ends the program.
    package func close() async {
        try? await channel.close()
    }
}

/// Why a program does not answer.
package struct LineProgramError: Error, Equatable, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

/// The process before anybody speaks to it.
private struct Started: Sendable {
    let handle: SharedHandle
    let input: CInt
    let output: CInt

    init(_ path: String, name: String) throws {
        let requests = try DescriptorPair.pipe()
        let requestsTheirs = requests.first
        let requestsOurs = requests.second
        let answers = try DescriptorPair.pipe()
        let answersOurs = answers.first
        let answersTheirs = answers.second
        var spawn = Spawn(name: name)
        spawn.environment = ["PATH=/usr/bin:/bin", "HOME=/nonexistent"]
        // What it has to say to people goes where the node's own log goes.
        spawn.descriptors = [requestsTheirs.rawValue, answersTheirs.rawValue, 2]
        spawn.namespaces = [.user, .process, .interprocess, .hostName]
        spawn.diesWithSpawner = false
        handle = SharedHandle(try spawn.start(try FileDescriptor.open(path)))
        input = requestsOurs.take()
        output = answersOurs.take()
    }
}

private final class SharedHandle: Sendable {
    let value: ProcessHandle

    init(_ value: consuming ProcessHandle) {
        self.value = value
    }
}

extension ProcessHandle {
    fileprivate func killAndWait() throws(SystemError) -> ProcessEnding {
        if let ending = try endingIfEnded() { return ending }
        try kill()
        return try wait()
    }
}

/// Who waits for which answer.
private final class Answers: Sendable {
    private let name: String
    private let state = Mutex(State())

    private struct State {
        var last = 0
        var isEnded = false
        var waiting: [Int: CheckedContinuation<Result<[UInt8], LineProgramError>, Never>] = [:]
        /// Given up before they were sent.
        var cancelled: Set<Int> = []
    }

    init(name: String) {
        self.name = name
    }

    func next() -> Int {
        state.withLock { state in
            state.last += 1
            return state.last
        }
    }

    /// - Returns: whether there is anything to wait for.
    func expect(
        _ number: Int,
        _ continuation: CheckedContinuation<Result<[UInt8], LineProgramError>, Never>
    ) -> Bool {
        let refusal: LineProgramError? = state.withLock { state in
            if state.isEnded { return LineProgramError("\(name) has ended") }
            if state.cancelled.remove(number) != nil { return LineProgramError("\(name) is not waited for any more") }
            state.waiting[number] = continuation
            return nil
        }
        guard let refusal else { return true }
        continuation.resume(returning: .failure(refusal))
        return false
    }

    func fail(_ number: Int, _ error: LineProgramError) {
        let continuation = state.withLock { state in
            let continuation = state.waiting.removeValue(forKey: number)
            if continuation == nil, !state.isEnded { state.cancelled.insert(number) }
            return continuation
        }
        continuation?.resume(returning: .failure(error))
    }

    /// An answer to nobody is dropped: whoever asked has given up.
    func answer(_ number: Int, _ line: [UInt8]) {
        let continuation = state.withLock { $0.waiting.removeValue(forKey: number) }
        continuation?.resume(returning: .success(line))
    }

    func end() {
        let waiting = state.withLock { state in
            state.isEnded = true
            defer { state.waiting = [:] }
            return state.waiting
        }
        for continuation in waiting.values {
            continuation.resume(returning: .failure(LineProgramError("\(name) has ended")))
        }
    }
}

/// Bytes into lines, lines to whom they answer.
private final class AnswerLines: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer

    private let answers: Answers
    private var rest = ByteBuffer()

    init(_ answers: Answers) {
        self.answers = answers
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        rest.writeBuffer(&bytes)
        while let length = rest.readableBytesView.firstIndex(of: UInt8(ascii: "\n")).map({ $0 - rest.readerIndex }) {
            guard let line = rest.readBytes(length: length) else { break }
            rest.moveReaderIndex(forwardBy: 1)
            guard let number = Self.number(line) else { return context.close(promise: nil) }
            answers.answer(number, line)
        }
        rest.discardReadBytes()
        if rest.readableBytes > LineProgram.lineBytesMax { context.close(promise: nil) }
    }

    func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
        // The program has ended, or wants to: nothing more is sent to it either.
        if case .inputClosed? = event as? ChannelEvent { context.close(promise: nil) }
        context.fireUserInboundEventTriggered(event)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    /// Of `{"n":NUMBER,…`.
    private static func number(_ line: [UInt8]) -> Int? {
        let head = Array("{\"n\":".utf8)
        guard line.starts(with: head) else { return nil }
        return Int(String(decoding: line.dropFirst(head.count).prefix { $0 != UInt8(ascii: ",") }, as: UTF8.self))
    }
}
