import Linux
import NIOCore

/// The bytes of files, one file after the other.
struct PartPieces: AsyncSequence, Sendable {
    let paths: [String]

    /// Read in one go: large enough that the disk is asked rarely.
    private static let pieceBytes = 1 << 20

    func makeAsyncIterator() -> AsyncIterator { AsyncIterator(paths: paths[...]) }

    struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate var paths: ArraySlice<String>
        private var file: SharedDescriptor?
        private var offset = 0

        fileprivate init(paths: ArraySlice<String>) {
            self.paths = paths
        }

        mutating func next() async throws -> ByteBuffer? {
            // The files may be gigabytes: others have their turns between two pieces.
            await Task.yield()
            while true {
                if let file {
                    let bytes = try file.descriptor.pread(count: PartPieces.pieceBytes, at: offset)
                    offset += bytes.count
                    if !bytes.isEmpty { return ByteBuffer(bytes: bytes) }
                }
                guard let path = paths.popFirst() else { return nil }
                file = SharedDescriptor(try FileDescriptor.open(path))
                offset = 0
            }
        }
    }
}
