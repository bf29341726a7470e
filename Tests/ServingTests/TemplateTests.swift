import Foundation
import Linux
import Sandboxing
import Serving
import Testing
import Wire

/// A real template and its forks, in a real sandbox.
@Suite(.enabled(if: CurrentProcess.isRoot, "the sandbox needs namespaces, which not every machine gives to others"))
struct TemplateTests {
    static let policies = Result { () throws(PolicyError) in
        try Policies(
            folder: URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
                .deletingLastPathComponent().appending(path: "runtime/policies").path
        )
    }

    private func template(payloadBytesMax: UInt64 = 1 << 20) throws -> TemplateHarness {
        try TemplateHarness.start(policies: try TemplateTests.policies.get(), payloadBytesMax: payloadBytesMax)
    }

    @Test func `a fork answers calls, one after another, and ends with its channel`() throws {
        let template = try template()
        do {
            let worker = try template.fork(1)
            #expect(try worker.call("echo one") == .reply(contentType: "text/plain", body: "one"))
            #expect(try worker.call("refuse no such input", invocation: 2) == .failure(.badInput, "no such input"))
            #expect(try worker.call("echo two", invocation: 3) == .reply(contentType: "text/plain", body: "two"))
        }
        let death = try template.reap(1)
        #expect(death.signal == 0 && death.status == 0 && death.refusedCall == -1, "\(death)")
        #expect(death.residentBytesMax > 0)
    }

