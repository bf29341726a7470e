import Linux
import Testing

/// Both sides of two rings in one process; what is shared is shared all the same.
struct RingPairTests {
    private static let ringByteCount = 4096

    private struct Ends: ~Copyable {
        var near: RingPair
        var far: RingPair
        var memory: Mapping

        init() throws {
            let byteCount = RingPair.byteCount(ringByteCount: ringByteCount)
            let file = try FileDescriptor.sealedMemoryFile("rings", byteCount: byteCount)
            let near = try RingPair(mapping: file, ringByteCount: ringByteCount, as: .near)
            let far = try RingPair(mapping: file, ringByteCount: ringByteCount, as: .far)
            memory = try Mapping.file(file, byteCount: byteCount, writable: true, shared: true)
            self.near = near
            self.far = far
        }

        mutating func forge(_ cursor: UInt64, at offset: Int) {
            memory.withMutableBytes { $0.storeBytes(of: cursor, toByteOffset: offset, as: UInt64.self) }
        }
    }

    @Test func `records of every length come through in order, round and round, both ways`() throws {
        var ends = try Ends()
        var count = 0
        for round in 0..<600 {
            let length = round * 37 % 3000
            let payload = (0..<length).map { UInt8(truncatingIfNeeded: $0 &* 31 &+ round) }
            for isThere in [true, false] {
                if isThere {
                    #expect(try ends.near.hasRoom(payloadCount: length) == true)
                    ends.near.put((UInt64(length), UInt64(round)), payload: payload.span.bytes)
                    #expect(try ends.far.waitingCount() == 0, "unpublished is unseen")
                    _ = ends.near.publishSent()
                    let next = try ends.far.takeHeader()
                    let header = try #require(next)
                    #expect(header == (UInt64(length), UInt64(round)))
                    let arrived = try ends.far.takePayload(Int(header.0))
                    #expect(arrived == payload)
                    _ = ends.far.publishTaken()
                } else {
                    #expect(try ends.far.hasRoom(payloadCount: length) == true)
                    ends.far.put((UInt64(length), UInt64(round)), payload: payload.span.bytes)
                    _ = ends.far.publishSent()
                    let next = try ends.near.takeHeader()
                    let header = try #require(next)
                    let arrived = try ends.near.takePayload(Int(header.0))
                    #expect(arrived == payload)
                    _ = ends.near.publishTaken()
                }
                count += 1
            }
        }
        #expect(count == 1200)
    }

    @Test func `a full ring has no room until what was taken is given back`() throws {
        var ends = try Ends()
        let half = [UInt8](repeating: 7, count: 2048 - 16)
        for _ in 0..<2 {
            #expect(try ends.near.hasRoom(payloadCount: half.count) == true)
            ends.near.put((UInt64(half.count), 0), payload: half.span.bytes)
        }
        #expect(try ends.near.hasRoom(payloadCount: 0) == false)
        _ = ends.near.publishSent()
        _ = try ends.far.takeHeader()
        _ = try ends.far.takePayload(half.count)
        #expect(try ends.near.hasRoom(payloadCount: 0) == false)
        _ = ends.far.publishTaken()
        #expect(try ends.near.hasRoom(payloadCount: half.count) == true)
        #expect(try ends.near.hasRoom(payloadCount: half.count + 1) == false)
    }

    @Test func `a side is told once, and only of what it sleeps for`() throws {
        var ends = try Ends()
        ends.near.put((0, 1), payload: [UInt8]().span.bytes)
        #expect(ends.near.publishSent() == false, "awake")
        ends.far.announce(.room)
        ends.near.put((0, 2), payload: [UInt8]().span.bytes)
        #expect(ends.near.publishSent() == false, "asleep for room")
        ends.far.announce([.bytes, .room])
        ends.near.put((0, 3), payload: [UInt8]().span.bytes)
        #expect(ends.near.publishSent() == true)
        #expect(ends.near.publishSent() == false, "told already")
        ends.near.announce(.room)
        _ = try ends.far.takeHeader()
        #expect(ends.far.publishTaken() == true)
        ends.near.announce(.room)
        ends.near.withdraw()
        #expect(ends.far.publishTaken() == false)
    }

