/// The map and the pages name what exists, and what exists is on the map.
enum MapRules {
    /// Rooms that the map does not name.
    static func unnamedRooms(map: SourceFile, rooms: [String]) -> [Violation] {
        let names = Set(codeSpans(of: map).map(\.text))
        return rooms.filter { !names.contains($0) }.map { room in
            let message = "the room `\(room)` is not named; add a line to the table of rooms"
            return Violation(path: map.path, line: 0, message: message)
        }
    }

    /// Files and folders of `Sources/` that the map names and that are not there.
    static func missingFiles(map: SourceFile, rooms: [String], exists: (String) -> Bool) -> [Violation] {
        codeSpans(of: map).compactMap { line, text in
            let parts = text.split(separator: "/", omittingEmptySubsequences: false)
            guard parts.count > 1, rooms.contains(String(parts[0])), !exists("Sources/\(text)") else { return nil }
            let message = "`\(text)` does not exist; name the file that does this now"
            return Violation(path: map.path, line: line, message: message)
        }
    }

    /// Relative links of a page that lead nowhere.
    static func deadLinks(page: SourceFile, exists: (String) -> Bool) -> [Violation] {
        let folder = page.path.split(separator: "/").dropLast()
        return page.lines.enumerated().flatMap { index, line in
            line.matches(of: /\]\(([^)\s#]+)[^)]*\)/).compactMap { match -> Violation? in
                guard !match.1.contains("://"), !match.1.hasPrefix("mailto:") else { return nil }
                var parts = folder
                for part in match.1.split(separator: "/") where part != "." {
                    if part == ".." { _ = parts.popLast() } else { parts.append(part) }
                }
                guard !exists(parts.joined(separator: "/")) else { return nil }
                let message = "the link to \(match.1) leads nowhere; mend or drop it"
                return Violation(path: page.path, line: index + 1, message: message)
            }
        }
    }

    private static func codeSpans(of page: SourceFile) -> [(line: Int, text: String)] {
        page.lines.enumerated().flatMap { index, line in
            line.matches(of: /`([^`]+)`/).map { (index + 1, String($0.1)) }
        }
    }
}
