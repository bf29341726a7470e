import Glibc

/// What the kernel keeps of a file in memory.
package enum PageCache {
    /// Asks the kernel to forget the file's clean pages; pages that are mapped or locked stay.
    package static func drop(_ file: borrowing FileDescriptor) throws(SystemError) {
        // Answers the error instead of setting it.
        let code = posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_DONTNEED)
        guard code == 0 else { throw SystemError(call: "posix_fadvise DONTNEED", code: code) }
    }

    /// Bytes of the file that are in memory now, in whole pages.
    package static func residentBytes(of file: borrowing FileDescriptor) throws(SystemError) -> Int {
        let byteCount = try FileIdentity(of: file).byteCount
        guard byteCount > 0 else { return 0 }
        let mapping = try Mapping.file(file, byteCount: byteCount)
        var pages = [UInt8](repeating: 0, count: (byteCount + Mapping.pageByteCount - 1) / Mapping.pageByteCount)
        _ = try checked("mincore") { unsafe mincore(mapping.baseAddress, byteCount, &pages) }
        return pages.count { $0 & 1 == 1 } * Mapping.pageByteCount
    }
}
