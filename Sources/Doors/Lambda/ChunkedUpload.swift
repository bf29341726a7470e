import Digests

/// Takes the content coding `aws-chunked` apart, however its bytes are cut.
///
/// ```
/// size ;chunk-signature=… CRLF ──► bytes CRLF ──► size …
///        └── size 0 ──► trailers, an empty line ──► (end)
/// ```
struct ChunkedUpload: Sendable {
    /// A chunk's line is a size and a signature, a trailer a checksum or a signature.
    static let lineBytesMax = 512
    static let trailersMax = 16

    private enum State: Equatable {
        case size
        case bytes(left: Int)
        case end(of: String?)
        case trailers
        case over
    }

    private var state = State.size
    private var line: [UInt8] = []
    private var signature: String?
    private var digest = SHA256()
    /// nil where chunks are not signed, or nobody here knows a key.
    private var signer: ChunkSigner?
    private(set) var trailers: [(name: String, value: String)] = []
    private(set) var byteCount = 0

    init(signer: ChunkSigner?) {
        self.signer = signer
    }

    var isOver: Bool { state == .over }

    func trailer(_ name: String) -> String? { trailers.first { $0.name == name }?.value }

    /// - Returns: the bytes of the upload among those that came.
    /// - Throws: for what is no such coding, and for a chunk that was not signed as it is.
    mutating func take(_ bytes: some Collection<UInt8>) throws(UploadError) -> [UInt8] {
        var uploaded: [UInt8] = []
        var rest = bytes[...]
        while let first = rest.first {
            if case .bytes(let left) = state {
                let piece = rest.prefix(left)
                rest = rest.dropFirst(piece.count)
                try note(Array(piece), left: left, in: &uploaded)
                continue
            }
            rest = rest.dropFirst()
            line.append(first)
            guard line.count <= Self.lineBytesMax else { throw .malformedChunk("a line does not end") }
            guard first == UInt8(ascii: "\n") else { continue }
            guard line.dropLast().last == UInt8(ascii: "\r") else { throw .malformedChunk("a line ends without CR") }
            guard let text = String(validating: line.dropLast(2), as: UTF8.self) else {
                throw .malformedChunk("a line is no text")
            }
            line.removeAll(keepingCapacity: true)
            try end(of: text)
        }
        return uploaded
    }

    private mutating func note(_ piece: [UInt8], left: Int, in uploaded: inout [UInt8]) throws(UploadError) {
        byteCount += piece.count
        if signer != nil { digest.update(piece) }
        if uploaded.isEmpty { uploaded = piece } else { uploaded += piece }
        state = piece.count == left ? .end(of: signature) : .bytes(left: left - piece.count)
    }

    private mutating func end(of line: String) throws(UploadError) {
        switch state {
        case .size: try begin(line)
        case .end(let signature):
            guard line.isEmpty else { throw .malformedChunk("a chunk is longer than it said") }
            try check(signature)
            state = .size
        case .trailers where line.isEmpty:
            try checkTrailers()
            state = .over
        case .trailers:
            guard trailers.count < Self.trailersMax, let colon = line.firstIndex(of: ":") else {
                throw .malformedChunk("a trailer is a name and a value")
            }
            let value = line[line.index(after: colon)...].drop { $0 == " " }
            trailers.append((line[..<colon].lowercased(), String(value)))
        case .bytes, .over: throw .malformedChunk("bytes follow the end")
        }
    }

    private mutating func begin(_ line: String) throws(UploadError) {
        let parts = line.split(separator: ";", maxSplits: 1, omittingEmptySubsequences: false)
        let digits = parts.first ?? ""
        guard (1...12).contains(digits.utf8.count),
            digits.utf8.allSatisfy({ UInt8(ascii: "+") != $0 && UInt8(ascii: "-") != $0 }),
            let size = Int(digits, radix: 16)
        else { throw .malformedChunk("a chunk begins with its size") }
        let name = "chunk-signature="
        signature = parts.count == 2 && parts[1].hasPrefix(name) ? String(parts[1].dropFirst(name.count)) : nil
        guard size == 0 else {
            state = .bytes(left: size)
            return
        }
        try check(signature)
        state = .trailers
    }

    /// Holds a chunk against its signature.
    private mutating func check(_ signature: String?) throws(UploadError) {
        guard signer != nil else { return }
        let chunk = digest
        digest = SHA256()
        let isRight: Bool
        do throws(DigestError) {
            let text = Hexadecimal.text(try chunk.finalize())
            isRight =
                try signature.map { signature throws(DigestError) in
                    try signer?.isNext(signature, chunkDigest: text) == true
                } ?? false
        } catch {
            throw .unavailable("\(error)")
        }
        guard isRight else { throw .badSignature }
    }

    /// Trailers are signed too, where chunks are.
    private mutating func checkTrailers() throws(UploadError) {
        guard signer != nil else { return }
        let signed = trailers.filter { $0.name != "x-amz-trailer-signature" }
        if signed.isEmpty { return }
        guard let signature = trailer("x-amz-trailer-signature") else { throw .badSignature }
        let text = signed.map { "\($0.name):\($0.value)\n" }.joined()
        let isRight: Bool
        do throws(DigestError) {
            isRight = try signer?.isNext(signature, trailers: text) == true
        } catch {
            throw .unavailable("\(error)")
        }
        guard isRight else { throw .badSignature }
    }
}

/// The chain of signatures of one upload: each chunk's covers the one before.
struct ChunkSigner: Sendable {
    let key: [UInt8]
    let date: String
    let scope: String
    /// At first that of the request.
    var previous: String

    private static let emptyDigest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

    mutating func isNext(_ signature: String, chunkDigest: String) throws(DigestError) -> Bool {
        try isNext(
            signature,
            of: "AWS4-HMAC-SHA256-PAYLOAD\n\(date)\n\(scope)\n\(previous)\n\(Self.emptyDigest)\n\(chunkDigest)"
        )
    }

    mutating func isNext(_ signature: String, trailers: String) throws(DigestError) -> Bool {
        let digest = Hexadecimal.text(try SHA256.digest(of: Array(trailers.utf8)))
        return try isNext(signature, of: "AWS4-HMAC-SHA256-TRAILER\n\(date)\n\(scope)\n\(previous)\n\(digest)")
    }

    private mutating func isNext(_ signature: String, of text: String) throws(DigestError) -> Bool {
        previous = Hexadecimal.text(try SHA256.authenticationCode(of: Array(text.utf8), key: key))
        return Hexadecimal.areEqual(previous, signature)
    }
}
