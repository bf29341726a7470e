import Linux
import Logging
import Scheduling
import Synchronization
import Testing
import Wire

@testable import Fleet

/// What the warden makes of a template's reports, with a process that sleeps in the template's place and its socket in
/// the test's hands: a template may be anybody's by then.
struct WardenReportTests {
    /// What the fleet would have heard.
    private final class Ear: WardenDelegate {
        let heard = Mutex<[String]>([])

        func templateStarted(_ template: TemplateProcess) {}
        func templateResident(_ template: TemplateID, _ residency: TemplateReport.Residency, pid: Int32) {}
        func templateGone(_ template: TemplateID, because reason: String) {
            heard.withLock { $0.append("template \(template.number) gone: \(reason)") }
        }
        func workerForked(_ worker: WorkerID, pid: Int32) {
            heard.withLock { $0.append("worker \(worker.number) forked") }
        }
        func workerGone(_ worker: WorkerID, because reason: DeathReason, cpuNanoseconds: UInt64?) {
            heard.withLock { $0.append("worker \(worker.number) gone") }
        }
    }

    /// A yard with two templates, 1 and 2, and worker 7 expected of template 1, worker 8 of template 2.
    private final class Stage {
        var yard: WardenYard
        let ear = Ear()
        private var ends: [UInt32: TemplateProcess] = [:]

        init() throws {
            let programs = WardenPrograms(
                workerPath: "",
                packerPath: "",
                jailPath: "",
                runtimePath: "",
                templateFilter: SystemCallFilter(instructions: []),
                workerFilter: SystemCallFilter(instructions: []),
                packerFilter: SystemCallFilter(instructions: []),
                codeFilter: SystemCallFilter(instructions: []),
                zygoteFilter: SystemCallFilter(instructions: []),
                codeWorkerFilter: SystemCallFilter(instructions: [])
            )
            yard = WardenYard(
                programs: programs,
                memoryGroups: nil,
                poll: try EventPoll(),
                delegate: ear,
                logger: Logger(label: "test", factory: { _ in SwiftLogNoOpLogHandler() }),
                log: { _, _ in },
                orders: { [] }
            )
            for number in [1, 2] as [UInt32] {
                try addTemplate(number)
                yard.carryOut(.expect(WorkerID(number + 6), of: TemplateID(number), memory: nil))
            }
        }

        deinit {
            for template in yard.templates.values {
                try? template.handle.kill()
                _ = try? template.handle.wait()
            }
        }

        private func addTemplate(_ number: UInt32) throws {
            let control = try DescriptorPair.sequencedSockets()
            let ours = control.first
            try ours.setNonBlocking(true)
            let process = TemplateProcess(id: TemplateID(number), control: ours)
            try yard.poll.add(process.control, token: UInt64(number))
            let output = try DescriptorPair.pipe()
            let handle = try WardenReportTests.sleeper()
            let pid = try handle.pid()
            yard.templates[TemplateID(number)] = TemplateWatch(
                process: process,
                binding: WardenReportTests.binding,
                handle: handle,
                pid: pid,
                fileIdentities: [try FileIdentity(ofPath: "/dev/null")],
                verifiesDigests: false,
                log: LineReader(output.first)
            )
            ends[number] = TemplateProcess(id: TemplateID(number), control: control.second)
        }

        /// Template 1 says this, and the warden reads it.
        func report(_ report: TemplateReport, with descriptor: Int32? = nil) throws {
            try ends[1]?.control.sendMessage(report.encoded(), descriptors: descriptor.map { [$0] } ?? [])
            yard.readReports(TemplateID(1))
        }

        var verdict: String? { yard.templates[TemplateID(1)]?.verdict }
        var heard: [String] { ear.heard.withLock { $0 } }

        /// The end of the process in the place of template 1, once it was killed.
        func ending() throws -> ProcessEnding? {
            try yard.templates[TemplateID(1)]?.handle.wait()
        }

        /// Template 1 is given up for this, and nobody else was touched.
        func expectGivenUp(because complaint: String, _ place: SourceLocation = #_sourceLocation) throws {
            #expect(verdict?.contains(complaint) == true, "\(verdict ?? "no verdict")", sourceLocation: place)
            // Who was not given up was not killed, and would be waited for in vain.
            if verdict != nil { #expect(try ending()?.signal == 9, sourceLocation: place) }
            #expect(yard.templates[TemplateID(2)]?.verdict == nil, sourceLocation: place)
            #expect(yard.workers[WorkerID(8)] != nil && heard.isEmpty, sourceLocation: place)
        }
    }

    private static let death = TemplateReport.Death(
        signal: 0,
        status: 0,
        refusedCall: -1,
        cpuNanoseconds: 1,
        residentBytesMax: 1
    )

    private static let binding = FunctionBinding(
        key: PoolKey(function: "echo", version: 1),
        limits: PoolLimits(
            workersMin: 0,
            workersMax: 1,
            concurrency: 1,
            idleNanoseconds: 1,
            timeoutNanoseconds: 1
        ),
        snapshotPath: "",
        snapshotDigest: "",
        snapshotBytes: 1,
        serves: true,
        memoryBytesMax: 1 << 20,
        payloadBytesMax: 1 << 20,
        environment: [],
        isVerified: { _ in true },
        noteVerified: { _ in }
    )

