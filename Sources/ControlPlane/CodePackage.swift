import Linux
import Manifests
package import NIOCore

/// What is deployed: an uploaded archive with a manifest that says what the API was told of it, as one tar archive that
/// is read from the disk as it is sent.
package struct CodePackage: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    /// What stands before the archive's bytes.
    private let head: [UInt8]
    private let path: String
    private let tail: [UInt8]

    /// The name that the archive has beside its manifest.
    static let archiveName = "lambda.zip"
    private static let pieceBytes = 256 << 10

    /// A zip, and the manifest made for it.
    init(manifest: [UInt8], zip path: String, byteCount: Int) {
        var head = BundleHeader.bytes(path: Manifest.fileName, byteCount: manifest.count)
        head += manifest + Self.padding(manifest.count)
        head += BundleHeader.bytes(path: Self.archiveName, byteCount: byteCount)
        self.head = head
        self.path = path
        tail = Self.padding(byteCount) + [UInt8](repeating: 0, count: 2 * BundleHeader.blockBytes)
    }

    /// A bundle of Thaw's own, as it came.
    init(bundle path: String) {
        head = []
        self.path = path
        tail = []
    }

    private static func padding(_ byteCount: Int) -> [UInt8] {
        let rest = byteCount % BundleHeader.blockBytes
        return [UInt8](repeating: 0, count: rest == 0 ? 0 : BundleHeader.blockBytes - rest)
    }

    package func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(source: self)
    }

    package struct AsyncIterator: AsyncIteratorProtocol {
        fileprivate let source: CodePackage
        private var file: SharedDescriptor?
        private var offset = 0
        private var stage = Stage.head

        private enum Stage { case head, file, end }

        fileprivate init(source: CodePackage) {
            self.source = source
        }

        package mutating func next() async throws -> ByteBuffer? {
            switch stage {
            case .head:
                stage = .file
                file = SharedDescriptor(try FileDescriptor.open(source.path))
                guard source.head.isEmpty else { return ByteBuffer(bytes: source.head) }
                return try await next()
            case .file:
                let bytes = try file?.descriptor.pread(count: CodePackage.pieceBytes, at: offset) ?? []
                offset += bytes.count
                guard bytes.isEmpty else { return ByteBuffer(bytes: bytes) }
                stage = .end
                file = nil
                return source.tail.isEmpty ? nil : ByteBuffer(bytes: source.tail)
            case .end:
                return nil
            }
        }
    }
}
