import Synchronization

/// What counts the processor time of all processes of one group, those that have ended included.
package final class ProcessorGroup: Sendable {
    private let path: String
    private let dialect: MemoryHierarchy.Dialect
    /// A process joins by writing `0` here; nil where the memory group counts itself.
    package var tasks: Int32? { file?.descriptor.rawValue }
    private let file: SharedDescriptor?
    private let usage: FileDescriptor
    private let mark = Atomic<UInt64>(0)

    /// nil where the kernel does not count.
    init?(path: String?, dialect: MemoryHierarchy.Dialect) {
        guard let path else { return nil }
        self.path = path
        self.dialect = dialect
        do throws(SystemError) {
            switch dialect {
            case .v1:
                try Directory.make(path)
                file = SharedDescriptor(try FileDescriptor.open("\(path)/tasks", .writing))
                usage = try FileDescriptor.open("\(path)/cpuacct.usage")
            case .v2:
                file = nil
                usage = try FileDescriptor.open("\(path)/cpu.stat")
            }
        } catch {
            return nil
        }
    }

    /// Counts from here on.
    func prepare() {
        mark.store(total() ?? 0, ordering: .relaxed)
    }

    /// Nanoseconds since the group was prepared; costs some microseconds.
    package func nanoseconds() -> UInt64? {
        let mark = mark.load(ordering: .relaxed)
        return total().map { $0 >= mark ? $0 - mark : 0 }
    }

    private func total() -> UInt64? {
        guard let bytes = try? usage.pread(count: 256, at: 0) else { return nil }
        let text = String(decoding: bytes, as: UTF8.self)
        switch dialect {
        case .v1:
            return UInt64(text.prefix { $0 != "\n" })
        case .v2:
            guard let line = text.split(separator: "\n").first(where: { $0.hasPrefix("usage_usec ") }) else {
                return nil
            }
            return UInt64(line.dropFirst("usage_usec ".count)).map { $0 * 1000 }
        }
    }

    func remove() {
        if dialect == .v1 { try? Directory.remove(path) }
    }
}