    /// A process that does nothing until it is killed.
    private static func sleeper() throws -> ProcessHandle {
        let null = try FileDescriptor.open("/dev/null", .readingWriting)
        var spawn = Spawn(name: "sleep")
        spawn.arguments = ["1000"]
        spawn.descriptors = [null.rawValue, null.rawValue, null.rawValue]
        return try spawn.start(try FileDescriptor.open("/bin/sleep"))
    }

    private static func forget(_ process: borrowing ProcessHandle) throws {
        try process.kill()
        _ = try process.wait()
    }

    @Test(arguments: [8, 9] as [UInt32])
    func `a template that reports a fork which is not its own is given up`(worker: UInt32) throws {
        let stage = try Stage()
        let process = try Self.sleeper()
        try stage.report(.forked(worker: worker), with: process.descriptor.rawValue)
        try stage.expectGivenUp(because: "a worker that is not its fork")
        try Self.forget(process)
    }

    @Test func `a template that reports one fork twice is given up`() throws {
        let stage = try Stage()
        let process = try Self.sleeper()
        try stage.report(.forked(worker: 7), with: process.descriptor.rawValue)
        #expect(stage.heard == ["worker 7 forked"] && stage.verdict == nil)
        stage.ear.heard.withLock { $0 = [] }
        try stage.report(.forked(worker: 7), with: process.descriptor.rawValue)
        try stage.expectGivenUp(because: "a fork twice")
        try Self.forget(process)
    }

    @Test func `a fork's descriptor must be of a process that is there`() throws {
        let stage = try Stage()
        let null = try FileDescriptor.open("/dev/null")
        try stage.report(.forked(worker: 7), with: null.rawValue)
        try stage.expectGivenUp(because: "a fork's pidfd has no pid")

        let other = try Stage()
        let process = try Self.sleeper()
        try Self.forget(process)
        try other.report(.forked(worker: 7), with: process.descriptor.rawValue)
        try other.expectGivenUp(because: "a fork's pidfd has no pid")
    }

    @Test func `a report of a fork without its descriptor is refused`() throws {
        let stage = try Stage()
        try stage.report(.forked(worker: 7))
        try stage.expectGivenUp(because: "a report of it was refused")
    }

    @Test(arguments: [8, 9] as [UInt32])
    func `a template that reports the end of another's worker is given up`(worker: UInt32) throws {
        let stage = try Stage()
        try stage.report(.reaped(worker: worker, Self.death))
        try stage.expectGivenUp(because: "a worker that is not its fork")
    }

    @Test func `the end of a worker is believed once it is off the process table`() throws {
        let stage = try Stage()
        let process = try Self.sleeper()
        try stage.report(.forked(worker: 7), with: process.descriptor.rawValue)
        try Self.forget(process)
        try stage.report(.reaped(worker: 7, Self.death))
        #expect(stage.verdict == nil && stage.heard == ["worker 7 forked", "worker 7 gone"])
    }

    @Test func `a template that reports the end of a worker that lives is given up`() throws {
        let stage = try Stage()
        let process = try Self.sleeper()
        try stage.report(.forked(worker: 7), with: process.descriptor.rawValue)
        stage.ear.heard.withLock { $0 = [] }
        try stage.report(.reaped(worker: 7, Self.death))
        try stage.expectGivenUp(because: "the end of a worker that is still there")
        try Self.forget(process)
    }

    @Test func `a template that sends a second listener is given up`() throws {
        let stage = try Stage()
        let bell = try FileDescriptor.doorbell()
        try stage.report(.sandboxed, with: bell.rawValue)
        #expect(stage.verdict == nil)
        try stage.report(.sandboxed, with: bell.rawValue)
        try stage.expectGivenUp(because: "a second listener")
    }

    @Test func `a listener that is none gives its template up when it is heard`() throws {
        let stage = try Stage()
        let bell = try FileDescriptor.doorbell()
        try stage.report(.sandboxed, with: bell.rawValue)
        try bell.ring()
        let event = try #require(try stage.yard.poll.wait(timeoutMilliseconds: 1000).first)
        stage.yard.hearTemplateRefusal(TemplateID(1), event)
        try stage.expectGivenUp(because: "its listener is none")
    }

    @Test func `a template that never reads its orders is given up when its socket is full`() throws {
        let stage = try Stage()
        let process = try Self.sleeper()
        try stage.report(.forked(worker: 7), with: process.descriptor.rawValue)
        stage.ear.heard.withLock { $0 = [] }
        for _ in 0..<100_000 where stage.verdict == nil { stage.yard.reap(WorkerID(7)) }
        try stage.expectGivenUp(because: "does not read its orders")
        try Self.forget(process)
    }

    @Test func `a template that takes no dead worker off the process table is given up with it`() throws {
        let stage = try Stage()
        let process = try Self.sleeper()
        try stage.report(.forked(worker: 7), with: process.descriptor.rawValue)
        stage.ear.heard.withLock { $0 = [] }
        try process.kill()
        stage.yard.reap(WorkerID(7))
        #expect(stage.verdict == nil)
        stage.yard.carryOut(.buryWorker(WorkerID(7)))
        try stage.expectGivenUp(because: "never reported the end of a fork that is dead")
        try Self.forget(process)
    }

    @Test func `a worker that does not end is killed, and its template goes on`() throws {
        let stage = try Stage()
        let process = try Self.sleeper()
        try stage.report(.forked(worker: 7), with: process.descriptor.rawValue)
        stage.yard.carryOut(.buryWorker(WorkerID(7)))
        #expect(try process.wait().signal == 9)
        #expect(stage.verdict == nil)
    }
}
