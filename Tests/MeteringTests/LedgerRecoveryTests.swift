import Foundation
import GRDB
import Metering
import Testing

@Suite struct LedgerRecoveryTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    @Test func `a process that is killed leaves a receipt for every call it admitted`() async throws {
        let path = scratch.path
        await #expect(processExitsWith: .signal(SIGKILL)) { [path = path as String] in
            let ledger = try Ledger(directory: path, node: "node-1", slotCount: 64)
            var open: [LedgerSlotBox] = []
            for index in 0..<30 {
                let attempt = Scratch.attempt("f\(index)")
                let slot = try ledger.begin(attempt)
                switch index % 3 {
                case 0: open.append(LedgerSlotBox(slot))
                case 1:
                    ledger.finish(slot, Scratch.succeeded(attempt))
                    try await ledger.flush()
                default: ledger.finish(slot, Scratch.succeeded(attempt))
                }
            }
            kill(getpid(), SIGKILL)
        }
        let ledger = try scratch.ledger()
        #expect(ledger.recovered.interrupted == 10)
        #expect(ledger.recovered.torn == 0)
        // The last one, at least: nothing was awaited between its finish and the end.
        #expect((1...10).contains(ledger.recovered.finished))
        let receipts = try await ledger.receipts(last: 100)
        #expect(receipts.map(\.function) == (0..<30).map { "f\($0)" })
        for (index, receipt) in receipts.enumerated() {
            #expect(receipt.outcome == (index % 3 == 0 ? .interrupted : .succeeded))
            #expect(receipt.billedNanodollars == (index % 3 == 0 ? 0 : 20 + 1_500 * 12 + 100 * 2 * 3))
            #expect(receipt.node == "node-1")
            #expect(receipt.rateCard == "standard-1")
        }
        let reason = try #require(receipts[0].reason)
        #expect(reason == "the scheduler ended while this call was in flight")
    }

    @Test func `files copied at any moment of a busy ledger hold every call exactly once`() async throws {
        let ledger = try scratch.ledger(slotCount: 256)
        var admitted: [InvocationID] = []
        for round in 0..<12 {
            for _ in 0..<20 {
                let attempt = Scratch.attempt()
                ledger.finish(try ledger.begin(attempt), Scratch.succeeded(attempt))
                admitted.append(attempt.id)
            }
            let inFlight = Scratch.attempt()
            let slot = try ledger.begin(inFlight)
            // Between the copy of one file and that of the other a commit would move rows: hold it up.
            let intruder = try scratch.intruder()
            if round % 2 == 0 { try await ledger.flush() }
            let copy = try await intruder.writeWithoutTransaction { [scratch] database in
                while (try? database.execute(sql: "BEGIN IMMEDIATE")) == nil {}
                defer { try? database.execute(sql: "ROLLBACK") }
                return try scratch.copied()
            }
            let next = try copy.ledger(slotCount: 256)
            let receipts = try await next.receipts(last: 10_000)
            #expect(receipts.map(\.id) == (admitted + [inFlight.id]).sorted())
            #expect(receipts.filter { $0.outcome == .interrupted }.map(\.id) == [inFlight.id])
            ledger.finish(slot, Scratch.succeeded(inFlight))
            admitted.append(inFlight.id)
            while !ledger.isWritable { try? await ledger.flush() }
        }
    }

    @Test func `a row that is there already is not written twice by a slot that was not freed`() async throws {
        let attempt = Scratch.attempt()
        let busy: Data
        do {
            let ledger = try scratch.ledger()
            let slot = try ledger.begin(attempt)
            busy = try Data(contentsOf: URL(filePath: scratch.slots))
            ledger.finish(slot, Scratch.succeeded(attempt))
            try await ledger.close()
        }
        // As after a power cut that kept the row and lost the freeing of its slot.
        try busy.write(to: URL(filePath: scratch.slots))
        let ledger = try scratch.ledger()
        #expect(ledger.recovered == LedgerRecovery(interrupted: 1))
        #expect(try await ledger.attempts(of: attempt.id).map(\.outcome) == [.succeeded])
    }

    @Test func `a ledger opened with another number of slots keeps what the old file held`() async throws {
        let attempts = (0..<8).map { _ in Scratch.attempt() }
        do {
            let ledger = try scratch.ledger(slotCount: 8)
            for attempt in attempts { _ = try ledger.begin(attempt) }
        }
        let ledger = try scratch.ledger(slotCount: 4)
        #expect(ledger.recovered.interrupted == 8)
        #expect(try await ledger.receipts(last: 9).map(\.id) == attempts.map(\.id))
        for _ in 0..<4 { _ = try ledger.begin(Scratch.attempt()) }
        #expect(throws: LedgerError.full(slots: 4)) { _ = try ledger.begin(Scratch.attempt()) }
    }

    @Test func `a second ledger in the same directory is refused`() throws {
        let first = try scratch.ledger()
        #expect(throws: LedgerError.inUse(path: scratch.slots)) { try scratch.ledger() }
        #expect(first.isWritable)
    }

    @Test func `slots take no room that the disk does not have`() throws {
        _ = try scratch.ledger(slotCount: 128)
        let values = try URL(filePath: scratch.slots).resourceValues(forKeys: [.fileSizeKey])
        #expect(values.fileSize == 129 * 1024)
        // Blocks are there before they are used: a sparse file would end the process on a full disk.
        var status = stat()
        #expect(stat(scratch.slots, &status) == 0)
        #expect(Int(status.st_blocks) * 512 >= 129 * 1024)
    }
}
