import Linux
import NIOCore
import NIOPosix
import Scheduling
import Synchronization
import Testing
import Wire

@testable import Fleet

/// The scheduler's side of a worker's rings, against a worker that is played here.
struct WorkerLineTests {
    /// What the fleet would have heard.
    final class Ear: WorkerChannelDelegate {
        struct Heard {
            var ready = 0
            var answers: [(invocation: UInt64, result: Result<WorkReply, WorkFailure>)] = []
            var complaints: [String] = []
        }

        let heard = Mutex(Heard())
        let answerCount: Int
        private let finished: EventLoopPromise<Void>

        init(expecting answerCount: Int, _ finished: EventLoopPromise<Void>) {
            self.answerCount = answerCount
            self.finished = finished
        }

        func workerIsReady(_ worker: UInt32) {
            heard.withLock { $0.ready += 1 }
        }

        func worker(
            _ worker: UInt32,
            answered invocation: UInt64,
            with result: Result<WorkReply, WorkFailure>,
            at now: UInt64
        ) {
            let count = heard.withLock { heard in
                heard.answers.append((invocation, result))
                return heard.answers.count
            }
            if count == answerCount { finished.succeed() }
        }

        func worker(_ worker: UInt32, brokeContract complaint: String) {
            heard.withLock { $0.complaints.append(complaint) }
            finished.succeed()
        }
    }

    private static func frame(_ kind: FrameHeader.Kind, _ invocation: UInt64, _ payload: [UInt8] = []) -> [UInt8] {
        var bytes = words(FrameHeader(kind, invocation: invocation, payloadCount: payload.count).words) + payload
        bytes += [UInt8](repeating: 0, count: (16 - bytes.count % 16) % 16)
        return bytes
    }

    private static func order(_ body: ByteBuffer, on loop: any EventLoop) -> WorkOrder {
        WorkOrder(key: PoolKey(function: "echo", version: 1), contentType: "text/plain", body: body, loop: loop)
    }

    private static func words(_ words: (UInt64, UInt64)) -> [UInt8] {
        var writer = ByteWriter()
        writer.append(words.0)
        writer.append(words.1)
        return writer.bytes
    }

    /// A ready worker's answer to invocation 1, as it lies in a ring.
    private static let script =
        frame(.ready, 0) + frame(.open, 1, ReplyHead(contentType: "text/plain").encoded())
        + frame(.chunk, 1, [1, 2, 3])
        + frame(.chunk, 1, [UInt8](repeating: 4, count: 200)) + frame(.close, 1)

    @Test func `no mutant of a worker's ring traps the scheduler: it is an answer, silence or a broken contract`()
        async throws
    {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let tally = try await loop.submit {
            var generator = SplitMix(seed: 0x7468_6177)
            var tally = (answers: 0, complaints: 0)
            for run in 0..<4000 {
                let heard = try Self.play(Self.mutant(of: run, &generator), on: loop, &generator)
                tally.answers += heard.answers.count
                tally.complaints += heard.complaints.count
                #expect(heard.complaints.count <= 1 && heard.ready <= 1)
            }
            return tally
        }.get()
        // The first run is no mutant; of the others some are still good and most are not.
        #expect(tally.answers > 100 && tally.complaints > 1000, "\(tally)")
        try await group.shutdownGracefully()
    }

