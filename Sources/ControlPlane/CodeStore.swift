import Digests
import Foundation
package import Linux
package import NIOCore

/// Archives of code as they were uploaded, named by their SHA-256: for the next deploy of the same code with other
/// settings, and for whoever asks for it back.
package struct CodeStore: Sendable {
    private let directory: String

    package init(directory: String) throws(SystemError) {
        self.directory = directory
        try Directory.make(directory)
        try Directory.make(directory + "/incoming")
        for name in try Directory.names(in: directory + "/incoming") {
            try Directory.unlink(directory + "/incoming/" + name)
        }
    }

    /// An archive that was taken in.
    package struct Archive: Equatable, Sendable {
        /// SHA-256 in hexadecimal.
        package var name: String
        package var byteCount: Int

        /// As the API writes it.
        package var sha256: String { Self.base64(name) }

        static func base64(_ hexadecimal: String) -> String {
            let digits = Array(hexadecimal.utf8)
            let bytes = stride(from: 0, to: digits.count - 1, by: 2).compactMap { index in
                UInt8(String(decoding: digits[index...index + 1], as: UTF8.self), radix: 16)
            }
            return Data(bytes).base64EncodedString()
        }
    }

    /// Whether a text can be an archive's name; others never reach the disk.
    package static func isName(_ text: String) -> Bool {
        text.utf8.count == 64 && text.utf8.allSatisfy { (0x30...0x39).contains($0) || (0x61...0x66).contains($0) }
    }

    package func path(_ archive: String) -> String { "\(directory)/\(archive)" }

    /// Writes an archive to the disk as it comes.
    package func receive<Pieces: AsyncSequence & Sendable>(
        _ pieces: Pieces,
        bytesMax: Int
    ) async throws -> Archive where Pieces.Element == ByteBuffer {
        let part = try await receivePart(pieces, bytesMax: bytesMax)
        try Directory.rename(part.path, to: path(part.archive.name))
        return part.archive
    }

    /// A file that came in and is no archive yet; nothing refers to it but its holder.
    struct Part: Equatable, Sendable {
        var path: String
        var archive: Archive
    }

    func receivePart<Pieces: AsyncSequence & Sendable>(
        _ pieces: Pieces,
        bytesMax: Int
    ) async throws -> Part where Pieces.Element == ByteBuffer {
        let path = "\(directory)/incoming/\(UUID().uuidString)"
        var isKept = false
        defer { if !isKept { try? Directory.unlink(path) } }
        let file = try FileDescriptor.open(path, [.writing, .creating, .exclusive], permissions: 0o600)
        var hash = SHA256()
        var count = 0
        for try await piece in pieces {
            count += piece.readableBytes
            guard count <= bytesMax else {
                throw LambdaError(.requestTooLarge, "Request must be smaller than \(bytesMax) bytes")
            }
            let bytes = Array(piece.readableBytesView)
            hash.update(bytes)
            try file.writeAll(bytes)
        }
        try file.syncData()
        try file.close()
        isKept = true
        return Part(path: path, archive: Archive(name: Hexadecimal.text(try hash.finalize()), byteCount: count))
    }

    /// Makes one archive of parts, in their order; the parts stay.
    func assemble(_ parts: [Part], bytesMax: Int) async throws -> Archive {
        try await receive(PartPieces(paths: parts.map(\.path)), bytesMax: bytesMax)
    }

    func remove(_ parts: some Sequence<Part>) {
        for part in parts { try? Directory.unlink(part.path) }
    }

    package func store(_ bytes: [UInt8]) throws(LambdaError) -> Archive {
        do {
            let archive = Archive(name: Hexadecimal.text(try SHA256.digest(of: bytes)), byteCount: bytes.count)
            let path = "\(directory)/incoming/\(UUID().uuidString)"
            let file = try FileDescriptor.open(path, [.writing, .creating, .exclusive], permissions: 0o600)
            try file.writeAll(bytes)
            try file.syncData()
            try file.close()
            try Directory.rename(path, to: self.path(archive.name))
            return archive
        } catch {
            throw .storage(error)
        }
    }

    /// How many bytes an archive has; nil where there is none.
    package func byteCount(of archive: String) -> Int? {
        try? FileIdentity(ofPath: path(archive)).byteCount
    }

    /// A part of an archive's bytes, as they are read.
    package func pieces(of archive: String, _ range: Range<Int>) -> ArchivePieces {
        ArchivePieces(path: path(archive), range: range)
    }

    /// The first bytes of an archive, which say what it is.
    func begins(_ archive: String, with magic: [UInt8]) -> Bool {
        guard let file = try? FileDescriptor.open(path(archive)),
            let bytes = try? file.pread(count: magic.count, at: 0)
        else { return false }
        return bytes == magic
    }

    /// What just came in is not referred to yet.
    private static let graceNanoseconds = 10 * 60 * 1_000_000_000

    /// Removes what nothing refers to any more.
    func removeAll(except kept: Set<String>) {
        guard let names = try? Directory.names(in: directory) else { return }
        let now = Int(clamping: Clock.wallNanoseconds())
        for name in names where Self.isName(name) && !kept.contains(name) {
            guard let identity = try? FileIdentity(ofPath: path(name)),
                now - Int(identity.modifiedNanoseconds) > Self.graceNanoseconds
            else { continue }
            try? Directory.unlink(path(name))
        }
    }
}
