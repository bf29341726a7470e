import Foundation
import Linux
import Testing

@Suite struct FolderWatchTests {
    @Test func `tells of a file that was written, and then is quiet`() throws {
        let folder = FileManager.default.temporaryDirectory.path + "/watch-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: folder) }
        let watch = try FolderWatch()
        try watch.add(folder)
        try watch.add(folder)
        #expect(try !watch.wait(atMostMilliseconds: 0))
        try Data("x".utf8).write(to: URL(fileURLWithPath: folder + "/file"))
        try watch.wait()
        while try watch.wait(atMostMilliseconds: 0) {}
        #expect(throws: SystemError.self) { try watch.add(folder + "/file") }
    }
}
