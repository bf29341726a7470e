import Glibc

/// Memory that one owner has mapped and that is unmapped with it.
///
/// It stays where it is for as long as it lives.
@safe package struct Mapping: ~Copyable, @unchecked Sendable {  // Safe: the pages have this one owner.
    /// Where the pages start; whoever keeps the address keeps the mapping alive too.
    @unsafe package let baseAddress: UnsafeMutableRawPointer
    /// Bytes that were asked for.
    package let byteCount: Int
    /// Bytes that the kernel mapped: whole pages.
    private let mappedByteCount: Int
    private var isWritable: Bool

    /// One huge page of x86-64; memory that is not aligned to it gets none.
    package static let hugePageByteCount = 2 * 1024 * 1024
    package static let pageByteCount = 4096

    private init(unsafeBase: UnsafeMutableRawPointer, byteCount: Int, mappedByteCount: Int, isWritable: Bool) {
        unsafe baseAddress = unsafeBase
        self.byteCount = byteCount
        self.mappedByteCount = mappedByteCount
        self.isWritable = isWritable
    }

    deinit {
        _ = unsafe munmap(baseAddress, mappedByteCount)
    }

    /// Fresh zeroed memory, private to the process and to its forks copy by copy.
    ///
    /// With `hugePages` in pages of 2 MiB: forks stay cheap and memory streams at full speed.
    package static func anonymous(byteCount: Int, hugePages: Bool = false) throws(SystemError) -> Mapping {
        let unit = hugePages ? hugePageByteCount : pageByteCount
        let rounded = try wholePages(byteCount, of: unit)
        guard hugePages else {
            let base = try unsafe map(rounded, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1)
            return unsafe Mapping(unsafeBase: base, byteCount: byteCount, mappedByteCount: rounded, isWritable: true)
        }
        // The kernel aligns to small pages only: map one huge page more and give the ends back.
        let start = try unsafe map(rounded + unit, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1)
        let misalignment = Int(bitPattern: start) & (unit - 1)
        let head = misalignment == 0 ? 0 : unit - misalignment
        let base = unsafe start + head
        if head > 0 { _ = unsafe munmap(start, head) }
        if unit - head > 0 { _ = unsafe munmap(base + rounded, unit - head) }
        // Refused only where the kernel was built without huge pages: then small ones serve.
        _ = unsafe madvise(base, rounded, MADV_HUGEPAGE)
        return unsafe Mapping(unsafeBase: base, byteCount: byteCount, mappedByteCount: rounded, isWritable: true)
    }

    /// Memory that this process and its forks see alike.
    package static func sharedAnonymous(byteCount: Int) throws(SystemError) -> Mapping {
        let rounded = try wholePages(byteCount, of: pageByteCount)
        let base = try unsafe map(rounded, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1)
        return unsafe Mapping(unsafeBase: base, byteCount: byteCount, mappedByteCount: rounded, isWritable: true)
    }

    /// The start of a file.
    ///
    /// Reading beyond the file's end kills, so `byteCount` must not exceed its size. With `shared`, writes reach
    /// the file and whoever else maps it.
    package static func file(
        _ file: borrowing FileDescriptor,
        byteCount: Int,
        writable: Bool = false,
        shared: Bool = false
    ) throws(SystemError) -> Mapping {
        let rounded = try wholePages(byteCount, of: pageByteCount)
        let base = try unsafe map(
            rounded,
            writable ? PROT_READ | PROT_WRITE : PROT_READ,
            shared ? MAP_SHARED : MAP_PRIVATE,
            file.rawValue
        )
        return unsafe Mapping(unsafeBase: base, byteCount: byteCount, mappedByteCount: rounded, isWritable: writable)
    }

    package borrowing func withBytes<Result, Failure: Error>(
        _ body: (borrowing RawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        try body(unsafe RawSpan(_unsafeStart: baseAddress, byteCount: byteCount))
    }

    /// The bytes for writing; a mapping without write access is a mistake of ours and traps.
    package mutating func withMutableBytes<Result, Failure: Error>(
        _ body: (inout MutableRawSpan) throws(Failure) -> Result
    ) throws(Failure) -> Result {
        precondition(isWritable, "this mapping is read-only")
        var span = unsafe MutableRawSpan(_unsafeStart: baseAddress, byteCount: byteCount)
        return try body(&span)
    }

    /// From here on a write to the pages kills the process.
    package mutating func protectReadOnly() throws(SystemError) {
        _ = try checked("mprotect") { unsafe mprotect(baseAddress, mappedByteCount, PROT_READ) }
        isWritable = false
    }

    /// As ``protectReadOnly()`` for a part, from the start of a page; the end is rounded up to one.
    ///
    /// The mapping's end takes all behind it along: a border inside the last huge page would break it into 512 small
    /// ones, which every fork would have to copy.
    package func protectReadOnly(_ range: Range<Int>) throws(SystemError) {
        var (start, byteCount) = unsafe wholePages(range)
        if range.upperBound == self.byteCount { byteCount = unsafe mappedByteCount - (start - baseAddress) }
        _ = try checked("mprotect") { unsafe mprotect(start, byteCount, PROT_READ) }
    }

    /// What the kernel is to know about the pages of a range before they are touched.
    package enum Advice: Sendable {
        /// Pages of 4 KiB even where the mapping asked for huge ones: for a few bytes here and there.
        case smallPages
        /// Bytes of a file that are wanted at once.
        case willNeed
        /// Pages that will be written: brought in as if they were. From Linux 5.14 on.
        case willWrite

        fileprivate var number: Int32 {
            switch self {
            case .smallPages: MADV_NOHUGEPAGE
            case .willNeed: MADV_WILLNEED
            // MADV_POPULATE_WRITE, which the headers of an older system lack.
            case .willWrite: 23
            }
        }
    }

    /// Tells the kernel; it is free not to follow.
    package func advise(_ advice: Advice, _ range: Range<Int>) {
        let (start, byteCount) = unsafe wholePages(range)
        _ = unsafe madvise(start, byteCount, advice.number)
    }

    /// The pages that a range touches.
    private func wholePages(_ range: Range<Int>) -> (start: UnsafeMutableRawPointer, byteCount: Int) {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "the range lies in the mapping")
        let start = range.lowerBound & ~(Mapping.pageByteCount - 1)
        let end = (range.upperBound + Mapping.pageByteCount - 1) & ~(Mapping.pageByteCount - 1)
        return unsafe (baseAddress + start, end - start)
    }

    /// Returns once the pages that hold these bytes of a shared file are on the disk.
    package func sync(_ range: Range<Int>) throws(SystemError) {
        precondition(range.lowerBound >= 0 && range.upperBound <= byteCount, "the range lies in the mapping")
        let start = range.lowerBound & ~(Mapping.pageByteCount - 1)
        _ = try checked("msync") {
            unsafe msync(baseAddress + start, range.upperBound - start, MS_SYNC)
        }
    }

    /// Rounds up; an impossible size becomes an error here, not an overflow.
    private static func wholePages(_ byteCount: Int, of unit: Int) throws(SystemError) -> Int {
        guard byteCount > 0, byteCount < 1 << 46 else { throw SystemError(call: "mmap \(byteCount)", code: EINVAL) }
        return (byteCount + unit - 1) & ~(unit - 1)
    }

    private static func map(
        _ byteCount: Int,
        _ protection: Int32,
        _ flags: Int32,
        _ file: Int32
    ) throws(SystemError) -> UnsafeMutableRawPointer {
        let address = try checked("mmap \(byteCount)") {
            unsafe Int(bitPattern: mmap(nil, byteCount, protection, flags, file, 0))
        }
        guard let base = unsafe UnsafeMutableRawPointer(bitPattern: address) else {
            throw SystemError(call: "mmap \(byteCount)", code: EFAULT)
        }
        return unsafe base
    }
}
