import ArgumentParser
import Linux

/// What it costs to hand a worker a call and see its reply: the rings, beside what the kernel offers for it.
struct ChannelBench: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "channel",
        abstract: "A call of 64 bytes to another process and its reply, through the rings, an eventfd and a socket.",
        discussion: """
            Rows: channel awake (both sides look), channel asleep (the far side sleeps before each call), each beside a \
            round trip of eventfds in the same run, and a socket's.
            """
    )

    @Flag(help: "One JSON object a line.")
    var json = false

    @Option(help: "Round trips of each kind.")
    var rounds = 20_000

    func run() throws {
        let eventfd = try EventTrip.measure(rounds: rounds)
        let socket = try SocketTrip.measure(rounds: rounds)
        let awake = try RingTrip.measure(rounds: rounds, farSleeps: false)
        let asleep = try RingTrip.measure(rounds: rounds, farSleeps: true)
        for (name, sample) in [("channel awake p50", awake), ("channel asleep p50", asleep), ("socket p50", socket)] {
            try Figure(
                name: name,
                value: sample.median,
                unit: "us",
                against: "eventfd round trip p50",
                againstValue: eventfd.median
            ).show(json: json)
        }
    }
}

/// A copy of this process at the far end of something.
private enum FarProcess {
    private static let pauseNanoseconds: UInt64 = 20_000

    /// Runs `serve` in a fork until it returns, and `call` here so many times; answers each call's microseconds.
    static func measure(rounds: Int, serve: () throws -> Void, call: () throws -> Void) throws -> Sample {
        switch try CurrentProcess.fork() {
        case .child:
            try? serve()
            CurrentProcess.exit(0)
        case .parent(let child):
            var times: [Double] = []
            times.reserveCapacity(rounds)
            for _ in 0..<rounds {
                // The far side has gone to sleep by the time of the next call, if it sleeps.
                let pause = Clock.monotonicNanoseconds()
                while Clock.monotonicNanoseconds() - pause < pauseNanoseconds { RingPair.relax() }
                let begin = Clock.monotonicNanoseconds()
                try call()
                times.append(Double(Clock.monotonicNanoseconds() - begin) / 1000)
            }
            try ProcessHandle(pid: child).kill()
            _ = try ProcessHandle.wait(pid: child)
            return Sample(times)
        }
    }
}

/// Two doorbells, each read where it is polled: what the kernel does at the least to wake a process and be woken.
private enum EventTrip {
    static func measure(rounds: Int) throws -> Sample {
        let there = try FileDescriptor.doorbell()
        let back = try FileDescriptor.doorbell()
        try there.setNonBlocking(false)
        try back.setNonBlocking(false)
        return try FarProcess.measure(rounds: rounds) {
            while true {
                _ = try there.read(countMax: 8)
                try back.ring()
            }
        } call: {
            try there.ring()
            _ = try back.read(countMax: 8)
        }
    }
}

private enum SocketTrip {
    static func measure(rounds: Int) throws -> Sample {
        let ends = try DescriptorPair.streamSockets()
        let message = [UInt8](repeating: 1, count: 64)
        let near = ends.first
        let far = ends.second
        return try FarProcess.measure(rounds: rounds) {
            while true { try far.writeAll(try far.read(countMax: 64)) }
        } call: {
            try near.writeAll(message)
            _ = try near.read(countMax: 64)
        }
    }
}

private enum RingTrip {
    private static let ringByteCount = 128 * 1024
    private static let body = [UInt8](repeating: 1, count: 64)

    /// - Parameter farSleeps: the far side sleeps before each call, as an idle worker does.
    static func measure(rounds: Int, farSleeps: Bool) throws -> Sample {
        let byteCount = RingPair.byteCount(ringByteCount: ringByteCount)
        let memory = try FileDescriptor.sealedMemoryFile("rings", byteCount: byteCount)
        var near = try RingPair(mapping: memory, ringByteCount: ringByteCount, as: .near)
        return try FarProcess.measure(rounds: rounds) {
            var far = try RingPair(mapping: memory, ringByteCount: ringByteCount, as: .far)
            while true {
                try wait(&far, sleeps: farSleeps)
                try echo(&far)
            }
        } call: {
            unsafe near.put((64, 1), payload: body.span.bytes)
            if near.publishSent() { near.rouseFarSide() }
            try wait(&near, sleeps: false)
            _ = try near.takeHeader()
            _ = try near.takePayload(64)
            _ = near.publishTaken()
            _ = try near.hasRoom(payloadCount: ringByteCount / 2)
        }
    }

    private static func echo(_ far: inout RingPair) throws {
        guard let header = try far.takeHeader() else { return }
        let payload = try far.takePayload(64)
        _ = far.publishTaken()
        _ = try far.hasRoom(payloadCount: ringByteCount / 2)
        unsafe far.put(header, payload: payload.span.bytes)
        _ = far.publishSent()
    }

    private static func wait(_ rings: inout RingPair, sleeps: Bool) throws {
        while try rings.waitingCount() == 0 {
            guard sleeps else {
                RingPair.relax()
                continue
            }
            rings.announce(.bytes)
            if try rings.waitingCount() == 0 { try rings.sleep(.bytes) }
            rings.withdraw()
        }
    }
}
