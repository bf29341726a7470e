import Foundation
package import NIOCore

/// Archives too large for a request's JSON: they come first, under a key, and are named afterwards.
extension ControlPlane {
    /// - Parameter check: throws where the bytes are not those that were announced.
    package func putUpload<Pieces: AsyncSequence & Sendable>(
        _ key: String,
        _ pieces: Pieces,
        bytesMax: Int,
        check: (CodeStore.Archive) throws -> Void
    ) async throws -> CodeStore.Archive where Pieces.Element == ByteBuffer {
        let archive = try await code.receive(pieces, bytesMax: bytesMax)
        try check(archive)
        try await setUpload(key, archive)
        return archive
    }

    func setUpload(_ key: String, _ archive: CodeStore.Archive) async throws(LambdaError) {
        try await store.setUpload(
            key,
            ControlStore.Upload(archive: archive.name, byteCount: archive.byteCount),
            unixMilliseconds: Int64(now().timeIntervalSince1970 * 1000)
        )
    }

    package func upload(_ key: String) -> CodeStore.Archive? {
        store.read { $0.uploads[key] }.map { CodeStore.Archive(name: $0.archive, byteCount: $0.byteCount) }
    }

    package func deleteUpload(_ key: String) async throws(LambdaError) {
        try await store.setUpload(key, nil)
        collect()
    }
}
