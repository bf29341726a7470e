import Foundation

/// A file of the tree as the rules see it.
struct SourceFile: Sendable {
    /// Path from the root of the repository, such as `Sources/Wire/Frame.swift`.
    let path: String
    let lines: [Substring]
    /// The lines with their comments cut off.
    private let code: [Substring]
    private let bytes: Data

    init(path: String, text: String) {
        self.path = path
        var lines = text.split(separator: "\n", omittingEmptySubsequences: false)
        // The newline that ends the last line begins no further one.
        if lines.last == "" { lines.removeLast() }
        self.lines = lines
        code = lines.map(Self.withoutComment)
        bytes = Data(text.utf8)
    }

    /// The folder of `Sources/` or `Tests/` that the file lies in.
    var room: String {
        let parts = path.split(separator: "/")
        return parts.count > 2 ? String(parts[1]) : ""
    }

    var isTest: Bool { path.hasPrefix("Tests/") }

    /// These tests name what they forbid.
    var isOfTheHouse: Bool { path.hasPrefix("Tests/HouseTests/") }

    /// Number (from 1) and text of each line, comments cut off.
    var codeLines: [(number: Int, text: Substring)] {
        code.enumerated().map { ($0 + 1, $1) }
    }

    /// Whether one of the words is anywhere in the file.
    ///
    /// Patterns are slow in a debug build, so they are tried only on files that can match.
    func holds(anyOf words: [String]) -> Bool {
        words.contains { bytes.range(of: Data($0.utf8)) != nil }
    }

    private static func withoutComment(_ line: Substring) -> Substring {
        let slash = UInt8(ascii: "/")
        let utf8 = line.utf8
        var previous: UInt8 = 0
        for index in utf8.indices {
            if utf8[index] == slash, previous == slash {
                return line[..<utf8.index(before: index)]
            }
            previous = utf8[index]
        }
        return line
    }
}

/// One place where a rule is broken, with what to do instead.
struct Violation: CustomStringConvertible, Equatable {
    let path: String
    /// From 1; 0 where the whole file is meant.
    let line: Int
    let message: String

    var description: String { "\(path):\(line): \(message)" }
}