    private static func mutant(of run: Int, _ generator: inout SplitMix) -> [UInt8] {
        var bytes = script
        guard run > 0 else { return bytes }
        for _ in 0...Int.random(in: 0..<3, using: &generator) {
            switch Int.random(in: 0..<4, using: &generator) {
            case 0:
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] = UInt8.random(in: 0...255, using: &generator)
            case 1:
                let place = Int.random(in: 0..<bytes.count, using: &generator)
                bytes[place] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
            case 2:
                let from = Int.random(in: 0..<bytes.count / 16, using: &generator) * 16
                bytes.removeSubrange(from..<min(bytes.count, from + 16))
            default:
                let from = Int.random(in: 0..<bytes.count / 16, using: &generator) * 16
                bytes.insert(contentsOf: bytes[from..<min(bytes.count, from + 32)], at: from)
            }
            if bytes.count < 32 { return bytes }
        }
        return bytes
    }

    /// Shows a line these bytes, with a cursor that may be as wrong as they are.
    private static func play(
        _ bytes: [UInt8],
        on loop: any EventLoop,
        _ generator: inout SplitMix
    ) throws -> Ear.Heard {
        let byteCount = RingPair.byteCount(ringByteCount: WireLimits.ringByteCount)
        let file = try Linux.FileDescriptor.sealedMemoryFile("rings", byteCount: byteCount)
        let rings = try RingPair(mapping: file, ringByteCount: WireLimits.ringByteCount, as: .near)
        let promise = loop.makePromise(of: Void.self)
        let ear = Ear(expecting: .max, promise)
        let line = WorkerLine(worker: WorkerName(1), rings: rings, loop: loop, delegate: ear)
        line.send(order(ByteBuffer(string: "hello"), on: loop), as: 1)
        var memory = try Mapping.file(file, byteCount: byteCount, writable: true, shared: true)
        let cursor: UInt64 =
            Int.random(in: 0..<8, using: &generator) > 0
            ? UInt64(bytes.count) : .random(in: 0...(.max), using: &generator)
        let taken: UInt64 =
            Int.random(in: 0..<8, using: &generator) > 0 ? 96 : .random(in: 0...(.max), using: &generator)
        memory.withMutableBytes { memory in
            for (offset, byte) in bytes.enumerated() {
                memory.storeBytes(of: byte, toByteOffset: 4096 + WireLimits.ringByteCount + offset, as: UInt8.self)
            }
            memory.storeBytes(of: cursor, toByteOffset: 256, as: UInt64.self)
            memory.storeBytes(of: taken, toByteOffset: 128, as: UInt64.self)
        }
        line.hearDoorbell()
        line.send(order(ByteBuffer(repeating: 1, count: 200_000), on: loop), as: 2)
        line.hearDoorbell()
        line.end()
        promise.succeed()
        return ear.heard.withLock { $0 }
    }

    @Test func `a reply of frames with nothing in them is a break of the contract, not work without end`() async throws
    {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let heard = try await loop.submit {
            var generator = SplitMix(seed: 1)
            let head = ReplyHead(contentType: "text/plain").encoded()
            let bytes = Self.frame(.ready, 0) + Self.frame(.open, 1, head) + Self.frame(.chunk, 1)
            return try Self.play(bytes, on: loop, &generator)
        }.get()
        #expect(heard.ready == 1 && heard.complaints == ["a chunk frame with nothing in it"])
        try await group.shutdownGracefully()
    }

    @Test func `a streamed reply is handed on piece by piece, and what was taken is granted again`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let finished = loop.makePromise(of: Void.self)
        let ear = Ear(expecting: 1, finished)
        let ends = try WorkerChannel.make(worker: WorkerName(1), on: loop, delegate: ear)
        try StreamingEcho.start(
            doorbell: ends.doorbell.duplicate(),
            rings: ends.rings.duplicate(),
            isStreamed: true
        )
        let seen = Mutex((types: [String](), byteCount: 0))
        var order = Self.order(ByteBuffer(repeating: 7, count: 1_500_000), on: loop)
        order.stream = ReplyStream(
            begin: { type in seen.withLock { $0.types.append(type) } },
            take: { piece, taken in
                seen.withLock { $0.byteCount += piece.readableBytes }
                taken()
            }
        )
        ends.near.send(order, as: 1)
        try await finished.futureResult.get()
        #expect(seen.withLock { $0.types } == ["text/plain"])
        #expect(seen.withLock { $0.byteCount } == 1_500_000)
        let reply = try ear.heard.withLock { $0.answers[0].result }.get()
        #expect(reply.body.readableBytes == 0 && reply.streamedByteCount == 1_500_000)
        ends.near.close()
        try await group.shutdownGracefully()
    }

    @Test func `long calls and long replies fill both rings at once, and all come through`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let finished = loop.makePromise(of: Void.self)
        let ear = Ear(expecting: 16, finished)
        let bodies = (1...16).map { ByteBuffer(repeating: UInt8($0), count: 500_000 + $0) }
        let ends = try WorkerChannel.make(worker: WorkerName(1), on: loop, delegate: ear)
        try StreamingEcho.start(doorbell: ends.doorbell.duplicate(), rings: ends.rings.duplicate())
        let channel = ends.near
        for (index, body) in bodies.enumerated() {
            channel.send(Self.order(body, on: loop), as: UInt64(index + 1))
        }
        try await finished.futureResult.get()
        let heard = ear.heard.withLock { $0 }
        #expect(heard.complaints == [] && heard.ready == 1)
        #expect(heard.answers.map(\.invocation) == Array(1...16))
        for (answer, body) in zip(heard.answers, bodies) {
            #expect(try answer.result.get().body == body)
        }
        channel.close()
        try await group.shutdownGracefully()
    }

    @Test func `a worker that rings for nothing, again and again, is given up`() async throws {
        let group = MultiThreadedEventLoopGroup(numberOfThreads: 1)
        let loop = group.next()
        let finished = loop.makePromise(of: Void.self)
        let ear = Ear(expecting: .max, finished)
        let ends = try WorkerChannel.make(worker: WorkerName(1), on: loop, delegate: ear)
        let doorbell = try ends.doorbell.duplicate()
        // One is rung while the last is heard: some get lost in each other, most do not.
        for _ in 0..<1_000_000 where ear.heard.withLock({ $0.complaints.isEmpty }) { try doorbell.ring() }
        #expect(ear.heard.withLock { $0.complaints } == ["65 doorbells in a row with nothing behind them"])
        ends.near.close()
        try await group.shutdownGracefully()
    }
}

