import Foundation
import Testing

@testable import Metering

/// The slots are parsed from a file that a dying machine wrote last: nothing in it is taken for granted.
@Suite struct SlotRecoveryTests {
    /// A file of 8 slots: 3 finished, 2 begun, the others free.
    private static func file() throws -> (bytes: [UInt8], finished: Set<InvocationID>, begun: Set<InvocationID>) {
        let scratch = try Scratch()
        let ledger = try scratch.ledger(slotCount: 8)
        var finished: Set<InvocationID> = []
        var begun: Set<InvocationID> = []
        for index in 0..<5 {
            let attempt = Scratch.attempt()
            // Never finished here: a commit might free the slot before the copy. Three are finished in the copy.
            _ = try ledger.begin(attempt)
            if index < 3 { finished.insert(attempt.id) } else { begun.insert(attempt.id) }
        }
        var bytes = [UInt8](try Data(contentsOf: URL(filePath: scratch.slots)))
        let recovery = try #require(SlotRecovery(bytes))
        for (index, receipt) in recovery.receipts.enumerated() where finished.contains(receipt.id) {
            var receipt = receipt
            receipt.outcome = .failed
            receipt.reason = "the model wants 384 numbers, got \(index)"
            put(ReceiptWords.encode(receipt), slot: index, generation: UInt64(index + 1), into: &bytes)
        }
        return (bytes, finished, begun)
    }

    private static func put(_ words: [UInt64], slot: Int, generation: UInt64, into bytes: inout [UInt8]) {
        let area = [UInt64(words.count), SlotLayout.checksum(words[...], generation: generation)] + words
        let start = SlotLayout.byteCount(slots: slot) + SlotLayout.finishedArea.lowerBound * 8
        for (index, word) in area.enumerated() {
            for byte in 0..<8 { bytes[start + index * 8 + byte] = UInt8(truncatingIfNeeded: word >> (byte * 8)) }
        }
    }

    @Test func `finished slots give their receipts, begun ones an interrupted one`() throws {
        let (bytes, finished, begun) = try Self.file()
        let recovery = try #require(SlotRecovery(bytes))
        #expect(recovery.counts == LedgerRecovery(finished: 3, interrupted: 2, torn: 0))
        #expect(Set(recovery.receipts.filter { $0.outcome == .failed }.map(\.id)) == finished)
        #expect(Set(recovery.receipts.filter { $0.outcome == .interrupted }.map(\.id)) == begun)
        #expect(recovery.generationNext == 6)
    }

    @Test func `a finish that was cut short anywhere leaves the begun receipt`() throws {
        let (bytes, _, begun) = try Self.file()
        let recovery = try #require(SlotRecovery(bytes))
        let slot = try #require(recovery.receipts.firstIndex { begun.contains($0.id) })
        let words = ReceiptWords.encode(Scratch.succeeded(Scratch.attempt()))
        var whole = bytes
        Self.put(words, slot: slot, generation: UInt64(slot + 1), into: &whole)
        let start = SlotLayout.byteCount(slots: slot) + SlotLayout.finishedArea.lowerBound * 8
        for cut in 0..<(words.count + 2) {
            // The first words are new, the rest is what was there before.
            let torn = Array(whole[..<(start + cut * 8)]) + bytes[(start + cut * 8)...]
            let counts = try #require(SlotRecovery(torn)).counts
            #expect(counts == LedgerRecovery(finished: 3, interrupted: 2, torn: 0), "cut after \(cut) words")
        }
        #expect(try #require(SlotRecovery(whole)).counts.finished == 4)
    }

    @Test func `what an earlier attempt left in a slot does not count for the next`() throws {
        let (bytes, _, _) = try Self.file()
        var next = bytes
        // The slot is used again: a new generation, and so far nothing else.
        next[SlotLayout.byteCount(slots: 0) + 8] = 99
        #expect(try #require(SlotRecovery(next)).counts == LedgerRecovery(finished: 2, interrupted: 2, torn: 1))
    }

