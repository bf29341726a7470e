import Linux
import Testing

struct SpawnTests {
    @Test func `arguments, environment and descriptors are what was given, and nothing else`() throws {
        let pipe = try DescriptorPair.pipe()
        let null = try FileDescriptor.open("/dev/null", .readingWriting)
        let stray = try FileDescriptor.open("/dev/null")
        var spawn = Spawn(name: "sh")
        spawn.arguments = ["-c", "echo $0 $1 $NAME; ls /proc/self/fd | tr '\\n' ' '", "zero", "one"]
        spawn.environment = ["NAME=value", "PATH=/usr/bin:/bin"]
        spawn.descriptors = [null.rawValue, pipe.second.rawValue, pipe.second.rawValue]
        let process = try spawn.start(try FileDescriptor.open("/bin/sh"))
        try pipe.second.close()
        let output = String(decoding: try pipe.first.readAll(), as: UTF8.self)
        // The fourth is the folder that `ls` reads.
        #expect(output == "zero one value\n0 1 2 3 ")
        #expect(try process.wait().status == 0)
        #expect(stray.rawValue > 2)
    }

    @Test func `descriptors may change places`() throws {
        let first = try DescriptorPair.pipe()
        let second = try DescriptorPair.pipe()
        let null = try FileDescriptor.open("/dev/null", .readingWriting)
        var spawn = Spawn(name: "sh")
        spawn.arguments = ["-c", "echo one >&1; echo two >&2"]
        spawn.descriptors = [null.rawValue, first.second.rawValue, second.second.rawValue]
        let process = try spawn.start(try FileDescriptor.open("/bin/sh"))
        try first.second.close()
        try second.second.close()
        #expect(try first.first.readAll() == Array("one\n".utf8))
        #expect(try second.first.readAll() == Array("two\n".utf8))
        _ = try process.wait()
    }

    @Test func `a file that is no program is reported with the kernel's reason`() throws {
        let file = try FileDescriptor.open("/etc/passwd")
        let error = #expect(throws: SpawnError.self) { _ = try Spawn(name: "passwd").start(file).pid() }
        #expect(error?.stage == .execute)
        #expect(error?.description == "cannot start passwd: execveat: Permission denied (EACCES)")
    }

    @Test func `a descriptor that is not open is reported as such`() throws {
        var spawn = Spawn(name: "true")
        spawn.descriptors = [900]
        let error = #expect(throws: SpawnError.self) {
            _ = try spawn.start(try FileDescriptor.open("/bin/true")).pid()
        }
        #expect(error?.stage == .placeDescriptors)
    }

    @Test(.enabled(if: CurrentProcess.isRoot, "only root may make namespaces everywhere"))
    func `a sandboxed process is root of its own namespaces and nobody outside`() throws {
        let pipe = try DescriptorPair.pipe()
        let null = try FileDescriptor.open("/dev/null", .readingWriting)
        var spawn = Spawn(name: "sh")
        spawn.arguments = ["-c", "id -u; echo $$; id -G; cat"]
        spawn.environment = ["PATH=/usr/bin:/bin"]
        let held = try DescriptorPair.pipe()
        spawn.descriptors = [held.first.rawValue, pipe.second.rawValue, null.rawValue]
        spawn.namespaces = [.sandbox, .network]
        let process = try spawn.start(try FileDescriptor.open("/bin/sh"))
        try pipe.second.close()
        let status = "/proc/\(try process.pid())/status"
        let ids = String(decoding: try FileDescriptor.open(status).readAll(), as: UTF8.self)
            .split(separator: "\n").first { $0.hasPrefix("Uid:") }
        #expect(ids == "Uid:\t65534\t65534\t65534\t65534")
        try held.second.close()
        #expect(String(decoding: try pipe.first.readAll(), as: UTF8.self) == "0\n1\n0\n")
        _ = try process.wait()
    }

    @Test func `how a process ended and what it used are told once`() throws {
        var spawn = Spawn(name: "sh")
        spawn.arguments = ["-c", "kill -SEGV $$"]
        let process = try spawn.start(try FileDescriptor.open("/bin/sh"))
        let ending = try process.wait()
        #expect(ending.signal == Signals.segmentation)
        #expect(ending.residentBytesMax > 0)
        #expect(throws: SystemError.self) { _ = try process.wait() }
        try process.kill()
    }

    @Test func `a process can be watched, metered and killed by its handle`() throws {
        let held = try DescriptorPair.pipe()
        let null = try FileDescriptor.open("/dev/null", .readingWriting)
        var spawn = Spawn(name: "cat")
        spawn.descriptors = [held.first.rawValue, null.rawValue, null.rawValue]
        let process = try spawn.start(try FileDescriptor.open("/bin/cat"))
        let pid = try process.pid()
        #expect(try process.endingIfEnded() == nil)
        #expect(Clock.processCPUNanoseconds(pid: pid) != nil)
        let memory = try #require(ProcessMemory.of(pid: pid))
        #expect(memory.residentBytesMax >= memory.residentBytes)
        #expect((ProcessMemory.privateBytes(pid: pid) ?? 0) > 0)
        try process.kill()
        #expect(try process.wait().signal == Signals.kill)
        #expect(Clock.processCPUNanoseconds(pid: pid) == nil)
        #expect(ProcessMemory.of(pid: pid) == nil)
    }
}
