/// Whether the kernel backs memory with huge pages that asks for them.
package enum HugePages {
    package enum Kind: String, Sendable {
        /// Transparent ones.
        case thp
        /// From a reserved pool.
        case hugetlb
        case none
    }

    /// What a process that starts now is offered; two small files are read, for it may change at any time.
    package static var offer: Kind {
        kind(
            enabled: text("/sys/kernel/mm/transparent_hugepage/enabled"),
            status: text("/proc/self/status")
        )
    }

    /// - Parameters:
    ///   - enabled: `always [madvise] never`; nil where the kernel was built without.
    ///   - status: `/proc/self/status`, whose `THP_enabled` is 0 where the process was denied them.
    package static func kind(enabled: String?, status: String?) -> Kind {
        guard let enabled, !enabled.contains("[never]") else { return .none }
        let isDenied = status?.split(separator: "\n").contains { line in
            line.hasPrefix("THP_enabled:") && line.hasSuffix("0")
        }
        return isDenied == true ? .none : .thp
    }

    private static func text(_ path: String) -> String? {
        guard let bytes = try? FileDescriptor.open(path).readAll(countMax: 64 * 1024) else { return nil }
        return String(decoding: bytes, as: UTF8.self)
    }
}
