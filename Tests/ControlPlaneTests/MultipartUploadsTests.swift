import Foundation
import Testing

@testable import ControlPlane

struct MultipartUploadsTests {
    private static let start = Date(timeIntervalSince1970: 1_800_000_000)

    private func part(_ name: String, _ byteCount: Int) -> CodeStore.Part {
        CodeStore.Part(path: "/nowhere/\(name)", archive: CodeStore.Archive(name: name, byteCount: byteCount))
    }

    @Test func `parts come in any order, a number again replaces, and all together have a bound`() throws {
        var uploads = MultipartUploads()
        #expect(try uploads.begin("u", key: "k", at: Self.start).isEmpty)
        func add(_ name: String, _ byteCount: Int, _ number: Int) throws(PartRefusal) -> CodeStore.Part? {
            try uploads.add(part(name, byteCount), number: number, to: "u", key: "k", bytesMax: 10, at: Self.start)
        }
        #expect(try add("b", 6, 2) == nil && add("a", 4, 1) == nil)
        #expect(throws: PartRefusal.tooLarge) { try add("c", 1, 3) }
        #expect(try add("b2", 5, 2) == part("b", 6))
        #expect(try uploads.room(in: "u", key: "k", number: 3, bytesMax: 10) == 1)
        #expect(try uploads.parts(of: "u", key: "k", named: [(1, "a"), (2, "b2")]).map(\.archive.name) == ["a", "b2"])
        #expect(throws: PartRefusal.unknownPart(2)) { try uploads.parts(of: "u", key: "k", named: [(2, "b")]) }
        #expect(throws: PartRefusal.outOfOrder) { try uploads.parts(of: "u", key: "k", named: [(2, "b2"), (1, "a")]) }
        #expect(throws: PartRefusal.outOfOrder) { try uploads.parts(of: "u", key: "k", named: []) }
        #expect(throws: PartRefusal.noSuchUpload) { try uploads.end("u", key: "other") }
        #expect(try uploads.end("u", key: "k").count == 2)
        #expect(throws: PartRefusal.noSuchUpload) { try add("late", 1, 1) }
    }

    @Test func `uploads that nobody touches make way after a day, others never`() throws {
        var uploads = MultipartUploads()
        for number in 0..<MultipartUploads.openMax {
            _ = try uploads.begin("\(number)", key: "k", at: Self.start)
        }
        _ = try uploads.add(part("a", 1), number: 1, to: "0", key: "k", bytesMax: 10, at: Self.start)
        #expect(throws: PartRefusal.tooMany) { try uploads.begin("new", key: "k", at: Self.start + 3600) }
        let left = try uploads.begin("new", key: "k", at: Self.start + MultipartUploads.idleSecondsMax + 1)
        #expect(left == [part("a", 1)] && uploads.open.count == 1)
    }
}