/// A worker that returns what comes while it comes, so that both rings are full at once.
private enum StreamingEcho {
    static func start(
        doorbell: consuming Linux.FileDescriptor,
        rings: consuming Linux.FileDescriptor,
        isStreamed: Bool = false
    ) throws {
        let (bell, memory) = (doorbell.take(), rings.take())
        try Thread.start(named: "echo") {
            let doorbell = Linux.FileDescriptor(owning: bell)
            let file = Linux.FileDescriptor(owning: memory)
            guard var pair = try? RingPair(mapping: file, ringByteCount: WireLimits.ringByteCount, as: .far) else {
                return
            }
            try? serve(&pair, doorbell, isStreamed: isStreamed)
        }
    }

    private static func serve(
        _ rings: inout RingPair,
        _ doorbell: borrowing Linux.FileDescriptor,
        isStreamed: Bool
    ) throws {
        var grants = 0
        try send(FrameHeader(.ready, invocation: 0, payloadCount: 0), [], &rings, doorbell)
        while try wait(.bytes, &rings, until: { try $0.waitingCount() > 0 }) {
            guard let words = try rings.takeHeader() else { continue }
            let header = try FrameHeader(words: words)
            let payload = try rings.takePayload(header.payloadCount)
            if rings.publishTaken() { try doorbell.ring() }
            switch header.kind {
            case .open:
                let type = try CallHead(parsing: payload).contentType
                let head = ReplyHead(contentType: type, isStreamed: isStreamed).encoded()
                let reply = FrameHeader(.open, invocation: header.invocation, payloadCount: head.count)
                try send(reply, head, &rings, doorbell)
            case .chunk: try send(header, payload, &rings, doorbell)
            case .close:
                // Of a stream of three half megabytes two have been granted by the time that its call ends.
                while isStreamed, grants < 2 {
                    guard try wait(.bytes, &rings, until: { try $0.waitingCount() > 0 }) else { return }
                    guard let words = try rings.takeHeader() else { continue }
                    let header = try FrameHeader(words: words)
                    _ = try rings.takePayload(header.payloadCount)
                    grants += header.kind == .credit ? 1 : 0
                }
                try send(header, payload, &rings, doorbell)
            case .credit: grants += 1
            default: continue
            }
        }
    }

    private static func send(
        _ header: FrameHeader,
        _ payload: [UInt8],
        _ rings: inout RingPair,
        _ doorbell: borrowing Linux.FileDescriptor
    ) throws {
        guard try wait(.room, &rings, until: { try $0.hasRoom(payloadCount: payload.count) }) else { return }
        rings.put(header.words, payload: payload.span.bytes)
        if rings.publishSent() { try doorbell.ring() }
    }

    private static func wait(
        _ waits: RingPair.Waits,
        _ rings: inout RingPair,
        until isThere: (inout RingPair) throws -> Bool
    ) throws -> Bool {
        while try !isThere(&rings) {
            rings.announce(waits)
            if try isThere(&rings) {
                rings.withdraw()
                return true
            }
            if rings.hasEnded { return false }
            try rings.sleep(waits)
        }
        return true
    }
}

/// Chance from a seed, so that a failure can be had again.
struct SplitMix: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) {
        state = seed
    }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var z = state
        z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
        z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
        return z ^ (z >> 31)
    }
}
