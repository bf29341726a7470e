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
    func fork(_ worker: UInt32, group: MemoryGroup? = nil) throws -> WorkerHarness {
        let sockets = try DescriptorPair.streamSockets()
        var descriptors = [sockets.second.rawValue]
        if let group { descriptors.append(group.tasks.rawValue) }
        try control.sendMessage(TemplateOrder.fork(worker: worker).encoded(), descriptors: descriptors)
        try sockets.second.close()
        let answer = try TemplateHarness.receive(control)
        guard answer.report == .forked(worker: worker), let number = answer.descriptor else {
            throw Unexpected(what: "\(answer.report)")
        }
        let handle = ProcessHandle(owning: FileDescriptor(owning: number))
        let harness = WorkerHarness(channel: sockets.first, handle: handle)
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

/// A worker, seen through its channel.
final class WorkerHarness {
    let channel: FileDescriptor
    let handle: ProcessHandle

    init(channel: consuming FileDescriptor, handle: consuming ProcessHandle) {
        self.channel = channel
        self.handle = handle
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

    static func frames(_ body: [UInt8], invocation: UInt64) -> [UInt8] {
        let head = CallHead(bodyCount: UInt32(body.count), contentType: "text/plain").encoded()
        var frames = frame(.open, invocation, head)
        var rest = body[...]
        while !rest.isEmpty {
            let chunk = rest.prefix(WireLimits.framePayloadBytesMax)
            frames += frame(.chunk, invocation, Array(chunk))
            rest = rest.dropFirst(chunk.count)
        }
        return frames + frame(.close, invocation, [])
    }

    static func frame(_ kind: FrameHeader.Kind, _ invocation: UInt64, _ payload: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        FrameHeader(kind, invocation: invocation, payloadCount: payload.count).write(to: &writer)
        return writer.bytes + payload
    }

    func send(_ bytes: [UInt8]) throws {
        try channel.writeAll(bytes)
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
        guard let head = bytes(FrameHeader.byteCount) else { return nil }
        let header = try FrameHeader(parsing: head)
        return Frame(header: header, payload: bytes(header.payloadCount) ?? [])
    }

    private func bytes(_ count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            // A worker that dies with bytes unread resets its channel: an end like any other.
            guard let piece = try? channel.read(countMax: count - bytes.count), !piece.isEmpty else { return nil }
            bytes += piece
        }
        return bytes
    }
}