    @Test func `the size of a sealed file stays`() throws {
        let file = try FileDescriptor.sealedMemoryFile("rings", byteCount: 8192)
        #expect(throws: SystemError.self) { try file.truncate(to: 0) }
        #expect(throws: SystemError.self) { try file.truncate(to: 16384) }
        #expect(try file.size() == 8192)
    }

    private static let wrongCursors: [UInt64] = [1, 8, 4097, 4112, .max, .max - 15, 1 << 63, 1 << 32]

    /// Lines of the drawing at `RingPair`: what the far side writes, and what the near side does with it.
    @Test(arguments: wrongCursors)
    func `a cursor that a ring cannot have is refused`(cursor: UInt64) throws {
        var ends = try Ends()
        ends.forge(cursor, at: 256)
        #expect(throws: RingError.sentCursor(cursor)) { try ends.near.waitingCount() }
        #expect(throws: RingError.sentCursor(cursor)) { try ends.near.takeHeader() }
        let most = [UInt8](repeating: 0, count: 4096 - 16)
        ends.near.put((UInt64(most.count), 0), payload: most.span.bytes)
        _ = ends.near.publishSent()
        guard cursor > 4096 else { return }
        ends.forge(cursor, at: 128)
        #expect(throws: RingError.takenCursor(cursor)) { try ends.near.hasRoom(payloadCount: 0) }
    }

    @Test func `a cursor that goes back is refused`() throws {
        var ends = try Ends()
        let record = [UInt8](repeating: 0, count: 2048 - 16)
        for _ in 0..<2 { ends.near.put((0, 0), payload: record.span.bytes) }
        ends.forge(2048, at: 128)
        #expect(try ends.near.hasRoom(payloadCount: record.count) == true)
        ends.near.put((0, 0), payload: record.span.bytes)
        ends.forge(16, at: 128)
        #expect(throws: RingError.takenCursor(16)) { try ends.near.hasRoom(payloadCount: 0) }
    }

    @Test func `a header that names more than was published is a cut record`() throws {
        var ends = try Ends()
        ends.forge(16, at: 256)
        let header = try ends.near.takeHeader()
        #expect(header != nil)
        #expect(throws: RingError.cutRecord(1)) { try ends.near.takePayload(1) }
        #expect(throws: RingError.cutRecord(1 << 40)) { try ends.near.takePayload(1 << 40) }
    }

    @Test func `a sleeper is woken by what it waits for, and by the end`() throws {
        let byteCount = RingPair.byteCount(ringByteCount: Self.ringByteCount)
        let file = try FileDescriptor.sealedMemoryFile("rings", byteCount: byteCount)
        var near = try RingPair(mapping: file, ringByteCount: Self.ringByteCount, as: .near)
        let answers = try DescriptorPair.pipe()
        let number = answers.second.rawValue
        let theirs = try file.duplicate().take()
        try Thread.start(named: "far") {
            guard
                var far = try? RingPair(
                    mapping: FileDescriptor(owning: theirs),
                    ringByteCount: Self.ringByteCount,
                    as: .far
                )
            else { return }
            let output = FileDescriptor(owning: number)
            while true {
                far.announce(.bytes)
                if (try? far.waitingCount()) == 0, !far.hasEnded { try? far.sleep(.bytes) }
                while let header = try? far.takeHeader() { try? output.writeAll([UInt8(header.1)]) }
                if far.hasEnded { break }
            }
            try? output.writeAll([0])
            _ = output.take()
        }
        for number in 1...100 {
            near.put((0, UInt64(number)), payload: [UInt8]().span.bytes)
            if near.publishSent() { near.rouseFarSide() }
            #expect(try answers.first.read(countMax: 1) == [UInt8(number)])
        }
        near.end()
        #expect(try answers.first.read(countMax: 1) == [0])
    }
}
