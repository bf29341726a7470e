import Linux
import Sandboxing
import Testing
import Wire

/// A template of the test-only worker, seen as the scheduler sees it.
final class TemplateHarness {
    let control: FileDescriptor
    let listener: RefusalListener
    let handle: ProcessHandle
    let log: FileDescriptor

    private init(
        control: consuming FileDescriptor,
        listener: consuming RefusalListener,
        handle: consuming ProcessHandle,
        log: consuming FileDescriptor
    ) {
        self.control = control
        self.listener = listener
        self.handle = handle
        self.log = log
    }

    /// Leaves no process behind: one that nobody waits for would keep the test library from seeing others end.
    deinit {
        try? handle.kill()
        _ = try? handle.wait()
    }

    static func start(policies: Policies, payloadBytesMax: UInt64 = 1 << 20) throws -> TemplateHarness {
        let sockets = try DescriptorPair.sequencedSockets()
        let logs = try DescriptorPair.pipe()
        let (control, log) = (sockets.first.take(), logs.first.take())
        let handle = try spawn(log: logs.second, control: sockets.second)
        return try boot(FileDescriptor(owning: control), FileDescriptor(owning: log), handle, policies, payloadBytesMax)
    }

    private static func spawn(
        log: consuming FileDescriptor,
        control: consuming FileDescriptor
    ) throws -> ProcessHandle {
        let null = try FileDescriptor.open("/dev/null", .readingWriting)
        var spawn = Spawn(name: "fault-worker")
        spawn.descriptors = [null.rawValue, null.rawValue, log.rawValue, control.rawValue]
        spawn.namespaces = [.sandbox, .network]
        return try spawn.start(try FileDescriptor.open(try program()))
    }

    private static func boot(
        _ control: consuming FileDescriptor,
        _ log: consuming FileDescriptor,
        _ handle: consuming ProcessHandle,
        _ policies: Policies,
        _ payloadBytesMax: UInt64
    ) throws -> TemplateHarness {
        let boot = TemplateBoot(
            function: "fault",
            snapshotDigest: "",
            verifiesDigests: false,
            memoryBytesMax: 512 << 20,
            payloadBytesMax: payloadBytesMax,
            templateFilter: policies.template.instructions,
            workerFilter: policies.worker.instructions,
            environment: ["GREETING=hello"]
        )
        let snapshot = try FileDescriptor.memoryFile("snapshot")
        try control.sendMessage(TemplateOrder.boot(boot).encoded(), descriptors: [snapshot.rawValue])
        let first = try receive(control)
        guard first.report == .sandboxed, let number = first.descriptor else {
            throw Unexpected(what: "\(first.report)")
        }
        let listener = RefusalListener(owning: FileDescriptor(owning: number))
        let second = try receive(control)
        guard case .resident = second.report else { throw Unexpected(what: "\(second.report)") }
        return TemplateHarness(control: control, listener: listener, handle: handle, log: log)
    }

    struct Unexpected: Error {
        let what: String
    }

    /// Beside the program that runs the tests.
    static func program() throws -> String {
        let own = try CurrentProcess.executablePath()
        return String(own[..<(own.lastIndex(of: "/") ?? own.endIndex)]) + "/fault-worker"
    }

    /// What the template says next, and the descriptor that came with it.
    private static func receive(
        _ control: borrowing FileDescriptor
    ) throws -> (report: TemplateReport, descriptor: Int32?) {
        guard var message = try control.receiveMessage(bytesMax: 8192, descriptorsMax: 1) else {
            throw Unexpected(what: "the template has ended")
        }
        let number = message.takeDescriptor()?.take()
        return (try TemplateReport(parsing: message.bytes), number)
    }

    /// A worker that has said that it is ready.
    func fork(_ worker: UInt32, isAhead: Bool = false, group: MemoryGroup? = nil) throws -> WorkerHarness {
        let byteCount = RingPair.byteCount(ringByteCount: WireLimits.ringByteCount)
        let memory = try FileDescriptor.sealedMemoryFile("rings", byteCount: byteCount)
        let rings = try RingPair(mapping: memory, ringByteCount: WireLimits.ringByteCount, as: .near)
        let doorbell = try FileDescriptor.doorbell()
        var descriptors = [doorbell.rawValue, memory.rawValue]
        if let group { descriptors.append(group.tasks.rawValue) }
        try control.sendMessage(
            TemplateOrder.fork(worker: worker, isAhead: isAhead).encoded(),
            descriptors: descriptors
        )
        let answer = try TemplateHarness.receive(control)
        guard answer.report == .forked(worker: worker), let number = answer.descriptor else {
            throw Unexpected(what: "\(answer.report)")
        }
        let handle = ProcessHandle(owning: FileDescriptor(owning: number))
        let harness = try WorkerHarness(rings: rings, doorbell: doorbell, handle: handle)
        guard try harness.frame()?.header.kind == .ready else { throw Unexpected(what: "the worker is not ready") }
        return harness
    }

