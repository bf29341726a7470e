import Foundation
import Testing

@testable import Linux

struct DirectoryCopyTests {
    private func withFolders(_ body: (_ from: String, _ to: String) throws -> Void) throws {
        let place = FileManager.default.temporaryDirectory.appending(path: "thaw-copy-\(UUID().uuidString)").path
        try Directory.make("\(place)/from")
        try Directory.make("\(place)/to")
        defer { try? FileManager.default.removeItem(atPath: place) }
        try body("\(place)/from", "\(place)/to")
    }

    private func copy(_ from: String, _ to: String) throws {
        try Directory.copy(
            from: try FileDescriptor.open(from, [.directory]),
            to: try FileDescriptor.open(to, [.directory])
        )
    }

    @Test func `files, folders and links are copied with what may be done to them`() throws {
        try withFolders { from, to in
            try Directory.make("\(from)/deep/deeper")
            let bytes = [UInt8](repeating: 7, count: 100_000)
            try FileDescriptor.open("\(from)/deep/deeper/file", [.writing, .creating], permissions: 0o600).writeAll(
                bytes
            )
            try Mounts.link("\(from)/link", to: "deep/deeper/file")
            try copy(from, to)
            #expect(try FileDescriptor.open("\(to)/link").readAll() == bytes)
            let attributes = try FileManager.default.attributesOfItem(atPath: "\(to)/deep/deeper/file")
            #expect(attributes[.posixPermissions] as? Int == 0o600)
            #expect(Mounts.target(ofLink: "\(to)/link") == "deep/deeper/file")
        }
    }

    @Test func `a link leads out of neither folder`() throws {
        try withFolders { from, to in
            try Directory.make("\(from)/outside")
            try Mounts.link("\(from)/escape", to: "/etc")
            // What is to be a folder is a link where it is to come.
            try Mounts.link("\(to)/outside", to: "\(from)")
            #expect(throws: SystemError.self) { try copy(from, to) }
            try Directory.unlink("\(to)/outside")
            if Mounts.target(ofLink: "\(to)/escape") != nil { try Directory.unlink("\(to)/escape") }
            try copy(from, to)
            #expect(Mounts.target(ofLink: "\(to)/escape") == "/etc")
        }
    }

    @Test func `folders that lie too deep are an error`() throws {
        try withFolders { from, to in
            try Directory.make(from + String(repeating: "/d", count: 100))
            #expect(throws: SystemError.self) { try copy(from, to) }
        }
    }
}
