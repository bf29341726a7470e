import CZstd

/// One compressor, used for one piece after the other.
@safe struct Compressor: ~Copyable {
    /// How zstd looks for repetitions.
    enum Purpose {
        /// Text and other bytes: zstd's own default, which finds repeated words.
        case bytes
        /// A plane of floats. What little repeats in it is chance, and each such match costs the decoder more than it
        /// saves: so far below the fast levels zstd finds none, and Huffman's coding of single bytes remains. MiniLM
        /// as f32 1.2204 times smaller at 8.5 GB/s, with matches from 7 bytes on 1.2199 at 7.7.
        case plane
    }

    @unsafe private let context: OpaquePointer

    init() throws(SnapshotError) {
        guard let context = unsafe ZSTD_createCCtx() else { throw .library("zstd could not make a compressor") }
        unsafe self.context = context
    }

    deinit {
        _ = unsafe ZSTD_freeCCtx(context)
    }

    func prepare(for purpose: Purpose) throws(SnapshotError) {
        // A piece that did not fit its room has left a session open.
        _ = unsafe ZSTD_CCtx_reset(context, ZSTD_reset_session_only)
        let isPlane = purpose == .plane
        let settings: [(ZSTD_cParameter, Int32)] = [
            (ZSTD_c_compressionLevel, isPlane ? -100_000 : 3),
            // ZSTD_c_literalCompressionMode: below level 0 literals stay as they are unless it is 1, enabled.
            (ZSTD_c_experimentalParam5, isPlane ? 1 : 0),
        ]
        for (parameter, value) in settings {
            guard unsafe ZSTD_isError(ZSTD_CCtx_setParameter(context, parameter, value)) == 0 else {
                throw .library("this zstd does not know a parameter that the format relies on")
            }
        }
    }

    /// - Returns: bytes at the start of `room` that are a frame of that range of `source`, `nil` where it does not fit there.
    func compress(_ source: [UInt8], _ range: Range<Int>, into target: inout [UInt8], at room: Range<Int>) -> Int? {
        let written = unsafe source.withUnsafeBytes { source in
            unsafe target.withUnsafeMutableBytes { target in
                let source = unsafe UnsafeRawBufferPointer(rebasing: source[range])
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: target[room])
                return unsafe ZSTD_compress2(context, room.baseAddress, room.count, source.baseAddress, source.count)
            }
        }
        return ZSTD_isError(written) == 0 ? written : nil
    }
}

/// One decompressor, used for one piece after the other.
@safe struct Decompressor: ~Copyable {
    @unsafe private let context: OpaquePointer

    init() throws(SnapshotError) {
        guard let context = unsafe ZSTD_createDCtx() else { throw .library("zstd could not make a decompressor") }
        unsafe self.context = context
    }

    deinit {
        _ = unsafe ZSTD_freeDCtx(context)
    }

    /// - Returns: whether that range of `source` is exactly one frame, or a row of them, that fills `room`.
    func decompress(_ source: [UInt8], _ range: Range<Int>, into target: inout [UInt8], at room: Range<Int>) -> Bool {
        let written = unsafe source.withUnsafeBytes { source in
            unsafe target.withUnsafeMutableBytes { target in
                let source = unsafe UnsafeRawBufferPointer(rebasing: source[range])
                let room = unsafe UnsafeMutableRawBufferPointer(rebasing: target[room])
                return unsafe ZSTD_decompressDCtx(
                    context,
                    room.baseAddress,
                    room.count,
                    source.baseAddress,
                    source.count
                )
            }
        }
        return ZSTD_isError(written) == 0 && written == room.count
    }

    /// - Returns: whether the first `count` bytes of `source` are exactly one frame, or a row of them, that fills `room`.
    func decompress(_ source: [UInt8], count: Int, into room: inout MutableRawSpan) -> Bool {
        precondition(count >= 0 && count <= source.count)
        return unsafe source.withUnsafeBytes { source in
            unsafe room.withUnsafeMutableBytes { room in
                let written = unsafe ZSTD_decompressDCtx(
                    context,
                    room.baseAddress,
                    room.count,
                    source.baseAddress,
                    count
                )
                return ZSTD_isError(written) == 0 && written == room.count
            }
        }
    }
}