    @Test func `a template without orders goes on with its function, and forks have what was done before them`() throws
    {
        let template = try template()
        var counts: [Int] = []
        // Each order interrupts the steps; far fewer forks than this and all are taken.
        for number in 1...400 where counts.last != 2000 {
            let worker = UInt32(number)
            guard case .reply(_, let count) = try template.fork(worker).call("steps") else { break }
            counts.append(try #require(Int(count)))
            _ = try template.reap(worker)
        }
        #expect(counts == counts.sorted())
        #expect(counts.last == 2000)
        guard case .reply(_, "2000") = try template.fork(500).call("steps") else {
            Issue.record("a step was taken after the last one")
            return
        }
    }

    @Test func `only a fork that no call waits for warms itself up, once and before it is ready`() throws {
        let template = try template()
        let parked = try template.fork(1, isAhead: true)
        #expect(try parked.call("warm-ups") == .reply(contentType: "text/plain", body: "1"))
        #expect(try parked.call("warm-ups", invocation: 2) == .reply(contentType: "text/plain", body: "1"))
        #expect(try template.fork(2).call("warm-ups") == .reply(contentType: "text/plain", body: "0"))
    }

    @Test func `forks do not see one another's memory or descriptors`() throws {
        let template = try template()
        let first = try template.fork(1)
        let second = try template.fork(2)
        #expect(try first.call("eat 4") == .reply(contentType: "text/plain", body: "done"))
        #expect(try second.call("echo here") == .reply(contentType: "text/plain", body: "here"))
        // Standard input, output and error, and the channel; whatever else the template held is gone.
        #expect(try second.call("call read 4", invocation: 2) == .reply(contentType: "text/plain", body: "-9"))
        #expect(try second.call("call write 5", invocation: 3) == .reply(contentType: "text/plain", body: "-9"))
    }

    @Test(arguments: [
        "openat", "socket", "execve", "ptrace", "mount", "clone", "fork", "kill", "unshare", "recvmsg", "pidfd_open",
        "seccomp", "prlimit64",
    ])
    func `a worker that makes a forbidden call dies of it, by name, and its siblings live`(call: String) throws {
        let template = try template()
        let worker = try template.fork(7)
        let sibling = try template.fork(8)
        #expect(try worker.call("call \(call)") == .end)
        let death = try template.reap(7)
        #expect(death.signal == 31)
        #expect(SystemCall.name(of: death.refusedCall) == call)
        #expect(try sibling.call("echo alive") == .reply(contentType: "text/plain", body: "alive"))
    }

    @Test func `memory never becomes executable`() throws {
        let template = try template()
        let worker = try template.fork(1)
        // PROT_READ | PROT_WRITE passes, PROT_EXEC besides does not.
        let answer = try worker.call("call mmap 0 4096 3 34 -1 0")
        #expect(answer != .end && answer != .reply(contentType: "text/plain", body: "-22"))
        #expect(try worker.call("call mmap 0 4096 7 34 -1 0", invocation: 2) == .end)
        #expect(SystemCall.name(of: try template.reap(1).refusedCall) == "mmap")
    }

    @Test(arguments: [("crash", 11), ("trap", 4)])
    func `a worker that crashes is told by its signal`(command: String, signal: UInt8) throws {
        let template = try template()
        let worker = try template.fork(1)
        #expect(try worker.call(command) == .end)
        let death = try template.reap(1)
        #expect(death.signal == signal && death.refusedCall == -1, "\(death)")
    }

    @Test func `an exit is told by its status`() throws {
        let template = try template()
        let worker = try template.fork(1)
        #expect(try worker.call("exit 7") == .end)
        let death = try template.reap(1)
        #expect(death.signal == 0 && death.status == 7)
    }

    @Test func `a slot serves the next worker without its predecessor's refusal`() throws {
        let template = try template()
        let first = try template.fork(1)
        #expect(try first.call("call socket") == .end)
        #expect(try template.reap(1).refusedCall == 41)
        let second = try template.fork(2)
        #expect(try second.call("exit 0") == .end)
        #expect(try template.reap(2).refusedCall == -1)
    }

    @Test func `a worker beyond its memory group is killed, and the group says so`() throws {
        let groups = try #require(MemoryGroups.make(), "this machine has no memory groups")
        let group = try groups.take(limitBytes: 64 << 20)
        let template = try template()
        let worker = try template.fork(1, group: group)
        #expect(try worker.call("eat 8") == .reply(contentType: "text/plain", body: "done"))
        #expect(try worker.call("eat 400", invocation: 2) == .end)
        #expect(try template.reap(1).signal == 9)
        #expect(group.killCount() == 1)
        groups.giveBack(group)
        groups.close()
    }

    @Test func `a body beyond the limit is refused at once, and the next call is served`() throws {
        let template = try template(payloadBytesMax: 1000)
        let worker = try template.fork(1)
        let answer = try worker.call(String(repeating: "x", count: 300_000))
        #expect(answer == .failure(.tooLarge, "a body of 300000 bytes is too large: the limit is 1000 bytes"))
        #expect(try worker.call("echo next", invocation: 2) == .reply(contentType: "text/plain", body: "next"))
    }

    @Test func `a long reply stops at its credit and goes on with more`() throws {
        let template = try template()
        let worker = try template.fork(1)
        try worker.send(WorkerHarness.frames(Array("flood 3000000".utf8), invocation: 1))
        var received = 0
        var ungranted = 0
        while let frame = try worker.frame(), frame.header.kind != .close {
            guard frame.header.kind == .chunk else { continue }
            received += frame.payload.count
            ungranted += frame.payload.count
            #expect(ungranted <= WireLimits.replyCreditBytes)
            if ungranted == WireLimits.replyCreditBytes {
                var writer = ByteWriter()
                writer.append(UInt32(ungranted))
                try worker.send([WorkerHarness.frame(.credit, 1, writer.bytes)])
                ungranted = 0
            }
        }
        #expect(received == 3_000_000)
    }

    @Test func `a caller that goes while it would get more ends the reply, not the worker`() throws {
        let template = try template()
        let worker = try template.fork(1)
        try worker.send(WorkerHarness.frames(Array("flood 3000000".utf8), invocation: 1))
        try worker.send([WorkerHarness.frame(.cancel, 1, [])])
        guard case .reply(_, let body) = try worker.answer(1) else { throw TemplateHarness.Unexpected(what: "no end") }
        #expect(body.utf8.count == WireLimits.replyCreditBytes)
        #expect(try worker.call("echo next", invocation: 2) == .reply(contentType: "text/plain", body: "next"))
    }

    @Test(arguments: [
        [WorkerHarness.frame(.ready, 1, [])],
        [WorkerHarness.frame(.chunk, 1, [1])],
        [WorkerHarness.frame(.close, 1, [])],
        [WorkerHarness.frame(.open, 1, [1])],
        [
            WorkerHarness.frame(.open, 1, CallHead(bodyCount: 1, contentType: "").encoded()),
            WorkerHarness.frame(.chunk, 1, [1, 2]),
        ],
        [WorkerHarness.frame(.open, 0, CallHead(bodyCount: 0, contentType: "").encoded())],
    ])
    func `a worker that is spoken to against the contract ends`(frames: [WorkerHarness.Frame]) throws {
        let template = try template()
        let worker = try template.fork(1)
        try worker.send(frames)
        #expect(try worker.answer(1) == .end)
        let death = try template.reap(1)
        #expect(Int32(death.status) == ExitStatus.brokenContract.rawValue, "\(death)")
    }

    @Test func `a worker's words reach the log`() throws {
        let template = try template()
        let worker = try template.fork(1)
        #expect(try worker.call("stderr all is well") == .reply(contentType: "text/plain", body: "done"))
        #expect(String(decoding: try template.log.read(countMax: 100), as: UTF8.self) == "all is well\n")
    }

    @Test func `a template that loses its control socket takes its workers with it`() throws {
        let policies = try TemplateTests.policies.get()
        let worker = try orphan(policies)
        #expect(try worker.answer(1) == .end)
    }

    private func orphan(_ policies: Policies) throws -> WorkerHarness {
        let template = try TemplateHarness.start(policies: policies)
        return try template.fork(1)
    }

    @Test func `the sandbox shows in the kernel's own words`() throws {
        let template = try template()
        let worker = try template.fork(1)
        for pid in [try template.handle.pid(), try worker.handle.pid()] {
            let status = String(decoding: try FileDescriptor.open("/proc/\(pid)/status").readAll(), as: UTF8.self)
            let lines = status.split(separator: "\n")
            for line in [
                "Uid:\t65534\t65534\t65534\t65534", "NoNewPrivs:\t1", "Seccomp:\t2", "CapInh:\t0000000000000000",
                "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000", "CapBnd:\t0000000000000000",
                "CapAmb:\t0000000000000000", "Groups:\t ",
            ] {
                #expect(lines.contains { $0 == line }, "\(line) in \(status)")
            }
            #expect(try Directory.names(in: "/proc/\(pid)/root") == [])
            let mounts = try FileDescriptor.open("/proc/\(pid)/mounts").readAll()
            #expect(String(decoding: mounts, as: UTF8.self).split(separator: "\n").count == 1)
        }
    }
}
