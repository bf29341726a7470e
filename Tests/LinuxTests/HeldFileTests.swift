import Linux
import Testing

@Suite struct HeldFileTests {
    private func withFile(byteCount: Int, _ body: (String) throws -> Void) throws {
        let path = "/tmp/held-\(CurrentProcess.pid)-\(byteCount)"
        let file = try FileDescriptor.open(path, [.writing, .creating, .truncating], permissions: 0o600)
        try file.writeAll([UInt8](repeating: 7, count: byteCount))
        try body(path)
        try Directory.unlink(path)
    }

    @Test func `a held file is in memory to its last page`() throws {
        try withFile(byteCount: 100_001) { path in
            let held = try HeldFile(path: path)
            #expect(try held.residentByteCount() == 25 * Mapping.pageByteCount)
        }
    }

    @Test func `what is not there, or empty, is refused in words`() throws {
        #expect(throws: SystemError.self) { _ = try HeldFile(path: "/nonexistent/snapshot") }
        try withFile(byteCount: 0) { path in
            #expect(throws: SystemError.self) { _ = try HeldFile(path: path) }
        }
    }
}

@Suite struct HugePagesTests {
    @Test(
        arguments: [
            ("always [madvise] never", "THP_enabled:\t1", HugePages.Kind.thp),
            ("[always] madvise never", nil, .thp),
            ("always madvise [never]", "THP_enabled:\t1", .none),
            ("[always] madvise never", "Name:\tthaw\nTHP_enabled:\t0\nThreads:\t1", .none),
            (nil, nil, .none),
        ] as [(String?, String?, HugePages.Kind)]
    )
    func `huge pages are those that the kernel offers this process`(
        enabled: String?,
        status: String?,
        expected: HugePages.Kind
    ) {
        #expect(HugePages.kind(enabled: enabled, status: status) == expected)
    }

    @Test func `a process's own memory is counted without what it maps of files`() throws {
        let memory = try #require(ProcessMemory.of(pid: CurrentProcess.pid))
        #expect(memory.anonymousBytes > 0)
        #expect(memory.anonymousBytes <= memory.residentBytes + 64 << 20)
    }
}
