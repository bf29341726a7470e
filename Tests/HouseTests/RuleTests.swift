import Testing

/// The rules themselves: each sees a bad sample and lets a good one pass.
@Suite struct RuleTests {
    private func file(_ path: String, _ text: String) -> SourceFile {
        SourceFile(path: path, text: text)
    }

    @Test(arguments: [
        ("Sources/Scheduling/A.swift", "import Synchronization"),
        ("Sources/Wire/A.swift", "package import Foundation"),
        ("Sources/Fleet/A.swift", "import Glibc"),
        ("Sources/Tasks/A.swift", "import struct Foundation.Date"),
        ("Sources/thaw-worker/A.swift", "import FoundationEssentials"),
        ("Sources/Registry/A.swift", "@preconcurrency import NIOCore"),
        ("Sources/Inference/A.swift", "  private import CKernels"),
        ("Sources/Cellar/A.swift", "let wine = 1"),
    ])
    func `a forbidden import is seen`(path: String, text: String) {
        #expect(ImportRules.violations(in: file(path, text)).count == 1)
    }

    @Test(arguments: [
        ("Sources/Linux/A.swift", "import Glibc"),
        ("Sources/Tokenizing/A.swift", "@_spi(_Unicode) import Swift"),
        ("Sources/Registry/A.swift", "import Foundation\npackage import GRDB"),
        ("Sources/Tasks/A.swift", "// import Foundation would be too slow\nimport Synchronization"),
    ])
    func `an allowed import passes`(path: String, text: String) {
        #expect(ImportRules.violations(in: file(path, text)) == [])
    }

    @Test func `a second importer of a C target is named with its line`() {
        let files = [
            file("Sources/Snapshots/A.swift", "import CZstd"), file("Sources/Models/B.swift", "\nimport CZstd"),
        ]
        #expect(
            ImportRules.sharedCTargets(in: files).map(\.description) == [
                "Sources/Models/B.swift:2: CZstd is imported by Snapshots already; call it through Snapshots"
            ]
        )
        #expect(ImportRules.sharedCTargets(in: [files[0], files[0]]) == [])
    }

    @Test func `a dependency that the table does not know is seen in the package manifest`() {
        let text = """
            .target(name: "Wire", dependencies: ["Linux"]),
            .target(
                name: "Tasks",
                dependencies: ["Inference", "JSON", yams]
            ),
            """
        let found = ImportRules.undeclared(
            manifest: file("Package.swift", text),
            rooms: ["Wire", "Linux", "Tasks", "Inference", "JSON"]
        )
        #expect(found.count == 1)
        #expect(found.first?.message.hasPrefix("Wire depends on Linux") == true)
    }

    @Test(arguments: [
        "// TODO: later", "let x = try! f()", "let y = z as! Int", "fatalError(\"Not implemented\")", "fatalError()",
        "struct A: @unchecked Sendable {", "nonisolated(unsafe) var a = 1", "public func f()",
        "@frozen public struct A {",
        "open class A {", "public import NIOCore", "public static let a = 1",
    ])
    func `a banned word is seen in sources`(text: String) {
        #expect(WordRules.violations(in: file("Sources/Fleet/A.swift", text)).count == 1)
    }

    @Test(arguments: [
        "struct A: @unchecked Sendable {  // Safe: one owner", "package func f()", "try? f()",
        "// everything public is package",
        "open(path)", "// the public face of it", "let todo = 1",
    ])
    func `a good line passes`(text: String) {
        #expect(WordRules.violations(in: file("Sources/Fleet/A.swift", text)) == [])
    }

    @Test func `one room is public, and nothing else is allowed to it`() {
        let path = "Sources/ThawFunction/A.swift"
        #expect(WordRules.violations(in: file(path, "public func f()")) == [])
        #expect(WordRules.violations(in: file(path, "public func f() { try! g() }")).count == 1)
    }

    @Test(arguments: ["import XCTest", "try await Task.sleep(for: .seconds(1))"])
    func `what tests may not do is seen in tests only`(text: String) {
        #expect(WordRules.violations(in: file("Tests/FleetTests/A.swift", text)).count == 1)
        #expect(WordRules.violations(in: file("Sources/Trials/A.swift", text)) == [])
    }

    @Test func `what would wake an idle scheduler is found in it, and not in benchmarks`() {
        let text = "try await Task.sleep(for: .seconds(1))"
        #expect(WordRules.violations(in: file("Sources/Doors/A.swift", text)).count == 1)
        #expect(WordRules.violations(in: file("Sources/thaw-bench/A.swift", text)) == [])
    }

    @Test func `errno is seen in code, not in comments, and not in Linux`() {
        #expect(WordRules.errnoViolations(in: file("Sources/CPlanes/a.c", "int e = errno;")).count == 1)
        #expect(WordRules.errnoViolations(in: file("Sources/Fleet/A.swift", "// errno is Linux's")) == [])
        #expect(WordRules.errnoViolations(in: file("Sources/Linux/A.swift", "errno")) == [])
    }

    @Test(arguments: [
        ("Sources/Fleet/StringUtils.swift", ""), ("Sources/Common/A.swift", ""),
        ("Sources/Fleet/A.swift", "final class PoolManager {"),
        ("Tests/FleetTests/TestHelpers.swift", ""),
    ])
    func `an empty name is seen`(path: String, text: String) {
        #expect(NameRules.violations(in: file(path, text)).count == 1)
    }

    @Test func `a telling name passes, and a use of FileManager is no declaration`() {
        #expect(
            NameRules.violations(in: file("Sources/Fleet/Warden.swift", "FileManager.default; struct Warden {")) == []
        )
    }

    @Test func `line 501 is one too many`() {
        let lines = Array(repeating: "let a = 1\n", count: SizeRules.linesMax)
        #expect(SizeRules.violations(in: file("a.swift", lines.joined())) == [])
        #expect(SizeRules.violations(in: file("a.swift", (lines + ["x"]).joined())).count == 1)
    }

    @Test func `a room missing from the map, and a file that only the map knows, are seen`() {
        let map = file("Sources/README.md", "| `Wire` | see `Wire/Frame.swift` and `Wire/Gone.swift` |")
        #expect(MapRules.unnamedRooms(map: map, rooms: ["Wire", "Fleet"]).count == 1)
        let missing = MapRules.missingFiles(map: map, rooms: ["Wire"]) { $0 == "Sources/Wire/Frame.swift" }
        #expect(missing.map(\.message) == ["`Wire/Gone.swift` does not exist; name the file that does this now"])
    }

    @Test func `a dead link is seen, whichever way it is written`() {
        let page = file(
            "functions/embed/README.md",
            "[a](../digits/#x) [b](gone.md) [c](https://example.org/) [d](#here)"
        )
        let dead = MapRules.deadLinks(page: page) { $0 == "functions/digits" }
        #expect(dead.map(\.message) == ["the link to gone.md leads nowhere; mend or drop it"])
    }
}
