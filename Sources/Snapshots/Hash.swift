import Digests

/// The hashes of a snapshot.
struct Hash: ~Copyable {
    private let digest: NamedDigest

    /// Digests of chunks: as strong, and twice as fast where the processor has no instructions for SHA-256.
    static func sha512256() throws(SnapshotError) -> Hash {
        do throws(DigestError) {
            return Hash(digest: try NamedDigest.sha512256())
        } catch {
            throw .library(error.description)
        }
    }

    private init(digest: consuming NamedDigest) {
        self.digest = digest
    }

    /// 32 bytes.
    func digest(of bytes: borrowing RawSpan) throws(SnapshotError) -> [UInt8] {
        do throws(DigestError) {
            return try digest.digest(of: bytes)
        } catch {
            throw .library(error.description)
        }
    }

    /// The name of the snapshot that has this index: SHA-256, which people and other tools compare.
    static func snapshot(of index: [UInt8]) throws(SnapshotError) -> SnapshotDigest {
        let bytes: [UInt8]
        do throws(DigestError) {
            bytes = try SHA256.digest(of: index)
        } catch {
            throw .library(error.description)
        }
        guard let digest = SnapshotDigest(bytes: bytes) else {
            throw .library("libcrypto's SHA-256 has another length")
        }
        return digest
    }
}
