import Foundation
import Testing

@testable import Linux

struct PageCacheTests {
    @Test func `a file that was read is in memory, and gone from there when it was dropped`() throws {
        // Beside this file's build, not in a temporary folder that may lie in memory.
        let path = FileManager.default.currentDirectoryPath + "/.build/page-cache-\(UUID().uuidString)"
        defer { try? FileManager.default.removeItem(atPath: path) }
        try Data(repeating: 1, count: 1 << 20).write(to: URL(fileURLWithPath: path))
        let file = try FileDescriptor.open(path)
        #expect(try PageCache.residentBytes(of: file) == 1 << 20)
        try file.sync()
        try PageCache.drop(file)
        #expect(try PageCache.residentBytes(of: file) == 0)
    }

    @Test func `a fork's private memory and page tables are told apart`() throws {
        let memory = try #require(ProcessMemory.of(pid: CurrentProcess.pid))
        #expect(memory.pageTableBytes > 0)
        #expect(memory.pageTableBytes < memory.anonymousBytes)
        #expect(memory.anonymousBytes <= memory.residentBytesMax + memory.pageTableBytes)
    }

    @Test func `freed memory goes back to the kernel`() throws {
        let before = try #require(ProcessMemory.of(pid: CurrentProcess.pid)).anonymousBytes
        // Small pieces, so that they come from the heap and not from mappings of their own; the last one stays, so that
        // the others do not lie at the heap's end.
        var pieces: [[UInt8]?] = (0..<20_000).map { _ in [UInt8](repeating: 1, count: 4000) }
        let full = try #require(ProcessMemory.of(pid: CurrentProcess.pid)).anonymousBytes
        #expect(full > before + 40 << 20)
        let last = pieces.popLast()
        pieces = []
        Heap.giveBack()
        let after = try #require(ProcessMemory.of(pid: CurrentProcess.pid)).anonymousBytes
        #expect(after < full - 40 << 20)
        #expect(last != nil)
    }
}
