import Linux
import Testing
import Wire

@testable import Serving

/// The worker's reader, against a scheduler that is played here.
struct FrameLineTests {
    private static let call: [(FrameHeader, [UInt8])] = {
        let head = CallHead(bodyCount: 300, contentType: "text/plain").encoded()
        return [
            (FrameHeader(.open, invocation: 1, payloadCount: head.count), head),
            (FrameHeader(.chunk, invocation: 1, payloadCount: 100), [UInt8](repeating: 1, count: 100)),
            (FrameHeader(.chunk, invocation: 1, payloadCount: 200), [UInt8](repeating: 2, count: 200)),
            (FrameHeader(.close, invocation: 1, payloadCount: 0), []),
            (FrameHeader(.credit, invocation: 1, payloadCount: 4), [0, 0, 8, 0]),
            (FrameHeader(.cancel, invocation: 1, payloadCount: 0), []),
        ]
    }()

    /// Frames as they are, then words and payloads changed, frames left out and told twice.
    @Test func `no mutant of a scheduler's ring traps a worker: it is a call, silence or a broken contract`() throws {
        var generator = Xorshift(state: 0x7761_7277)
        var (calls, refusals) = (0, 0)
        for run in 0..<3000 {
            do {
                calls += try play(run, &generator)
            } catch is ChannelError {
                refusals += 1
            } catch is WireError {
                refusals += 1
            }
        }
        #expect(calls > 200 && refusals > 500, "\(calls) calls, \(refusals) refusals")
    }

    /// How many calls came of it.
    private func play(_ run: Int, _ generator: inout Xorshift) throws -> Int {
        let byteCount = RingPair.byteCount(ringByteCount: WireLimits.ringByteCount)
        let file = try FileDescriptor.sealedMemoryFile("rings", byteCount: byteCount)
        var near = try RingPair(mapping: file, ringByteCount: WireLimits.ringByteCount, as: .near)
        let far = try RingPair(mapping: file, ringByteCount: WireLimits.ringByteCount, as: .far)
        for (header, payload) in Self.call {
            var (words, payload) = (header.words, payload)
            if run > 0 {
                switch UInt8.random(in: 0..<24, using: &generator) {
                case 0: words.0 ^= 1 << UInt64.random(in: 0..<64, using: &generator)
                case 1: words.1 ^= 1 << UInt64.random(in: 0..<64, using: &generator)
                case 2: words.0 = .random(in: 0...(.max), using: &generator)
                case 3 where !payload.isEmpty:
                    let place = Int.random(in: 0..<payload.count, using: &generator)
                    payload[place] ^= UInt8(1) << UInt8.random(in: 0..<8, using: &generator)
                case 4: continue
                case 5: near.put(words, payload: payload.span.bytes)
                default: break
                }
            }
            near.put(words, payload: payload.span.bytes)
        }
        _ = near.publishSent()
        near.end()
        var line = FrameLine(rings: far, doorbell: try FileDescriptor.doorbell())
        var assembly = CallAssembly(payloadBytesMax: 1000)
        var calls = 0
        while let frame = try line.next() {
            if case .call = try assembly.take(frame.header, frame.payload) { calls += 1 }
        }
        return calls
    }

    @Test func `a worker spins only where waits were short lately`() {
        var budget = SpinBudget()
        #expect(!budget.isWorthwhile)
        for _ in 0..<4 { budget.note(waitedNanoseconds: 2000) }
        #expect(budget.isWorthwhile)
        for _ in 0..<100 { budget.note(waitedNanoseconds: 2000) }
        for _ in 0..<5 { budget.note(waitedNanoseconds: 1_000_000) }
        #expect(!budget.isWorthwhile)
    }
}

/// Chance from a seed, so that a failure can be had again.
private struct Xorshift: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}
