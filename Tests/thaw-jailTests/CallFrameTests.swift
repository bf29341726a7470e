import Serving
import Testing
import Wire

@testable import thaw_jail

/// Frames on the socket of a Python worker, whose program is not believed.
@Suite struct CallFrameTests {
    private static func frame(_ kind: CallFrame.Kind, _ payload: [UInt8]) -> [UInt8] {
        [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: payload.count >> $0) } + [kind.rawValue] + payload
    }

    private static let nested: [UInt8] =
        [5] + Array("embed".utf8) + [16, 0] + Array("application/json".utf8) + Array("{}".utf8)

    /// What a program sends of one call: a hello, a call of another function, a reply in two chunks.
    private static let script =
        frame(.hello, []) + frame(.nested, nested) + frame(.contentType, Array("text/plain".utf8))
        + frame(.chunk, [1, 2, 3]) + frame(.chunk, [UInt8](repeating: 7, count: 500)) + frame(.done, [])

    private static func frames(_ bytes: [UInt8], pieces: Int) throws -> [CallFrame] {
        var reader = CallFrameReader()
        var frames: [CallFrame] = []
        for start in stride(from: 0, to: bytes.count, by: pieces) {
            reader.append(Array(bytes[start..<min(bytes.count, start + pieces)]))
            while let frame = try reader.next() { frames.append(frame) }
        }
        return frames
    }

    @Test(arguments: [1, 2, 7, 4096]) func `are the same however they are cut`(pieces: Int) throws {
        let frames = try Self.frames(Self.script, pieces: pieces)
        #expect(frames.map(\.kind) == [.hello, .nested, .contentType, .chunk, .chunk, .done])
        let call = try CallFrame.outgoing(frames[1].payload)
        #expect(call == OutgoingCall(function: "embed", contentType: "application/json", body: Array("{}".utf8)))
    }

    @Test func `what only the keeper sends, and what is too long, is refused`() {
        #expect(throws: CallFrameError.self) { try Self.frames(Self.frame(.invoke, []), pieces: 64) }
        #expect(throws: CallFrameError.self) { try Self.frames(Self.frame(.answer, []), pieces: 64) }
        #expect(throws: CallFrameError.self) {
            try Self.frames([0, 0, 32, 0, CallFrame.Kind.chunk.rawValue], pieces: 64)
        }
        #expect(throws: CallFrameError.self) {
            try Self.frames([0, 0, 0, 255, CallFrame.Kind.nested.rawValue], pieces: 64)
        }
        for count in 0..<Self.nested.count - 2 {
            #expect(throws: CallFrameError.self) { try CallFrame.outgoing(Array(Self.nested[..<count])) }
        }
    }

    @Test func `no mutant traps: it is frames, a wait for more, or a refusal`() {
        var random = SplitMix(state: 41)
        var refusals = 0
        for _ in 0..<3000 {
            var bytes = Self.script
            for _ in 0...Int(random.next() % 3) {
                bytes[Int(random.next() % UInt64(bytes.count))] = UInt8(truncatingIfNeeded: random.next())
            }
            do {
                for frame in try Self.frames(bytes, pieces: 1 + Int(random.next() % 200)) where frame.kind == .nested {
                    _ = try CallFrame.outgoing(frame.payload)
                }
            } catch {
                refusals += 1
            }
        }
        #expect(refusals > 20)
    }
}
