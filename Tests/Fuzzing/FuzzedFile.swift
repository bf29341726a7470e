import Linux

@testable import Metering
@testable import Snapshots
@testable import thaw_bench

/// Files that lay on a disk, where anything may have become of them.
enum FuzzedFile {
    /// A snapshot whose digests and checksums are in order: what only an attacker would make.
    ///
    /// The first two bytes say how many of the next are data, and by the highest bit that the index, which is the rest, has bases.
    static func load(snapshot bytes: [UInt8]) {
        guard bytes.count >= 2 else { return }
        let count = Int(bytes[0]) | Int(bytes[1] & 0x7F) << 8
        var forgery = Forgery(
            data: Array(bytes.dropFirst(2).prefix(count)),
            index: Array(bytes.dropFirst(2 + count)),
            hasBases: bytes[1] & 0x80 != 0
        )
        forgery.fixChecksums()
        guard let whole = try? forgery.encoded(), let file = try? FileDescriptor.memoryFile("fuzz"),
            (try? file.pwrite(whole, at: 0)) != nil
        else { preconditionFailure("the machine has memory for a snapshot") }
        _ = try? LoadedSnapshot(file: file, verifying: .checksums, threadsMax: 1, arenaByteCountMax: 1 << 20)
    }

    static func readCatalog(_ bytes: [UInt8]) {
        guard let catalog = try? TensorCatalog(parsing: bytes) else { return }
        precondition((try? TensorCatalog(parsing: catalog.encoded())) == catalog, "it is written and read again")
    }

    /// The slots of a ledger, and a receipt's words by themselves, which a checksum protects there.
    static func recover(slots bytes: [UInt8]) {
        _ = SlotRecovery(bytes)
        let words = (0..<bytes.count / 8).map { index in
            (0..<8).reduce(UInt64(0)) { $0 | UInt64(bytes[index * 8 + $1]) << UInt64($1 * 8) }
        }
        _ = ReceiptWords.decode(words)
    }

    static func decompress(_ bytes: [UInt8]) {
        guard let result = try? ZstdFile.decompress(bytes, byteCountMax: 1 << 20) else { return }
        precondition(result.count <= 1 << 20, "the bound holds")
    }

    static func read(trace bytes: [UInt8]) {
        _ = try? ArrivalTrace(csv: bytes, path: "invocations.csv")
    }
}
