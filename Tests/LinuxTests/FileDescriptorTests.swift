import Linux
import Testing

struct FileDescriptorTests {
    @Test func `a descriptor is closed with its owner`() throws {
        let number: Int32
        do {
            let file = try FileDescriptor.open("/dev/null")
            number = file.rawValue
            #expect(isOpen(number))
        }
        #expect(!isOpen(number))
    }

    @Test func `a number that was taken stays open`() throws {
        let number = try FileDescriptor.open("/dev/null").take()
        #expect(isOpen(number))
        try FileDescriptor(owning: number).close()
        #expect(!isOpen(number))
    }

    @Test func `an error names the call, the path and the kernel's reason`() throws {
        let error = #expect(throws: SystemError.self) { _ = try FileDescriptor.open("/nowhere/x").rawValue }
        #expect(error?.description == "open /nowhere/x: No such file or directory (ENOENT)")
        #expect(error?.code == SystemError.noSuchFile)
    }

    @Test func `what is written at a place is read from there`() throws {
        let file = try FileDescriptor.memoryFile("test")
        try file.pwrite([1, 2, 3, 4], at: 10)
        #expect(try file.size() == 14)
        #expect(try file.pread(count: 3, at: 11) == [2, 3, 4])
        #expect(try file.pread(count: 100, at: 12) == [3, 4])
        #expect(try file.readAll().count == 14)
    }

    @Test func `reading all refuses more than was agreed`() throws {
        let file = try FileDescriptor.memoryFile("test")
        try file.pwrite([UInt8](repeating: 7, count: 1000), at: 0)
        #expect(throws: SystemError.self) { _ = try file.readAll(countMax: 999) }
    }

    @Test func `a non-blocking pipe says that nothing has come yet`() throws {
        let pipe = try DescriptorPair.pipe()
        try pipe.first.setNonBlocking(true)
        #expect(try pipe.first.readAvailable(countMax: 10) == nil)
        try pipe.second.writeAll([5, 6])
        #expect(try pipe.first.readAvailable(countMax: 10) == [5, 6])
    }

    @Test func `only one open file holds a lock, and gives it back with itself`() throws {
        let path = "/tmp/thaw-lock-\(CurrentProcess.pid)"
        defer { try? Directory.unlink(path) }
        do {
            let first = try FileDescriptor.open(path, [.readingWriting, .creating])
            let second = try FileDescriptor.open(path, .readingWriting)
            #expect(try first.lockExclusively())
            #expect(try !second.lockExclusively())
        }
        #expect(try FileDescriptor.open(path, .readingWriting).lockExclusively())
    }

    @Test func `an identity changes with the content and stays with the file`() throws {
        let file = try FileDescriptor.memoryFile("test")
        let before = try FileIdentity(of: file)
        #expect(try FileIdentity(of: file.duplicate()) == before)
        try file.pwrite([1], at: 0)
        #expect(try FileIdentity(of: file) != before)
    }

    private func isOpen(_ number: Int32) -> Bool {
        (try? FileIdentity(ofPath: "/proc/self/fd/\(number)")) != nil
    }
}