    @Test func `any single wrong byte in a receipt is noticed`() throws {
        let (bytes, finished, _) = try Self.file()
        let area = SlotLayout.byteCount(slots: 0) + SlotLayout.finishedArea.lowerBound * 8
        // The count's own word comes first, and is below 256.
        let wordCount = 2 + Int(bytes[area])
        for offset in area..<(area + wordCount * 8) {
            var mutant = bytes
            mutant[offset] ^= 1 << UInt8(offset % 8)
            let recovery = try #require(SlotRecovery(mutant))
            let kept = recovery.receipts.filter { finished.contains($0.id) && $0.outcome == .failed }
            #expect(kept.count == 2 && recovery.receipts.count == 5, "byte \(offset - area)")
        }
    }

    @Test func `thousands of damaged files are read or refused, and none ends the process`() throws {
        let (bytes, _, _) = try Self.file()
        var generator = SeededGenerator(seed: 42)
        var refused = 0
        var torn = 0
        for round in 0..<1_000 {
            var mutant = bytes
            for _ in 0..<Int.random(in: 1...40, using: &generator) {
                // Mostly where something is read: the headers and the first slots.
                let index = Int.random(in: 0..<(round % 2 == 0 ? 6 * 1024 : mutant.count), using: &generator)
                mutant[index] = Bool.random(using: &generator) ? 0xff : UInt8.random(in: 0...255, using: &generator)
            }
            if round % 3 == 0 { mutant.removeLast(Int.random(in: 0...mutant.count, using: &generator)) }
            guard let recovery = SlotRecovery(mutant) else {
                refused += 1
                continue
            }
            torn += recovery.counts.torn
            #expect(recovery.receipts.count <= 8)
        }
        #expect(refused > 0 && torn > 0)
    }

    @Test func `words with a right checksum and a wrong meaning are still refused`() {
        let words = ReceiptWords.encode(Scratch.succeeded(Scratch.attempt()))
        #expect(ReceiptWords.decode(words)?.function == "embed")
        var generator = SeededGenerator(seed: 5)
        var refused = 0
        for _ in 0..<5_000 {
            var mutant = words
            mutant[Int.random(in: 0..<mutant.count, using: &generator)] = generator.next()
            if Bool.random(using: &generator) { mutant.removeLast(Int.random(in: 0...mutant.count, using: &generator)) }
            if ReceiptWords.decode(mutant) == nil { refused += 1 }
        }
        #expect(refused > 1_000)
    }

    @Test func `the longest names fit, and only the reason is cut`() throws {
        let attempt = Attempt(
            id: .generated(),
            number: .max,
            parent: .generated(),
            function: String(repeating: "f", count: ReceiptWords.nameBytesMax),
            version: .max,
            snapshot: String(repeating: "0", count: ReceiptWords.nameBytesMax),
            bytesIn: .max,
            acceptedUnixNanoseconds: .max
        )
        var receipt = Receipt(attempt)
        receipt.node = String(repeating: "n", count: ReceiptWords.nameBytesMax)
        receipt.rateCard = String(repeating: "r", count: RateCard.idBytesMax)
        let begun = ReceiptWords.encode(receipt, wordsMax: SlotLayout.begunArea.count - 2)
        #expect(begun.count <= SlotLayout.begunArea.count - 2)
        #expect(ReceiptWords.decode(begun)?.parent == nil, "there is room for everything but the parent")
        receipt.reason = "no: " + String(repeating: "é", count: 500)
        receipt.cutReason()
        let reason = try #require(receipt.reason)
        #expect(reason.hasSuffix("é…") && reason.utf8.count <= ReceiptWords.reasonBytesMax)
        #expect(reason.utf8.count > ReceiptWords.reasonBytesMax - 3)
        let words = ReceiptWords.encode(receipt)
        #expect(words.count <= SlotLayout.finishedArea.count - 2)
        #expect(ReceiptWords.decode(words) == receipt)
    }
}
