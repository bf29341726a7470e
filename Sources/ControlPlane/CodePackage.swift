import Linux
import Manifests
package import NIOCore

/// What is deployed: an uploaded archive with a manifest that says what the API was told of it, as one tar archive that
/// is read from the disk as it is sent.
package struct CodePackage: AsyncSequence, Sendable {
    package typealias Element = ByteBuffer

    /// Bytes, then those of a file.
    private struct Part: Sendable {
        var head: [UInt8]
        var path: String
    }

    private let parts: [Part]
    private let tail: [UInt8]

    /// The name that the archive has beside its manifest.
    static let archiveName = "lambda.zip"
    private static let pieceBytes = 256 << 10

    /// The name that a layer's archive has beside its manifest.
    static func layerName(_ number: Int) -> String { "layer-\(number).zip" }

    /// A zip on the disk.
    struct Zip {
        var path: String
        var byteCount: Int
    }

    /// A zip and its layers, and the manifest made for them.
    init(manifest: [UInt8], code: Zip, layers: [Zip]) {
        var head = BundleHeader.bytes(path: Manifest.fileName, byteCount: manifest.count)
        head += manifest + Self.padding(manifest.count)
        var parts: [Part] = []
        for (number, zip) in ([code] + layers).enumerated() {
            let name = number == 0 ? Self.archiveName : Self.layerName(number - 1)
            head += BundleHeader.bytes(path: name, byteCount: zip.byteCount)
            parts.append(Part(head: head, path: zip.path))
            head = Self.padding(zip.byteCount)
        }
        self.parts = parts
        tail = head + [UInt8](repeating: 0, count: 2 * BundleHeader.blockBytes)
    }

    /// A bundle of Thaw's own, as it came.
    init(bundle path: String) {
        parts = [Part(head: [], path: path)]
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
        /// Of the part whose file is being read, or comes next.
        private var number = 0
        private var file: SharedDescriptor?
        private var offset = 0
        private var isEnded = false

        fileprivate init(source: CodePackage) {
            self.source = source
        }

        package mutating func next() async throws -> ByteBuffer? {
            while number < source.parts.count {
                guard let file else {
                    file = SharedDescriptor(try FileDescriptor.open(source.parts[number].path))
                    offset = 0
                    let head = source.parts[number].head
                    if head.isEmpty { continue }
                    return ByteBuffer(bytes: head)
                }
                let bytes = try file.descriptor.pread(count: CodePackage.pieceBytes, at: offset)
                offset += bytes.count
                if !bytes.isEmpty { return ByteBuffer(bytes: bytes) }
                self.file = nil
                number += 1
            }
            guard !isEnded, !source.tail.isEmpty else { return nil }
            isEnded = true
            return ByteBuffer(bytes: source.tail)
        }
    }
}
