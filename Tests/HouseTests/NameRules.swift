/// Names that say nothing about what a thing is.
enum NameRules {
    private static let empty = ["Utils", "Utilities", "Utility", "Helpers", "Helper", "Common", "Manager", "Misc"]
    private static let instead = "name it by a noun of the field: what it is, not that it helps"

    /// Folders, files and declared types called after nothing.
    static func violations(in file: SourceFile) -> [Violation] {
        var violations: [Violation] = []
        let parts = file.path.split(separator: "/").map { $0.prefix { $0 != "." } }
        for part in parts {
            if let word = empty.first(where: { part.hasSuffix($0) || part.hasPrefix($0) }) {
                violations.append(Violation(path: file.path, line: 0, message: "\(word) in \(part); \(instead)"))
            }
        }
        guard file.holds(anyOf: empty) else { return violations }
        for (number, text) in file.codeLines {
            guard let name = text.firstMatch(of: /\b(?:struct|class|enum|actor|protocol|typealias)\s+(\w+)/)?.1,
                let word = empty.first(where: { name.hasSuffix($0) || name.hasPrefix($0) })
            else { continue }
            violations.append(Violation(path: file.path, line: number, message: "\(word) in \(name); \(instead)"))
        }
        return violations
    }
}
