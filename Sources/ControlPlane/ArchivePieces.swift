import Linux
package import NIOCore

/// A part of a file's bytes, read as they are asked for.
package struct ArchivePieces: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    fileprivate let path: String
    fileprivate let range: Range<Int>

    private static let pieceBytes = 256 << 10

    init(path: String, range: Range<Int>) {
        self.path = path
        self.range = range
    }

    package func makeAsyncIterator() -> AsyncIterator { AsyncIterator(path: path, range: range) }

    package struct AsyncIterator: AsyncIteratorProtocol {
        private let path: String
        private var range: Range<Int>
        private var file: SharedDescriptor?

        fileprivate init(path: String, range: Range<Int>) {
            self.path = path
            self.range = range
        }

        package mutating func next() async throws -> ByteBuffer? {
            if range.isEmpty { return nil }
            let open = try file ?? SharedDescriptor(FileDescriptor.open(path))
            file = open
            let count = Swift.min(range.count, ArchivePieces.pieceBytes)
            let bytes = try open.descriptor.pread(count: count, at: range.lowerBound)
            guard !bytes.isEmpty else { return nil }
            range = range.lowerBound + bytes.count..<range.upperBound
            return ByteBuffer(bytes: bytes)
        }
    }
}
