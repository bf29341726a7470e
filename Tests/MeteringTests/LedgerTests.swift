import Foundation
import GRDB
import Metering
import Testing

@Suite struct LedgerTests {
    let scratch: Scratch

    init() throws {
        scratch = try Scratch()
    }

    @Test func `a finished call has a receipt with everything in it`() async throws {
        let ledger = try scratch.ledger()
        let attempt = Scratch.attempt()
        let written = ledger.finish(try ledger.begin(attempt), Scratch.succeeded(attempt))
        #expect(written.node == "node-1")
        #expect(written.rateCard == "standard-1")
        #expect(written.billedNanodollars == 20 + 1_500 * 12 + 100 * 2 * 3)
        #expect(try await ledger.receipt(attempt.id) == written)
        #expect(try await ledger.receipt(.generated()) == nil)
    }

    @Test func `the last attempt of a call is its receipt, and all of them are kept`() async throws {
        let ledger = try scratch.ledger()
        let id = InvocationID.generated()
        for number in 1...3 {
            let attempt = Scratch.attempt(number: number, id: id)
            var receipt = Scratch.succeeded(attempt)
            if number < 3 {
                receipt.outcome = .died
                receipt.reason = "stopped by signal 9 (SIGKILL)"
            }
            ledger.finish(try ledger.begin(attempt), receipt)
        }
        #expect(try await ledger.attempts(of: id).map(\.attempt) == [1, 2, 3])
        #expect(try await ledger.attempts(of: id).map(\.outcome) == [.died, .died, .succeeded])
        #expect(try await ledger.receipt(id)?.attempt == 3)
    }

    @Test func `the last receipts come in the order of acceptance, the newest last`() async throws {
        let ledger = try scratch.ledger()
        let attempts = (0..<10).map { Scratch.attempt($0 % 2 == 0 ? "even" : "odd") }
        // They end in another order than they began in.
        for attempt in attempts.reversed() { ledger.finish(try ledger.begin(attempt), Scratch.succeeded(attempt)) }
        let ids = attempts.map(\.id)
        #expect(try await ledger.receipts(last: 3).map(\.id) == Array(ids.suffix(3)))
        #expect(try await ledger.receipts(last: 100).map(\.id) == ids)
        #expect(try await ledger.receipts(function: "odd", last: 2).map(\.id) == [ids[7], ids[9]])
        #expect(try await ledger.receipts(function: "none", last: 2).isEmpty)
        #expect(try await ledger.receipts(last: -1).isEmpty)
    }

    @Test func `many calls at once end in one row each, with fewer slots than calls`() async throws {
        let ledger = try scratch.ledger(slotCount: 16)
        let ids = try await withThrowingTaskGroup(of: [InvocationID].self) { group in
            for _ in 0..<8 {
                group.addTask {
                    var ids: [InvocationID] = []
                    while ids.count < 60 {
                        let attempt = Scratch.attempt()
                        do throws(LedgerError) {
                            ledger.finish(try ledger.begin(attempt), Scratch.succeeded(attempt))
                            ids.append(attempt.id)
                        } catch {
                            #expect(error == .full(slots: 16))
                            try await ledger.flush()
                        }
                    }
                    return ids
                }
            }
            return try await group.reduce(into: []) { $0 += $1 }
        }
        #expect(ids.count == 480)
        #expect(try await ledger.receipts(last: 10_000).map(\.id) == ids.sorted())
    }

    @Test func `receipts reach the disk without anyone asking`() async throws {
        let ledger = try scratch.ledger()
        let attempt = Scratch.attempt()
        ledger.finish(try ledger.begin(attempt), Scratch.succeeded(attempt))
        let reader = try DatabaseQueue(path: scratch.database)
        let deadline = ContinuousClock.now + .seconds(120)
        var count = 0
        while count == 0, ContinuousClock.now < deadline {
            await Task.yield()
            count = try await reader.read { try Int.fetchOne($0, sql: "SELECT count(*) FROM receipts") } ?? 0
        }
        #expect(count == 1)
    }

