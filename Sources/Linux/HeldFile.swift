import Glibc

/// A file whose bytes are kept in the page cache, so that whoever reads it waits for no disk.
///
/// Mapped shared and locked: nothing is copied, and the kernel confirms each page. Where it will not lock, the pages are
/// brought in all the same, and it may drop them when memory is short.
package struct HeldFile: ~Copyable, Sendable {
    private let mapping: Mapping
    /// Why the pages are not locked; nil if they are.
    package let refusal: SystemError?

    package var isLocked: Bool { refusal == nil }

    /// Returns when the bytes are in memory: reads the file if they are not.
    package init(path: String) throws(SystemError) {
        let file = try FileDescriptor.open(path)
        let pages = try Mapping.file(file, byteCount: try file.size(), shared: true)
        refusal = try Self.bringIn(pages)
        mapping = pages
    }

    /// - Returns: why the pages are in memory and not locked there.
    private static func bringIn(_ pages: borrowing Mapping) throws(SystemError) -> SystemError? {
        let (base, count) = unsafe (pages.baseAddress, pages.byteCount)
        do throws(SystemError) {
            _ = try checked("mlock") { unsafe mlock(base, count) }
            return nil
        } catch {
            _ = try checked("madvise MADV_POPULATE_READ") { unsafe madvise(base, count, populateRead) }
            return error
        }
    }

    /// `MADV_POPULATE_READ` of Linux 5.14.
    private static let populateRead: Int32 = 22

    /// Bytes that the kernel has in memory at this moment, whole pages.
    package func residentByteCount() throws(SystemError) -> Int {
        let pageCount = (mapping.byteCount + Mapping.pageByteCount - 1) / Mapping.pageByteCount
        var pages = [UInt8](repeating: 0, count: pageCount)
        let (base, count) = unsafe (mapping.baseAddress, mapping.byteCount)
        _ = try checked("mincore") { unsafe mincore(base, count, &pages) }
        return pages.count { $0 & 1 == 1 } * Mapping.pageByteCount
    }
}
