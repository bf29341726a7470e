import ControlPlane
import Foundation
import Linux
import NIOPosix
import Testing

@testable import Events

@Suite struct FolderSourceTests {
    private let root: String

    init() throws {
        root = FileManager.default.temporaryDirectory.path + "/folder-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: root + "/in", withIntermediateDirectories: true)
    }

    private func open(_ query: String = "", below: [String]? = nil) async throws -> FolderSource {
        try await FolderSource(
            SourceURL("file://\(root)/in\(query)"),
            watchable: below ?? [root],
            on: MultiThreadedEventLoopGroup.singleton.next()
        )
    }

    private func write(_ name: String, _ text: String = "x") throws {
        try Data(text.utf8).write(to: URL(fileURLWithPath: "\(root)/\(name)"))
    }

    private func names(_ folder: String) throws -> [String] {
        try FileManager.default.contentsOfDirectory(atPath: root + "/" + folder).sorted()
    }

    @Test func `files that lay there and files that arrive are records; done ones are moved, never over another`()
        async throws
    {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try write("in/old.csv")
        try write("in/other.txt")
        let source = try await open("?pattern=*.csv&body=true")
        let first = try await source.take(9, waitMilliseconds: 0)
        #expect(first.map(\.id) == ["old.csv"])
        #expect(first[0].document["path"]?.text == root + "/in/old.csv")
        #expect(first[0].document["body"]?.text == "x")
        #expect(first[0].document["s3"]?["object"]?["size"]?.integer == 1)
        let time = try #require(first[0].document["eventTime"]?.text)
        #expect(try /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/.wholeMatch(in: time) != nil, "\(time)")
        try await source.settle(first)
        #expect(try names("in") == [".done", "other.txt"])

        try write("old.csv", "new")
        try FileManager.default.moveItem(atPath: root + "/old.csv", toPath: root + "/in/old.csv")
        let second = try await source.take(9, waitMilliseconds: 5000)
        #expect(second.first?.document["body"]?.text == "new")
        try await source.settle(second)
        #expect(try names("in/.done").count == 2)
        #expect(await source.lag() == 0)
        await source.close()
    }

    @Test func `what is put back comes again, counted; what was not settled comes after a restart`() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try write("in/a")
        let source = try await open("?then=delete")
        let first = try await source.take(9, waitMilliseconds: 0)
        try await source.putBack(first, afterMilliseconds: 0)
        #expect(try await source.take(9, waitMilliseconds: 5000).first?.deliveryCount == 2)
        await source.close()
        let again = try await open("?then=delete")
        let records = try await again.take(9, waitMilliseconds: 0)
        #expect(records.map(\.id) == ["a"])
        try await again.settle(records)
        #expect(try names("in").isEmpty)
        await again.close()
    }

    @Test func `a file that is written again while it is given out is not moved away unread`() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try write("in/a", "one")
        let source = try await open("?body=true")
        let first = try await source.take(1, waitMilliseconds: 0)
        try write("in/a", "another")
        try await source.settle(first)
        let second = try await source.take(1, waitMilliseconds: 5000)
        #expect(second.first?.document["body"]?.text == "another")
        await source.close()
    }

    @Test func `a file that somebody still writes waits until it is closed`() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let file = try Linux.FileDescriptor.open(root + "/in/a", [.writing, .creating])
        try file.writeAll(Array("half".utf8))
        let source = try await open("?body=true")
        #expect(try await source.take(1, waitMilliseconds: 50).isEmpty)
        try file.writeAll(Array(" and half".utf8))
        try file.close()
        #expect(try await source.take(1, waitMilliseconds: 10_000).first?.document["body"]?.text == "half and half")
        await source.close()
    }

    @Test func `links, folders and files that vanish are no records, and names need not be text`() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        try write("secret", "nobody's")
        try FileManager.default.createSymbolicLink(atPath: root + "/in/link", withDestinationPath: root + "/secret")
        try FileManager.default.createDirectory(atPath: root + "/in/folder", withIntermediateDirectories: true)
        let source = try await open("?body=true")
        try write("in/gone")
        try FileManager.default.removeItem(atPath: root + "/in/gone")
        let folder = try OpenFolder(root + "/in")
        let other = try OpenFolder(root)
        try write("odd")
        #expect(try other.move(Array("odd".utf8), to: folder, as: [0x66, 0xFF, 0x20]))
        let records = try await source.take(9, waitMilliseconds: 5000)
        #expect(records.map(\.id) == ["f%FF%20"])
        #expect(records.first?.document["path"] == nil)
        try await source.settle(records)
        #expect(try names("in") == [".done", "folder", "link"])
        await source.close()
    }

    @Test func `only what lies below an allowed folder is watched, links or not`() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        await #expect(throws: SourceError.self) { try await open(below: []) }
        await #expect(throws: SourceError.self) { try await open(below: [root + "/i"]) }
        try FileManager.default.createDirectory(atPath: root + "/allowed", withIntermediateDirectories: true)
        try FileManager.default.createSymbolicLink(
            atPath: root + "/allowed/out",
            withDestinationPath: root + "/in"
        )
        for path in ["/allowed/out", "/allowed/../in", "/in/../allowed/out"] {
            await #expect(throws: SourceError.self, "\(path)") {
                _ = try await FolderSource(
                    SourceURL("file://\(root)\(path)"),
                    watchable: [root + "/allowed"],
                    on: MultiThreadedEventLoopGroup.singleton.next()
                )
            }
        }
        await #expect(throws: SourceError.self) { try await open("?done=\(root)/allowed", below: [root + "/in"]) }
    }

    @Test func `a folder that is moved away ends the source`() async throws {
        defer { try? FileManager.default.removeItem(atPath: root) }
        let source = try await open()
        try FileManager.default.moveItem(atPath: root + "/in", toPath: root + "/out")
        await #expect(throws: SourceError.self) { _ = try await source.take(1, waitMilliseconds: 5000) }
        await source.close()
    }
}
