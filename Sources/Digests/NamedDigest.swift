import COpenSSL

/// A digest that libcrypto finds by its name.
@safe package struct NamedDigest: ~Copyable {
    @unsafe private let algorithm: OpaquePointer
    private let name: String
    private let byteCount: Int

    /// 32 bytes; as strong as SHA-256, and twice as fast where the processor has no instructions for that.
    package static func sha512256() throws(DigestError) -> NamedDigest {
        try NamedDigest("SHA512-256", byteCount: 32)
    }

    /// 16 bytes; guards nothing, and is what older protocols compare.
    package static func md5() throws(DigestError) -> NamedDigest {
        try NamedDigest("MD5", byteCount: 16)
    }

    private init(_ name: String, byteCount: Int) throws(DigestError) {
        // Without this, libcrypto's first use opens its configuration file, which a sandbox does not allow.
        _ = OPENSSL_init_crypto(UInt64(OPENSSL_INIT_NO_LOAD_CONFIG), nil)
        guard let algorithm = unsafe EVP_MD_fetch(nil, name, nil) else { throw .unknown(name) }
        unsafe self.algorithm = algorithm
        self.name = name
        self.byteCount = byteCount
    }

    deinit {
        unsafe EVP_MD_free(algorithm)
    }

    package func digest(of bytes: borrowing RawSpan) throws(DigestError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: byteCount)
        let isDone = unsafe bytes.withUnsafeBytes { bytes in
            unsafe EVP_Digest(bytes.baseAddress, bytes.count, &digest, nil, algorithm, nil)
        }
        guard isDone == 1 else { throw .failed(name) }
        return digest
    }
}
