/// Memory that a process holds, as `/proc` tells it.
package struct ProcessMemory: Equatable, Sendable {
    /// Resident now, pages shared with others included.
    package let residentBytes: UInt64
    /// The most that was ever resident (VmHWM).
    package let residentBytesMax: UInt64
    /// Resident pages that no file backs: heaps and stacks, what was copied on write, and what a fork still shares.
    package let anonymousBytes: UInt64
    /// Page tables, which no other process shares either (VmPTE).
    package let pageTableBytes: UInt64

    /// Costs about 20 µs; `nil` when the process is gone.
    package static func of(pid: Int32) -> ProcessMemory? {
        guard let text = contents("/proc/\(pid)/status"),
            let resident = kibibytes("VmRSS:", in: text),
            let largest = kibibytes("VmHWM:", in: text),
            let anonymous = kibibytes("RssAnon:", in: text),
            let pageTables = kibibytes("VmPTE:", in: text)
        else { return nil }
        return ProcessMemory(
            residentBytes: resident,
            residentBytesMax: largest,
            anonymousBytes: anonymous,
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