    @Test func `a ledger that was closed leaves nothing to recover`() async throws {
        do {
            let ledger = try scratch.ledger()
            for _ in 0..<20 {
                let attempt = Scratch.attempt()
                ledger.finish(try ledger.begin(attempt), Scratch.succeeded(attempt))
            }
            try await ledger.close()
        }
        let ledger = try scratch.ledger()
        #expect(ledger.recovered == LedgerRecovery())
        #expect(try await ledger.receipts(last: 100).count == 20)
    }

    @Test func `when every slot is taken, admission stops until one is free`() async throws {
        let ledger = try scratch.ledger(slotCount: 2)
        let attempts = (0..<3).map { _ in Scratch.attempt() }
        let slot = try ledger.begin(attempts[0])
        _ = try ledger.begin(attempts[1])
        #expect(throws: LedgerError.full(slots: 2)) { _ = try ledger.begin(attempts[2]) }
        ledger.finish(slot, Scratch.succeeded(attempts[0]))
        try await ledger.flush()
        ledger.finish(try ledger.begin(attempts[2]), Scratch.succeeded(attempts[2]))
        #expect(try await ledger.receipts(last: 9).count == 2)
    }

    @Test func `while the disk refuses, admission stops and nothing is lost`() async throws {
        let ledger = try scratch.ledger()
        let attempts = (0..<3).map { _ in Scratch.attempt() }
        let slots = [LedgerSlotBox(try ledger.begin(attempts[0])), LedgerSlotBox(try ledger.begin(attempts[1]))]
        // Another process holds the database, as good as a full disk.
        let intruder = try scratch.intruder()
        try await intruder.writeWithoutTransaction { database in
            try database.execute(sql: "BEGIN IMMEDIATE")
        }
        ledger.finish(slots[0].take(), Scratch.succeeded(attempts[0]))
        await #expect(throws: LedgerError.self) { try await ledger.flush() }
        #expect(!ledger.isWritable)
        #expect {
            _ = try ledger.begin(attempts[2])
        } throws: { error in
            guard case LedgerError.notWritable = error else { return false }
            return "\(error)".contains("locked")
        }
        // A call that was in flight still gets its receipt.
        ledger.finish(slots[1].take(), Scratch.succeeded(attempts[1]))
        await #expect(throws: LedgerError.self) { try await ledger.receipts(last: 1) }

        try await intruder.writeWithoutTransaction { try $0.execute(sql: "ROLLBACK") }
        try await ledger.flush()
        #expect(ledger.isWritable)
        ledger.finish(try ledger.begin(attempts[2]), Scratch.succeeded(attempts[2]))
        #expect(try await ledger.receipts(last: 9).map(\.id) == attempts.map(\.id))
    }

    @Test func `names that no slot has room for are refused before anything is written`() async throws {
        let long = String(repeating: "x", count: 65)
        let ledger = try scratch.ledger(slotCount: 1)
        #expect(throws: LedgerError.nameTooLong(field: "function's name", bytesMax: 64)) {
            _ = try ledger.begin(Scratch.attempt(long))
        }
        _ = try ledger.begin(Scratch.attempt())
        let other = try Scratch()
        #expect(throws: LedgerError.nameTooLong(field: "node's name", bytesMax: 64)) {
            try Ledger(directory: other.path, node: long)
        }
    }

    @Test func `a closed ledger admits nothing and keeps what is in flight for the next`() async throws {
        let attempt = Scratch.attempt()
        do {
            let ledger = try scratch.ledger()
            let slot = try ledger.begin(attempt)
            try await ledger.close()
            #expect(!ledger.isWritable)
            #expect(throws: LedgerError.closed) { _ = try ledger.begin(Scratch.attempt()) }
            ledger.finish(slot, Scratch.succeeded(attempt))
        }
        let ledger = try scratch.ledger()
        #expect(ledger.recovered == LedgerRecovery(finished: 1))
        #expect(try await ledger.receipt(attempt.id)?.outcome == .succeeded)
    }
}

/// Lets a test keep slots in an array, which takes no value that can be used only once.
final class LedgerSlotBox {
    private var slot: LedgerSlot?

    init(_ slot: consuming LedgerSlot) { self.slot = consume slot }

    func take() -> LedgerSlot {
        guard let slot = slot.take() else { preconditionFailure("this slot was taken before") }
        return slot
    }
}
