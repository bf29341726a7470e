package import Linux

/// What a process gives up before it reads a byte that is not ours.
package struct Sandbox: Sendable {
    /// Open files at the same time; what is open already stays.
    package var openFilesMax: UInt64
    /// Processes and threads in the sandbox, this one included.
    package var processesMax: UInt64
    /// Size to which a file may grow; 0 where none is written.
    package var fileBytesMax: UInt64

    /// Far more than the dozen that a role opens, and than the 1024 of an author's program.
    ///
    /// The kernel refuses to send descriptors (ETOOMANYREFS) where those in flight between all processes of the user are more
    /// than the sender's limit: no program shall get that far.
    package static let filesMax: UInt64 = 2048

    /// A template: the control socket, the descriptors of one order, and its forks.
    package static let template = Sandbox(
        openFilesMax: filesMax,
        // Of each fork a second thread, which counts as a process does.
        processesMax: 2 * UInt64(RefusalRecord.slotCount) + 1,
        fileBytesMax: 0
    )

    /// A packer: nine descriptors that it was started with, a single process, one snapshot.
    package static func packer(snapshotBytesMax: UInt64) -> Sandbox {
        Sandbox(openFilesMax: filesMax, processesMax: 1, fileBytesMax: snapshotBytesMax)
    }

    /// Closes the sandbox around this process, which has one thread and is the first of its namespaces.
    ///
    /// Answers the listener on which its refused calls wait: to be sent to the scheduler, then closed.
    package consuming func enter(_ filter: SystemCallFilter) throws(SandboxError) -> FileDescriptor {
        // 0. Where the namespaces are missing, the steps below would change the machine instead of the sandbox.
        guard CurrentProcess.pid == 1 else {
            throw SandboxError("this process is not the first of a pid namespace; thaw serve starts it")
        }
        // 1. No file system: an empty read-only folder is all there is.
        try step("its mounts") { () throws(SystemError) in try Confinement.makeMountsPrivate() }
        try step("its root") { () throws(SystemError) in try Confinement.enterEmptyRoot() }
        // 2. No identity of the machine.
        try step("its host name") { () throws(SystemError) in try Confinement.setHostName("thaw") }
        // 3. Bounds on what it may still make.
        try limit()
        // A crash is a crash: its reporter would need to start a program.
        Signals.forgetCrashHandlers()
        // 4. No way back: what follows cannot be undone by executing a program.
        try step("no new privileges") { () throws(SystemError) in try Confinement.forbidNewPrivileges() }
        // 5. No file, port or signal beyond the sandbox even if a descriptor of a folder had slipped through.
        try step("Landlock") { () throws(SystemError) in _ = try Confinement.denyAllThroughLandlock() }
        // 6. No power inside its own namespaces either.
        try step("its capabilities") { () throws(SystemError) in try Confinement.dropCapabilities() }
        // 7. Nobody of the same user looks inside.
        try step("dumping") { () throws(SystemError) in try Confinement.forbidDumping() }
        // 8. Last, since the steps above make calls that it refuses.
        do throws(SystemError) {
            return try filter.loadWithListener()
        } catch {
            throw SandboxError("its system call filter", error)
        }
    }

    private func limit() throws(SandboxError) {
        let limits: [(Confinement.Resource, UInt64)] = [
            (.openFiles, openFilesMax),
            (.processes, processesMax),
            (.fileBytes, fileBytesMax),
            (.coreBytes, 0),
            (.lockedBytes, 0),
            (.messageQueueBytes, 0),
        ]
        for (resource, value) in limits {
            try step("its limits") { () throws(SystemError) in try Confinement.limit(resource, to: value) }
        }
    }

    private func step(_ name: String, _ act: () throws(SystemError) -> Void) throws(SandboxError) {
        do throws(SystemError) {
            try act()
        } catch {
            throw SandboxError(name, error)
        }
    }
}
