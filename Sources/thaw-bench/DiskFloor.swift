import Foundation
import Linux

/// The floor of a first call from the disk: the needed bytes of the snapshot file, read while the page cache has none.
struct DiskFloor {
    let path: String
    /// Bytes that a first reply needs.
    let byteCount: Int

    /// How long a process that is ending may keep the file mapped.
    private static let releaseNanosecondsMax: UInt64 = 2_000_000_000

    /// Makes the kernel forget the file, and checks that it did.
    func drop() throws {
        let file = try FileDescriptor.open(path)
        // Dirty pages stay in the cache.
        try file.sync()
        // A template that was told to end keeps its mapping of the file until it has.
        let deadline = Clock.monotonicNanoseconds() + Self.releaseNanosecondsMax
        var left = 0
        repeat {
            try PageCache.drop(file)
            left = try PageCache.residentBytes(of: file)
            if left == 0 { return }
            usleep(2000)
        } while Clock.monotonicNanoseconds() < deadline
        throw BenchError.stillCached(path: path, bytes: left)
    }

    /// Microseconds of one reading, from the file's start, in pieces that stay in the processor's cache.
    func read() throws -> Double {
        try drop()
        let file = try FileDescriptor.open(path)
        var piece = try Mapping.anonymous(byteCount: 256 * 1024)
        let begin = Clock.monotonicNanoseconds()
        var rest = byteCount
        while rest > 0 {
            let count = try piece.withMutableBytes { (bytes) throws(SystemError) in try file.read(into: &bytes) }
            guard count > 0 else { break }
            rest -= count
        }
        return Double(Clock.monotonicNanoseconds() - begin) / 1000
    }

    /// The share of the model's weights that a first reply needs: all but the table of words, of which it reads a few rows.
    ///
    /// - Returns: 1 where the file names no such table.
    static func neededShare(ofModel path: String) throws -> Double {
        let file = try FileDescriptor.open(path)
        // Safetensors: the length of a JSON header in 8 bytes, the header, the tensors.
        let length = try file.pread(count: 8, at: 0).reversed().reduce(0) { $0 << 8 | Int($1) }
        let header = try file.pread(count: min(length, 16 << 20), at: 8)
        let tensors = try JSONSerialization.jsonObject(with: Data(header)) as? [String: Any] ?? [:]
        var (all, table) = (0, 0)
        for (name, value) in tensors {
            guard let tensor = value as? [String: Any], let range = tensor["data_offsets"] as? [Int], range.count == 2
            else { continue }
            all += range[1] - range[0]
            if name.hasSuffix("word_embeddings.weight") { table += range[1] - range[0] }
        }
        return all == 0 ? 1 : Double(all - table) / Double(all)
    }
}

/// The floor of a first call from packed memory: as many raw bytes, read from the page cache into fresh huge pages.
enum CopyFloor {
    static func microseconds(file path: String, byteCount: Int) throws -> Double {
        let file = try FileDescriptor.open(path)
        let begin = Clock.monotonicNanoseconds()
        var memory = try Mapping.anonymous(byteCount: byteCount, hugePages: true)
        let count = try memory.withMutableBytes { (bytes) throws(SystemError) in try file.pread(into: &bytes, at: 0) }
        guard count > 0 else { throw SystemError(call: "pread \(path)", code: 0) }
        return Double(Clock.monotonicNanoseconds() - begin) / 1000
    }
}
