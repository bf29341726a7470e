import CZstd

/// One compressor, used for one piece after the other.
@safe struct Compressor: ~Copyable {
    /// How zstd looks for repetitions.
    enum Purpose {
        /// Text and other bytes: zstd's own default, which finds repeated words.
        case bytes
        /// A plane of numbers. What little repeats in it is chance, and each such match costs the decoder more than it
        /// saves. A table of 64 places and matches from 7 bytes leave runs, and entropy coding of the rest: exponents
        /// of MiniLM shrink 2.88 times instead of 2.60, and decode at 1.75 GB/s instead of 0.75.
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
        let isPlane = purpose == .plane
        let settings: [(ZSTD_cParameter, Int32)] = [
            (ZSTD_c_compressionLevel, isPlane ? 1 : 3),
            (ZSTD_c_minMatch, isPlane ? 7 : 0),
            (ZSTD_c_hashLog, isPlane ? 6 : 0),
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
}
