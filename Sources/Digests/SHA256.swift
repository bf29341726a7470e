import COpenSSL

/// SHA-256, 32 bytes: what people and other tools compare.
///
/// Through the functions that need no provider: a template computes one, and finding a provider would cost it a
/// millisecond.
package struct SHA256 {
    package static let byteCount = 32

    private var context = SHA256_CTX()
    private var isSound: Bool

    package init() {
        isSound = unsafe SHA256_Init(&context) == 1
    }

    package mutating func update(_ bytes: borrowing RawSpan) {
        let isDone = unsafe bytes.withUnsafeBytes { bytes in
            unsafe SHA256_Update(&context, bytes.baseAddress, bytes.count)
        }
        isSound = isSound && isDone == 1
    }

    package mutating func update(_ bytes: [UInt8]) {
        unsafe update(bytes.span.bytes)
    }

    package consuming func finalize() throws(DigestError) -> [UInt8] {
        var digest = [UInt8](repeating: 0, count: Self.byteCount)
        guard unsafe SHA256_Final(&digest, &context) == 1, isSound else { throw .failed("SHA-256") }
        return digest
    }

    package static func digest(of bytes: borrowing RawSpan) throws(DigestError) -> [UInt8] {
        var hash = SHA256()
        hash.update(bytes)
        return try hash.finalize()
    }

    package static func digest(of bytes: [UInt8]) throws(DigestError) -> [UInt8] {
        try unsafe digest(of: bytes.span.bytes)
    }

    /// HMAC of RFC 2104 with SHA-256, 32 bytes.
    package static func authenticationCode(of message: [UInt8], key: [UInt8]) throws(DigestError) -> [UInt8] {
        var code = [UInt8](repeating: 0, count: Self.byteCount)
        var count = UInt32(Self.byteCount)
        let done = unsafe HMAC(EVP_sha256(), key, Int32(key.count), message, message.count, &code, &count)
        guard unsafe done != nil, count == Self.byteCount else { throw .failed("HMAC with SHA-256") }
        return code
    }
}

/// Why a digest was not computed: the library is at fault, never the input.
package enum DigestError: Error, Equatable, CustomStringConvertible {
    case unknown(String)
    case failed(String)

    package var description: String {
        switch self {
        case .unknown(let name): "libcrypto does not offer \(name)"
        case .failed(let name): "libcrypto could not compute \(name)"
        }
    }
}
