import Linux
import Synchronization

/// What the planes are measured against: the same bytes in pieces of the same size, each a frame of zstd at its default
/// level.
///
/// They are decoded from memory and are not checked, which is in their favour.
package final class PlainFrames: Sendable {
    package let byteCount: Int
    package let storedByteCount: Int
    private let frames: [Frame]

    private struct Frame {
        let bytes: [UInt8]
        let target: Range<Int>
    }

    /// Compresses a copy of `bytes`.
    package init(of bytes: [UInt8]) throws(SnapshotError) {
        let compressor = try Compressor()
        var frames: [Frame] = []
        var room: [UInt8] = []
        for start in stride(from: 0, to: bytes.count, by: SnapshotFormat.chunkByteCountMax) {
            let part = start..<min(start + SnapshotFormat.chunkByteCountMax, bytes.count)
            // zstd's own bound on what a frame may need is below this.
            room = [UInt8](repeating: 0, count: part.count + part.count / 128 + 1024)
            try compressor.prepare(for: .bytes)
            guard let written = compressor.compress(bytes, part, into: &room, at: room.indices) else {
                throw .library("zstd could not compress \(part.count) bytes")
            }
            frames.append(Frame(bytes: Array(room[..<written]), target: part))
        }
        byteCount = bytes.count
        storedByteCount = frames.reduce(0) { $0 + $1.bytes.count }
        self.frames = frames
    }

    func decode(into arena: borrowing Mapping, threadsMax: Int) throws(SnapshotError) {
        guard byteCount <= arena.byteCount else {
            throw .tooLarge(what: "the rival", byteCount: UInt64(byteCount), byteCountMax: arena.byteCount)
        }
        let next = Atomic<Int>(0)
        let failure = Mutex<SnapshotError?>(nil)
        Thread.together(threadsMax) { _ in
            do throws(SnapshotError) {
                let decompressor = try Decompressor()
                while true {
                    let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard number < frames.count else { return }
                    let frame = frames[number]
                    try unsafe arena.withUnsafePart(frame.target) { (part) throws(SnapshotError) in
                        guard decompressor.decompress(frame.bytes, into: &part) else {
                            throw .library("zstd could not read what it wrote")
                        }
                    }
                }
            } catch {
                next.store(frames.count, ordering: .relaxed)
                failure.withLock { $0 = error }
            }
        }
        if let error = failure.withLock({ $0 }) { throw error }
    }
}
