import CZlib
import Wire

/// What came compressed, decompressed within a bound.
package enum Inflation {
    /// A bare deflate stream (RFC 1951), as archives hold them; nil for one that is broken or is not of `byteCount` bytes.
    package static func inflateBare(_ bytes: [UInt8], byteCount: Int) -> [UInt8]? {
        // A negative window says that neither header nor checksum stands around the stream.
        guard let result = run(bytes, -15, byteCount), result.count == byteCount else { return nil }
        return result
    }

    /// The checksum of zip and gzip.
    package static func checksum(_ bytes: [UInt8]) -> UInt32 {
        unsafe bytes.withUnsafeBufferPointer { bytes in
            unsafe UInt32(truncatingIfNeeded: crc32_z(0, bytes.baseAddress, bytes.count))
        }
    }

    /// - Parameter bytesMax: the most that is let out: a body of a kilobyte can hold a gigabyte of zeros.
    static func inflate(
        _ bytes: [UInt8],
        _ encoding: BodyEncoding,
        bytesMax: Int
    ) throws(TaskFailure) -> [UInt8] {
        // 15 bits of window; 16 more say gzip.
        let windowBits: Int32
        switch encoding {
        case .identity: return bytes
        case .gzip: windowBits = 15 + 16
        case .deflate: windowBits = 15
        }
        guard let result = run(bytes, windowBits, bytesMax) else {
            throw .malformed("the body is no \(encoding) stream, or is cut short")
        }
        guard result.count <= bytesMax else {
            throw .malformed("the body has more than \(bytesMax) bytes once decompressed")
        }
        return result
    }

    /// nil for a broken stream; one byte more than `bytesMax` for one that is too long.
    private static func run(_ bytes: [UInt8], _ windowBits: Int32, _ bytesMax: Int) -> [UInt8]? {
        var stream = unsafe z_stream()
        guard unsafe inflateInit2_(&stream, windowBits, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK else {
            return nil
        }
        defer { unsafe _ = inflateEnd(&stream) }
        var output: [UInt8] = []
        var input = bytes
        return unsafe input.withUnsafeMutableBufferPointer { input -> [UInt8]? in
            unsafe stream.next_in = input.baseAddress
            unsafe stream.avail_in = UInt32(clamping: input.count)
            var piece = [UInt8](repeating: 0, count: 64 * 1024)
            while true {
                let (status, left) = unsafe piece.withUnsafeMutableBufferPointer { piece in
                    unsafe stream.next_out = piece.baseAddress
                    unsafe stream.avail_out = UInt32(piece.count)
                    let status = unsafe zlib_inflate(&stream)
                    return (status, unsafe Int(stream.avail_out))
                }
                output += piece[..<(piece.count - left)]
                if output.count > bytesMax { return output }
                switch status {
                // What follows the stream would be thrown away silently.
                case Z_STREAM_END: return unsafe stream.avail_in == 0 ? output : nil
                case Z_OK where left < piece.count: continue
                default: return nil
                }
            }
        }
    }

    private static func zlib_inflate(_ stream: UnsafeMutablePointer<z_stream>) -> Int32 {
        unsafe CZlib.inflate(stream, Z_NO_FLUSH)
    }
}
