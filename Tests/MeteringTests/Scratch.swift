import Foundation
import GRDB
import Linux
import Metering
import Scheduling

/// A directory of a test, removed with it, and what the tests put into a ledger.
final class Scratch: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "metering-tests-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }

    var slots: String { path + "/ledger.slots" }
    var database: String { path + "/ledger.sqlite" }

    func ledger(slotCount: Int = 64) throws -> Ledger {
        try Ledger(directory: path, node: "node-1", slotCount: slotCount)
    }

    /// A second connection to the database, such as a tool of an operator has.
    func intruder() throws -> DatabaseQueue {
        var configuration = Configuration()
        // It shall be able to hold the database for as long as a test wants.
        configuration.allowsUnsafeTransactions = true
        return try DatabaseQueue(path: database, configuration: configuration)
    }

    /// The files as a killed process would leave them now, in a directory of their own.
    func copied() throws -> Scratch {
        let copy = try Scratch()
        for file in try FileManager.default.contentsOfDirectory(atPath: path) {
            try FileManager.default.copyItem(atPath: path + "/" + file, toPath: copy.path + "/" + file)
        }
        return copy
    }

    static func attempt(_ function: String = "embed", number: Int = 1, id: InvocationID = .generated()) -> Attempt {
        Attempt(
            id: id,
            number: number,
            function: function,
            version: 3,
            snapshot: String(repeating: "5a", count: 32),
            bytesIn: 120,
            acceptedUnixNanoseconds: 1_795_262_400_123_456_789
        )
    }

    /// A receipt of a call that went well.
    static func succeeded(_ attempt: Attempt) -> Receipt {
        var receipt = Receipt(attempt)
        receipt.start = .warm
        receipt.queueNanoseconds = 12_000
        receipt.bindNanoseconds = 850_000
        receipt.runNanoseconds = 2_000_000_000
        receipt.cpuNanoseconds = 1_500_000_000
        receipt.memoryBytesPeak = 100 << 20
        receipt.bytesOut = 8_192
        receipt.outcome = .succeeded
        receipt.status = 200
        return receipt
    }
}

/// SplitMix64: the same numbers for the same seed, on every machine.
struct SeededGenerator: RandomNumberGenerator {
    private var state: UInt64

    init(seed: UInt64) { state = seed }

    mutating func next() -> UInt64 {
        state &+= 0x9e37_79b9_7f4a_7c15
        var word = state
        word = (word ^ (word >> 30)) &* 0xbf58_476d_1ce4_e5b9
        word = (word ^ (word >> 27)) &* 0x94d0_49bb_1331_11eb
        return word ^ (word >> 31)
    }
}
