import Linux
import Testing

@Suite(.serialized) struct MemoryGroupsTests {
    @Test func `the unified hierarchy comes first, the own group before the mount's root`() {
        let mounts = """
            tmpfs /sys/fs/cgroup tmpfs rw 0 0
            cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0
            cgroup /sys/fs/cgroup/cpu cgroup rw,relatime,cpu 0 0
            cgroup2 /sys/fs/cgroup/unified cgroup2 rw,relatime 0 0
            """
        let memberships = "5:cpu:/\n4:memory:/a/b\n0::/"
        #expect(
            MemoryHierarchy.candidates(mounts: mounts, memberships: memberships) == [
                MemoryHierarchy(dialect: .v2, folders: ["/sys/fs/cgroup/unified"]),
                MemoryHierarchy(dialect: .v1, folders: ["/sys/fs/cgroup/memory/a/b", "/sys/fs/cgroup/memory"]),
            ]
        )
    }

    @Test(arguments: ["", "\n\n", "cgroup2", "cgroup2 / cgroup2", ":::", "0::"])
    func `a listing that says nothing gives no candidates`(text: String) {
        #expect(MemoryHierarchy.candidates(mounts: text, memberships: text) == [])
    }

    @Test(.enabled(if: CurrentProcess.isRoot, "only root may make memory groups here"))
    func `a process beyond its group's limit is killed, and the group says so`() throws {
        let groups = try #require(MemoryGroups.make(), "this machine has no memory groups")
        let group = try groups.take(limitBytes: 32 << 20)
        #expect(group.killCount() == 0)
        let process = try eater(megabytes: 200, in: group)
        #expect(try process.wait().signal == Signals.kill)
        #expect(group.killCount() == 1)
        #expect((group.peakBytes() ?? 0) > 30 << 20)
        groups.giveBack(group)

        let again = try groups.take(limitBytes: 512 << 20)
        #expect(again.path == group.path, "a group that was given back is used again")
        #expect((again.peakBytes() ?? .max) < 8 << 20)
        #expect(try eater(megabytes: 100, in: again).wait().status == 0)
        #expect((again.peakBytes() ?? 0) > 100 << 20)
        #expect(again.killCount() == 1)
        groups.giveBack(again)
        groups.close()
        #expect((try? FileIdentity(ofPath: groups.path)) == nil, "nothing is left behind")
    }

    @Test(.enabled(if: CurrentProcess.isRoot, "only root may make memory groups here"))
    func `a group is prepared before it is wanted, and again when it comes back`() throws {
        let groups = try #require(MemoryGroups.make(), "this machine has no memory groups")
        groups.keepPrepared(limitBytes: 32 << 20)
        groups.keepPrepared(limitBytes: 32 << 20)
        let group = try groups.take(limitBytes: 32 << 20)
        #expect(group.preparedLimitBytes == 32 << 20)
        #expect(try eater(megabytes: 200, in: group).wait().signal == Signals.kill)
        #expect(group.wasExceeded)
        groups.giveBack(group)
        #expect(group.preparedLimitBytes == 32 << 20 && !group.wasExceeded)
        #expect((group.peakBytes() ?? .max) < 8 << 20)
        #expect(try groups.take(limitBytes: 32 << 20).path == group.path)
        groups.close()
    }

    /// A process that fills memory and exits with 0.
    private func eater(megabytes: Int, in group: MemoryGroup) throws -> ProcessHandle {
        let null = try FileDescriptor.open("/dev/null", .readingWriting)
        var spawn = Spawn(name: "dd")
        spawn.arguments = ["if=/dev/zero", "of=/dev/null", "count=1", "bs=\(megabytes)M"]
        spawn.descriptors = [null.rawValue, null.rawValue, null.rawValue]
        spawn.memoryGroupTasks = group.tasks.rawValue
        return try spawn.start(try FileDescriptor.open("/bin/dd"))
    }
}
