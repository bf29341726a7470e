import Testing

@testable import Wire

struct ControlTests {
    static let boot = TemplateBoot(
        function: "embed",
        snapshotDigest: String(repeating: "0f", count: 32),
        verifiesDigests: true,
        memoryBytesMax: 1 << 30,
        payloadBytesMax: 16 << 20,
        templateFilter: [UInt8](repeating: 7, count: 64),
        workerFilter: [UInt8](repeating: 9, count: 32),
        environment: ["A=1", "GREETING=grüß dich"]
    )

    static let code: TemplateBoot = {
        var code = boot
        code.code = CodeBoot(version: 3, tmpBytesMax: 1 << 29, initMilliseconds: 10_000, timeoutMilliseconds: 3_000)
        code.code?.hasZygote = true
        code.code?.egress = CodeBoot.Egress()
        code.code?.egress?.closed = [[192, 0, 2, 1], [UInt8](repeating: 7, count: 16)]
        return code
    }()

    static let orders: [TemplateOrder] = [
        .boot(boot), .boot(code), .fork(worker: 7), .fork(worker: 8, isAhead: true), .reap(worker: .max),
    ]

    static let reports: [TemplateReport] = [
        .sandboxed,
        .resident(.init(arenaBytes: 90 << 20, decodeNanoseconds: 1, prepareNanoseconds: .max)),
        .refused(message: "the index is torn"),
        .forked(worker: 3),
        .reaped(
            worker: 3,
            .init(signal: 9, status: 0, refusedCall: -1, cpuNanoseconds: 12, residentBytesMax: 1 << 20)
        ),
        .reaped(
            worker: 4,
            .init(
                signal: 0,
                status: 95,
                refusedCall: -1,
                cpuNanoseconds: 12,
                residentBytesMax: 1 << 20,
                lastWords: "Runtime.ExitError: it exited"
            )
        ),
    ]

    @Test(arguments: orders)
    func `an order comes through as it was sent`(order: TemplateOrder) throws {
        #expect(try TemplateOrder(parsing: order.encoded()) == order)
    }

    @Test(arguments: reports)
    func `a report comes through as it was sent`(report: TemplateReport) throws {
        #expect(try TemplateReport(parsing: report.encoded()) == report)
    }

    @Test func `a message cut anywhere, or with a byte too many, is refused`() {
        for bytes in Self.orders.map({ $0.encoded() }) {
            for count in 0..<bytes.count {
                #expect(throws: WireError.self) { try TemplateOrder(parsing: Array(bytes.prefix(count))) }
            }
            #expect(throws: WireError.trailingBytes(1)) { try TemplateOrder(parsing: bytes + [0]) }
        }
        for bytes in Self.reports.map({ $0.encoded() }) {
            for count in 0..<bytes.count {
                #expect(throws: WireError.self) { try TemplateReport(parsing: Array(bytes.prefix(count))) }
            }
        }
    }

    @Test func `another version of the contract is refused by its number`() {
        var bytes = TemplateOrder.fork(worker: 1).encoded()
        bytes[0] = UInt8(WireLimits.version) + 1
        #expect(throws: WireError.version(WireLimits.version + 1)) { try TemplateOrder(parsing: bytes) }
    }

    @Test func `the largest boot fits one control message`() {
        var boot = Self.boot
        boot.templateFilter = [UInt8](repeating: 0, count: 4096 * 8)
        boot.workerFilter = boot.templateFilter
        boot.environment = [String(repeating: "x", count: 4096)]
        #expect(TemplateOrder.boot(boot).encoded().count <= WireLimits.controlMessageBytesMax)
    }

    @Test func `no mutant of a message traps its reader`() {
        var generator = SplitMix(state: 20_261_121)
        let seeds = Self.orders.map { $0.encoded() } + Self.reports.map { $0.encoded() }
        var accepted = 0
        for _ in 0..<20_000 {
            var bytes = seeds[Int.random(in: seeds.indices, using: &generator)]
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                bytes[Int.random(in: bytes.indices, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            if (try? TemplateOrder(parsing: bytes)) != nil { accepted += 1 }
            if (try? TemplateReport(parsing: bytes)) != nil { accepted += 1 }
        }
        // Some mutants are messages too; if none were, the loop would not reach beyond the first check.
        #expect(accepted > 0)
    }
}

/// A seeded generator: the same mutants each time.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
        return mixed ^ (mixed >> 31)
    }
}

@Suite struct `A code image` {
    private let image = CodeImage(
        runtime: .python3,
        handler: "app.handler",
        files: [
            .init(path: "app.py", isExecutable: false, group: 0, offset: 0, byteCount: 12),
            .init(path: "lib/run", isExecutable: true, group: 1, offset: 7, byteCount: 1 << 33),
            .init(root: .layers, path: "python/l.py", isExecutable: false, group: 2, offset: 0, byteCount: 1),
        ]
    )

    @Test func `reads as it was written`() throws {
        #expect(try CodeImage(parsing: image.encoded()) == image)
    }

    @Test func `has no path that leaves its root`() {
        for path in ["/etc/passwd", "../a", "a/../b", "a//b", "./a", "", "a/"] {
            var bad = image
            bad.files[0].path = path
            #expect(throws: WireError.self, "\(path)") { try CodeImage(parsing: bad.encoded()) }
        }
    }

    @Test func `is refused where it is cut short or longer than it says`() {
        let bytes = image.encoded()
        for count in 0..<bytes.count {
            #expect(throws: WireError.self) { try CodeImage(parsing: Array(bytes[..<count])) }
        }
        #expect(throws: WireError.trailingBytes(1)) { try CodeImage(parsing: bytes + [0]) }
    }
}
