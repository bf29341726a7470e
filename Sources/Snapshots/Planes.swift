import CPlanes

/// The safe face of `CPlanes`: which instructions, and that every span is long enough.
struct Planes: Equatable {
    /// One implementation of the operations; all give the same bytes.
    enum Variant: Int32, CaseIterable, Comparable {
        case scalar = 0
        case avx2 = 1
        case avx512 = 2

        static func < (left: Variant, right: Variant) -> Bool { left.rawValue < right.rawValue }
    }

    let variant: Variant

    /// The fastest one that this machine runs.
    static let best = Planes(variant: Variant(rawValue: thaw_planes_best()) ?? .scalar)

    /// Takes floats of `width` bytes apart: plane k is byte k of every rotated element, one plane after the other.
    ///
    /// `planes` is as long as `elements`; a width of 1 copies.
    func split(_ elements: borrowing RawSpan, width: Int, into planes: inout MutableRawSpan) {
        let count = elements.byteCount / width
        precondition(elements.byteCount == count * width && planes.byteCount == elements.byteCount)
        unsafe elements.withUnsafeBytes { elements in
            unsafe planes.withUnsafeMutableBytes { planes in
                guard let source = elements.baseAddress, let target = planes.baseAddress else { return }
                guard width > 1 else { return unsafe target.copyMemory(from: source, byteCount: count) }
                unsafe thaw_planes_split(source, count, width, target)
            }
        }
    }

    /// The reverse of `split`, for planes that lie in either of two places.
    ///
    /// There is one source a plane, and `elements` has as many elements as a plane has bytes.
    func merge(
        _ sources: [PlaneSource],
        stored: borrowing RawSpan,
        decoded: borrowing RawSpan,
        into elements: inout MutableRawSpan
    ) {
        let width = sources.count
        let count = elements.byteCount / width
        precondition(width <= Int(THAW_PLANES_MAX) && elements.byteCount == count * width)
        for source in sources {
            let room = source.isDecoded ? decoded.byteCount : stored.byteCount
            precondition(source.offset >= 0 && count <= room - source.offset)
        }
        unsafe stored.withUnsafeBytes { stored in
            unsafe decoded.withUnsafeBytes { decoded in
                unsafe elements.withUnsafeMutableBytes { elements in
                    let planes = unsafe sources.map { source in
                        unsafe (source.isDecoded ? decoded : stored).baseAddress?
                            .advanced(by: source.offset).assumingMemoryBound(to: UInt8.self)
                    }
                    guard let target = elements.baseAddress else { return }
                    if width == 1, let only = unsafe planes[0] {
                        return unsafe target.copyMemory(from: only, byteCount: count)
                    }
                    unsafe thaw_planes_merge(variant.rawValue, planes, count, width, target)
                }
            }
        }
    }

    /// CRC-32C.
    func checksum(of bytes: borrowing RawSpan) -> UInt32 {
        unsafe bytes.withUnsafeBytes { bytes in
            unsafe thaw_planes_crc32c(variant.rawValue, bytes.baseAddress, bytes.count)
        }
    }
}

/// Where a plane lies: as it was read, or as the decompressor left it.
struct PlaneSource {
    let isDecoded: Bool
    let offset: Int
}
