import COpenSSL

/// The hashes of a snapshot, by libcrypto.
@safe struct Hash: ~Copyable {
    @unsafe private let algorithm: OpaquePointer
    private let name: String

    /// Digests of chunks: as strong, and twice as fast where the processor has no instructions for SHA-256.
    static func sha512256() throws(SnapshotError) -> Hash { try Hash(named: "SHA512-256") }

    private init(named name: String) throws(SnapshotError) {
        // Without this, libcrypto's first use opens its configuration file, which a sandbox does not allow.
        _ = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG), nil)
        guard let algorithm = unsafe EVP_MD_fetch(nil, name, nil) else {
            throw .library("libcrypto does not offer \(name)")
        }
        unsafe self.algorithm = algorithm
        self.name = name
    }

    deinit {
        unsafe EVP_MD_free(algorithm)
    }

    /// 32 bytes.
    func digest(of bytes: borrowing RawSpan) throws(SnapshotError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: SnapshotFormat.digestByteCount)
        let isDone = unsafe bytes.withUnsafeBytes { bytes in
            unsafe EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, algorithm, nil)
        }
        guard isDone == 1 else { throw .library("libcrypto could not compute \(name)") }
        return digest
    }

    /// SHA-256, 32 bytes: names of snapshots, what people and other tools compare.
    ///
    /// Through the functions that need no provider: a template computes one, and finding a provider would cost it a
    /// millisecond.
    static func sha256(of bytes: borrowing RawSpan) throws(SnapshotError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: SnapshotFormat.digestByteCount)
        let isDone = unsafe bytes.withUnsafeBytes { bytes in
            var context = SHA256_CTX()
            return unsafe SHA256_Init(&context) == 1
                && SHA256_Update(&context, bytes.baseAddress, bytes.count) == 1
                && SHA256_Final(&digest, &context) == 1
        }
        guard isDone else { throw .library("libcrypto could not compute SHA-256") }
        return digest
    }

    /// The name of the snapshot that has this index.
    static func snapshot(of index: [UInt8]) throws(SnapshotError) -> SnapshotDigest {
        guard let digest = SnapshotDigest(bytes: try unsafe sha256(of: index.span.bytes)) else {
            throw .library("libcrypto's SHA-256 has another length")
        }
        return digest
    }
}
