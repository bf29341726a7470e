/// Memory that a process holds, as `/proc` tells it.
package struct ProcessMemory: Equatable, Sendable {
    /// Resident now, pages shared with others included.
    package let residentBytes: UInt64
    /// The most that was ever resident (VmHWM).
    package let residentBytesMax: UInt64
    /// Resident memory of its own making, shared with forks or not, and its page tables: no mapped files.
    package let anonymousBytes: UInt64
    /// Page tables alone, which no other process shares.
    package let pageTableBytes: UInt64

    /// Costs about 20 µs; `nil` when the process is gone.
    package static func of(pid: Int32) -> ProcessMemory? {
        guard let text = contents("/proc/\(pid)/status"),
            let resident = kibibytes("VmRSS:", in: text),
            let largest = kibibytes("VmHWM:", in: text),
            let pageTables = kibibytes("VmPTE:", in: text)
        else { return nil }
        let own = ["RssAnon:", "RssShmem:", "HugetlbPages:"].compactMap { kibibytes($0, in: text) }
        return ProcessMemory(
            residentBytes: resident,
            residentBytesMax: largest,
            anonymousBytes: own.reduce(pageTables, +),
            pageTableBytes: pageTables
        )
    }

    /// Bytes that no other process shares: what ending the process would free.
    ///
    /// Costs 0.3 ms, so it is for watching, never on a call's way; `nil` when the process is gone.
    package static func privateBytes(pid: Int32) -> UInt64? {
        guard let text = contents("/proc/\(pid)/smaps_rollup"),
            let clean = kibibytes("Private_Clean:", in: text),
            let dirty = kibibytes("Private_Dirty:", in: text)
        else { return nil }
        return clean + dirty
    }

    /// Bytes of its memory that lie in huge pages; `nil` where the kernel does not tell us, or when the process is gone.
    ///
    /// Costs as much as ``privateBytes(pid:)``.
    package static func hugePageBytes(pid: Int32) -> UInt64? {
        contents("/proc/\(pid)/smaps_rollup").flatMap { kibibytes("AnonHugePages:", in: $0) }
    }

    private static func contents(_ path: String) -> String? {
        guard let bytes = try? FileDescriptor.open(path).readAll(countMax: 64 * 1024) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }

    private static func kibibytes(_ key: String, in text: String) -> UInt64? {
        for line in text.split(separator: "\n") where line.hasPrefix(key) {
            let words = line.dropFirst(key.count).split { $0 == " " || $0 == "\t" }
            return words.first.flatMap { UInt64($0) }.map { $0 << 10 }
        }
        return nil
    }
}
