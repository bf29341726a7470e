import Foundation

/// Processes as `/proc` shows them.
package enum ProcessTable {
    /// Living children of a process.
    package static func children(of parent: Int32) -> [Int32] {
        parents().filter { $0.value == parent }.map(\.key)
    }

    /// Living children of the children: a node's workers, whose parents are its templates.
    package static func grandchildren(of grandparent: Int32) -> [Int32] {
        let parents = parents()
        return parents.filter { parents[$0.value] == grandparent }.map(\.key)
    }

    package static func exists(_ pid: Int32) -> Bool {
        FileManager.default.fileExists(atPath: "/proc/\(pid)")
    }

    /// Whether a process lives whose command line begins with this word.
    package static func hasProcess(named word: String) -> Bool {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        return names.contains { name in
            guard Int32(name) != nil, let line = FileManager.default.contents(atPath: "/proc/\(name)/cmdline") else {
                return false
            }
            return line.split(separator: 0).first.map { Array($0) == Array(word.utf8) } ?? false
        }
    }

    /// The parent of each process that lives.
    private static func parents() -> [Int32: Int32] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "/proc")) ?? []
        var parents: [Int32: Int32] = [:]
        for pid in names.compactMap({ Int32($0) }) {
            guard let stat = try? String(contentsOfFile: "/proc/\(pid)/stat", encoding: .utf8),
                let close = stat.lastIndex(of: ")")
            else { continue }
            let fields = stat[stat.index(after: close)...].dropFirst().split(separator: " ")
            guard fields.count > 1, fields[0] != "Z", let parent = Int32(fields[1]) else { continue }
            parents[pid] = parent
        }
        return parents
    }
}