    func reap(_ worker: UInt32) throws -> TemplateReport.Death {
        try control.sendMessage(TemplateOrder.reap(worker: worker).encoded())
        guard case .reaped(worker, let death) = try TemplateHarness.receive(control).report else {
            throw Unexpected(what: "not reaped")
        }
        return death
    }
}

/// A worker, seen through its rings.
final class WorkerHarness {
    private var rings: RingPair
    private let doorbell: FileDescriptor
    private let poll: EventPoll
    let handle: ProcessHandle

    init(rings: consuming RingPair, doorbell: consuming FileDescriptor, handle: consuming ProcessHandle) throws {
        poll = try EventPoll()
        try poll.add(doorbell, token: 1)
        try poll.add(handle.descriptor, token: 2)
        self.rings = rings
        self.doorbell = doorbell
        self.handle = handle
    }

    /// The end of its channel is a worker's order to end.
    deinit {
        rings.end()
    }

    struct Frame: Equatable {
        var header: FrameHeader
        var payload: [UInt8]
    }

    enum Answer: Equatable {
        case reply(contentType: String, body: String)
        case failure(WorkerFailureCode, String)
        case end
    }

    func call(_ body: String, invocation: UInt64 = 1) throws -> Answer {
        try send(WorkerHarness.frames(Array(body.utf8), invocation: invocation))
        return try answer(invocation)
    }

    static func frames(_ body: [UInt8], invocation: UInt64) -> [Frame] {
        let head = CallHead(bodyCount: UInt32(body.count), contentType: "text/plain").encoded()
        var frames = [frame(.open, invocation, head)]
        var rest = body[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(WireLimits.framePayloadBytesMax)
            frames.append(frame(.chunk, invocation, Array(chunk)))
            rest = rest.dropFirst(chunk.count)
        }
        return frames + [frame(.close, invocation, [])]
    }

    static func frame(_ kind: FrameHeader.Kind, _ invocation: UInt64, _ payload: [UInt8]) -> Frame {
        Frame(header: FrameHeader(kind, invocation: invocation, payloadCount: payload.count), payload: payload)
    }

    func send(_ frames: [Frame]) throws {
        for frame in frames { try send(frame.header.words, frame.payload) }
    }

    /// Waits for room; a worker that has gone meanwhile is told by what is read next.
    func send(_ words: (UInt64, UInt64), _ payload: [UInt8]) throws {
        while try !rings.hasRoom(payloadCount: payload.count) {
            guard try wait(.room, until: { try $0.hasRoom(payloadCount: payload.count) }) else { return }
        }
        rings.put(words, payload: payload.span.bytes)
        if rings.publishSent() { rings.rouseFarSide() }
    }

    /// False where the worker has ended.
    private func wait(_ waits: RingPair.Waits, until isThere: (inout RingPair) throws -> Bool) throws -> Bool {
        while true {
            rings.announce(waits)
            if try isThere(&rings) {
                rings.withdraw()
                return true
            }
            let events = try poll.wait(timeoutMilliseconds: nil)
            if events.contains(where: { $0.token == 1 }) { _ = try doorbell.read(countMax: 8) }
            if try isThere(&rings) { return true }
            if events.contains(where: { $0.token == 2 }) { return false }
        }
    }

    /// Grants no credit.
    func answer(_ invocation: UInt64) throws -> Answer {
        var contentType = ""
        var body: [UInt8] = []
        while let frame = try frame() {
            #expect(frame.header.invocation == invocation)
            switch frame.header.kind {
            case .open: contentType = try ReplyHead(parsing: frame.payload).contentType
            case .chunk: body += frame.payload
            case .close where frame.header.code != 0:
                let code = try #require(WorkerFailureCode(rawValue: frame.header.code))
                return .failure(code, String(decoding: frame.payload, as: UTF8.self))
            case .close: return .reply(contentType: contentType, body: String(decoding: body, as: UTF8.self))
            default: Issue.record("a \(frame.header.kind) frame")
            }
        }
        return .end
    }

    func frame() throws -> Frame? {
        guard try wait(.bytes, until: { try $0.waitingCount() > 0 }), let words = try rings.takeHeader() else {
            return nil
        }
        let header = try FrameHeader(words: words)
        let payload = try rings.takePayload(header.payloadCount)
        if rings.publishTaken() { rings.rouseFarSide() }
        return Frame(header: header, payload: payload)
    }
}
