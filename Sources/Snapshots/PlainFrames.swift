package import Linux
import Synchronization

/// What the planes are measured against: the same bytes in pieces of the same size, each a frame of zstd at its default
/// level, read from a file like a snapshot.
///
/// They are not checked, which is in their favour.
package final class PlainFrames: Sendable {
    package let byteCount: Int
    package let storedByteCount: Int
    private let frames: [Frame]

    private let file: FileDescriptor

    private struct Frame {
        let stored: Range<Int>
        let target: Range<Int>
    }

    /// Compresses `bytes` into an empty file.
    package init(of bytes: [UInt8], in file: consuming FileDescriptor) throws(SnapshotError) {
        let compressor = try Compressor()
        var frames: [Frame] = []
        var end = 0
        for start in stride(from: 0, to: bytes.count, by: SnapshotFormat.chunkByteCountMax) {
            let part = start..<min(start + SnapshotFormat.chunkByteCountMax, bytes.count)
            // zstd's own bound on what a frame may need is below this.
            var room = [UInt8](repeating: 0, count: part.count + part.count / 128 + 1024)
            try compressor.prepare(for: .bytes)
            guard let written = compressor.compress(bytes, part, into: &room, at: room.indices) else {
                throw .library("zstd could not compress \(part.count) bytes")
            }
            room.removeLast(room.count - written)
            do throws(SystemError) {
                try file.pwrite(room, at: end)
            } catch {
                throw .system(error)
            }
            frames.append(Frame(stored: end..<end + written, target: part))
            end += written
        }
        byteCount = bytes.count
        storedByteCount = end
        self.frames = frames
        self.file = file
    }

    func decode(into arena: borrowing Mapping, threadsMax: Int) throws(SnapshotError) {
        guard byteCount <= arena.byteCount else {
            throw .tooLarge(what: "the rival", byteCount: UInt64(byteCount), byteCountMax: arena.byteCount)
        }
        let longest = frames.reduce(0) { max($0, $1.stored.count) }
        let next = Atomic<Int>(0)
        let failure = Mutex<SnapshotError?>(nil)
        Thread.together(threadsMax) { _ in
            do throws(SnapshotError) {
                let decompressor = try Decompressor()
                var stored = [UInt8](repeating: 0, count: longest)
                while true {
                    let number = next.wrappingAdd(1, ordering: .relaxed).oldValue
                    guard number < frames.count else { return }
                    let frame = frames[number]
                    try read(frame, into: &stored)
                    try unsafe arena.withUnsafePart(frame.target) { (part) throws(SnapshotError) in
                        guard decompressor.decompress(stored, count: frame.stored.count, into: &part) else {
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

    private func read(_ frame: Frame, into stored: inout [UInt8]) throws(SnapshotError) {
        var span = stored.mutableSpan
        var bytes = unsafe span.mutableBytes
        var part = bytes._mutatingExtracting(0..<frame.stored.count)
        do throws(SystemError) {
            _ = try file.pread(into: &part, at: frame.stored.lowerBound)
        } catch {
            throw .system(error)
        }
    }
}
