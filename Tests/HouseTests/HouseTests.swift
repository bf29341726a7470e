import Testing

/// The rules, held against the tree as it is.
@Suite struct HouseTests {
    private func report(_ violations: [Violation]) {
        for violation in violations {
            Issue.record("\(violation)")
        }
    }

    @Test func `the tree is found`() throws {
        #expect(House.exists("Package.swift"), "\(House.root) should be the root of the repository")
        #expect(try House.files(["swift"]).count > 50)
    }

    @Test func `every room has its line in the table of imports`() throws {
        let rooms = try House.rooms().filter { !ImportRules.isCTarget($0) }
        #expect(Set(rooms).subtracting(ImportRules.allowed.keys).isEmpty)
    }

    @Test func `rooms import only whom the table allows`() throws {
        // A room without a line in the table is told once, by the test above, not for each of its files.
        let files = try House.files(["swift"]).filter { !$0.isTest && ImportRules.allowed[$0.room] != nil }
        report(files.flatMap(ImportRules.violations))
    }

    @Test func `each C target has one importer`() throws {
        report(ImportRules.sharedCTargets(in: try House.files(["swift"]).filter { !$0.isTest }))
    }

    @Test func `the package manifest declares no more than the table allows`() throws {
        report(ImportRules.undeclared(manifest: try House.file("Package.swift"), rooms: Set(try House.rooms())))
    }

    @Test func `no banned word is in the code`() throws {
        let files = try House.files(["swift", "c", "h", "py"]).filter { !$0.isOfTheHouse }
        report(files.flatMap(WordRules.violations))
    }

    @Test func `errno is read in Linux only`() throws {
        report(try House.files(["swift", "c", "h"]).filter { !$0.isTest }.flatMap(WordRules.errnoViolations))
    }

    @Test func `nothing is called after nothing`() throws {
        report(try House.files(["swift", "c", "h", "py"]).filter { !$0.isOfTheHouse }.flatMap(NameRules.violations))
    }

    @Test func `no file is longer than can be read in one sitting`() throws {
        report(try House.files(["swift", "c", "h", "py"]).flatMap(SizeRules.violations))
    }

    @Test func `the map names every room, and only what exists`() throws {
        let map = try House.file("Sources/README.md")
        let rooms = try House.rooms()
        report(MapRules.unnamedRooms(map: map, rooms: rooms))
        report(MapRules.missingFiles(map: map, rooms: rooms, exists: House.exists))
    }

    @Test func `no page has a dead link`() throws {
        let pages = try House.files(["md"]) + [try House.file("README.md")]
        report(pages.flatMap { MapRules.deadLinks(page: $0, exists: House.exists) })
    }
}
