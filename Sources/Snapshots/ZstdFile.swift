import CZstd

/// A whole file that zstd compressed: data of others, which is not a snapshot of ours.
package enum ZstdFile {
    /// - Returns: the bytes of all frames in `file`.
    /// - Throws: ``SnapshotError/library(_:)`` where it is no zstd file, is cut short, or holds more than `byteCountMax`.
    package static func decompress(_ file: [UInt8], byteCountMax: Int) throws(SnapshotError) -> [UInt8] {
        guard let context = unsafe ZSTD_createDCtx() else { throw .library("zstd could not make a decompressor") }
        defer { _ = unsafe ZSTD_freeDCtx(context) }
        var result: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: ZSTD_DStreamOutSize())
        var position = 0
        var isFrameOpen = true
        while position < file.count || isFrameOpen {
            let (status, consumed, written) = unsafe file.withUnsafeBytes { source in
                unsafe piece.withUnsafeMutableBytes { target in
                    var input = unsafe ZSTD_inBuffer(src: source.baseAddress, size: source.count, pos: position)
                    var output = unsafe ZSTD_outBuffer(dst: target.baseAddress, size: target.count, pos: 0)
                    let status = unsafe ZSTD_decompressStream(context, &output, &input)
                    return unsafe (status, input.pos, output.pos)
                }
            }
            guard ZSTD_isError(status) == 0 else {
                throw .library("this is not a file that zstd wrote, or it is damaged")
            }
            isFrameOpen = status != 0
            guard consumed > position || written > 0 else { throw .library("the zstd file is cut short") }
            guard result.count + written <= byteCountMax else {
                throw .library("the zstd file holds more than \(byteCountMax) bytes")
            }
            result.append(contentsOf: piece[..<written])
            position = consumed
        }
        return result
    }
}
