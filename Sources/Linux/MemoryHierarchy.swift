/// Where the machine keeps memory control groups, and in which dialect.
package struct MemoryHierarchy: Equatable, Sendable {
    package enum Dialect: Sendable {
        case v1, v2
    }

    package let dialect: Dialect
    /// Folders under which a group of ours may be made, the most fitting first.
    package let folders: [String]

    package init(dialect: Dialect, folders: [String]) {
        self.dialect = dialect
        self.folders = folders
    }

    /// Reads `/proc/self/mounts` and `/proc/self/cgroup`; the unified hierarchy comes first where both are mounted.
    package static func candidates(mounts: String, memberships: String) -> [MemoryHierarchy] {
        var unified: [MemoryHierarchy] = []
        var legacy: [MemoryHierarchy] = []
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count >= 4 else { continue }
            let (point, kind, options) = (String(fields[1]), fields[2], fields[3].split(separator: ","))
            if kind == "cgroup2", let own = membership(in: memberships, controller: nil) {
                unified.append(MemoryHierarchy(dialect: .v2, folders: folders(point, own)))
            } else if kind == "cgroup", options.contains("memory"),
                let own = membership(in: memberships, controller: "memory")
            {
                legacy.append(MemoryHierarchy(dialect: .v1, folders: folders(point, own)))
            }
        }
        return unified + legacy
    }

    /// Where processor time is counted in the first dialect, beside memory; the folder of the own group.
    package static func processorFolder(mounts: String, memberships: String) -> String? {
        for line in mounts.split(separator: "\n") {
            let fields = line.split(separator: " ")
            guard fields.count >= 4, fields[2] == "cgroup",
                fields[3].split(separator: ",").contains("cpuacct"),
                let own = membership(in: memberships, controller: "cpuacct")
            else { continue }
            return folders(String(fields[1]), own).last
        }
        return nil
    }

    /// The own group's folder; in a container whose mount shows only a part of the tree, that part's root.
    private static func folders(_ point: String, _ own: String) -> [String] {
        own == "/" ? [point] : [point + own, point]
    }

    /// The path after `4:memory:` (v1) or `0::` (v2).
    private static func membership(in text: String, controller: String?) -> String? {
        for line in text.split(separator: "\n") {
            let fields = line.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
            guard fields.count == 3 else { continue }
            let controllers = fields[1].split(separator: ",")
            if let controller {
                if controllers.contains(where: { $0 == controller }) { return String(fields[2]) }
            } else if fields[0] == "0", controllers.isEmpty {
                return String(fields[2])
            }
        }
        return nil
    }
}
