/// Words that have no place in the code, each with what to write instead.
enum WordRules {
    private struct Ban {
        /// One of these is in every match.
        let words: [String]
        let pattern: Regex<Substring>
        let instead: String
        var scope: Scope = .everywhere
        /// A comment on the same line that makes the word legal, because it says why.
        var unlessSaid: String?
        /// The one room that may.
        var exceptIn: String?
    }

    private enum Scope {
        case everywhere
        case sources
        case tests
        /// What the scheduler links: it makes no system call while nothing happens.
        case scheduler
    }

    // Computed: a Regex is not Sendable, so it cannot be a static constant.
    private static var bans: [Ban] {
        [
            Ban(
                words: ["TODO", "FIXME", "XXX", "HACK"],
                pattern: /\b(?:TODO|FIXME|XXX|HACK)\b/,
                instead: "finish it now, or open an issue and leave no mark in the code"
            ),
            Ban(words: ["try!"], pattern: /\btry!/, instead: "throw, or handle the error"),
            Ban(words: ["as!"], pattern: /\bas!/, instead: "use `as?` and say what happens otherwise"),
            Ban(
                words: ["fatalError("],
                pattern: /\bfatalError\(\s*(?:\)|"(?i:not (?:yet )?implemented|unimplemented))/,
                instead: "write what is missing, or leave the door out"
            ),
            Ban(
                words: ["@unchecked"],
                pattern: /@unchecked\s+Sendable/,
                instead: "make it Sendable, or say on that line why it is one: `// Safe: …`",
                unlessSaid: "// Safe:"
            ),
            Ban(
                words: ["nonisolated(unsafe)"],
                pattern: /\bnonisolated\(unsafe\)/,
                instead: "use a Mutex or an Atomic, or say on that line why not: `// Safe: …`",
                unlessSaid: "// Safe:"
            ),
            Ban(
                words: ["public", "open"],
                pattern:
                    /^\s*(?:@\S+\s+)*(?:public|open)\s+(?:\w+\s+)*?(?:import|func|var|let|struct|enum|class|actor|protocol|extension|init|typealias|subscript)\b/,
                instead: "nothing outside this package imports us: write `package`",
                scope: .sources,
                // Programs of others are built on it.
                exceptIn: "ThawFunction"
            ),
            Ban(
                words: ["XCTest"],
                pattern: /^\s*(?:@testable\s+)?import\s+XCTest\b/,
                instead: "use swift-testing: `import Testing`",
                scope: .tests
            ),
            Ban(
                words: ["sleep"],
                pattern: /\b(?:usleep|nanosleep|Task\.sleep|Thread\.sleep)\b/,
                instead: "wait for the event itself, or hand in the clock",
                scope: .tests
            ),
            Ban(
                words: ["Task.sleep", "globalConcurrentExecutor", "DispatchQueue.global"],
                pattern: /\b(?:Task\.sleep|globalConcurrentExecutor|DispatchQueue\.global)\b/,
                instead: "use a timer of the event loop or a serial queue: these wake an idle scheduler every second",
                scope: .scheduler
            ),
        ]
    }

    /// Benchmarks, and the commands of `thaw` that talk to a node.
    private static func isOutsideTheScheduler(_ file: SourceFile) -> Bool {
        ["Trials", "thaw-bench"].contains(file.room) || file.path.contains("thaw/Commands/")
    }

    static func violations(in file: SourceFile) -> [Violation] {
        let bans = bans.filter { ban in
            if file.room == ban.exceptIn { return false }
            return switch ban.scope {
            case .everywhere: file.holds(anyOf: ban.words)
            case .sources: !file.isTest && file.holds(anyOf: ban.words)
            case .tests: file.isTest && file.holds(anyOf: ban.words)
            case .scheduler:
                !file.isTest && !isOutsideTheScheduler(file) && file.holds(anyOf: ban.words)
            }
        }
        guard !bans.isEmpty else { return [] }
        return file.lines.enumerated().flatMap { index, line in
            bans.compactMap { ban -> Violation? in
                guard let word = line.firstMatch(of: ban.pattern)?.0 else { return nil }
                if let reason = ban.unlessSaid, line.contains(reason) { return nil }
                let found = word.trimmingPrefix(while: \.isWhitespace)
                return Violation(path: file.path, line: index + 1, message: "`\(found)`: \(ban.instead)")
            }
        }
    }

    /// Reading errno is Linux's business, in Swift and in C.
    static func errnoViolations(in file: SourceFile) -> [Violation] {
        // ThawFunction is linked into programs of others, without Linux.
        guard !["Linux", "CLinux", "ThawFunction"].contains(file.room), file.holds(anyOf: ["errno"]) else { return [] }
        return file.codeLines.compactMap { number, text in
            guard text.contains(/\berrno\b/) else { return nil }
            let message = "errno is read in Linux only; call a function there, which throws SystemError"
            return Violation(path: file.path, line: number, message: message)
        }
    }
}
