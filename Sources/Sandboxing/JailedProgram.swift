package import Linux

/// A program of an author's, in a pid and a mount namespace of its own below its jail's.
///
/// ```
/// this process ── fork into namespaces ──► first of its pid namespace: mounts, no power, filter ── fork ──► the program
///                                          waits for all that end, then ends as the program did
/// ```
package struct JailedProgram: Sendable {
    package var path: String
    package var arguments: [String] = []
    /// `NAME=value`; nothing is inherited.
    package var environment: [String]
    /// Bytes of files in its `/tmp`.
    package var tmpBytesMax: UInt64
    /// Its cells are in its jail's network, which has a way out, and not each in one of its own.
    package var sharesNetwork = false
    /// Private writable memory of each of its processes, the backstop where the kernel has no memory groups; nil for no limit.
    package var dataBytesMax: UInt64?

    package init(path: String, environment: [String], tmpBytesMax: UInt64) {
        self.path = path
        self.environment = environment
        self.tmpBytesMax = tmpBytesMax
    }

    /// Processes and threads of one function's programs together.
    private static let processesMax: UInt64 = 512
    private static let filesMax: UInt64 = 1024
    private static let fileBytesMax: UInt64 = 16 << 30
    /// How a program's first process says that it could not be started: as a shell does.
    package static let notStarted: Int32 = 127

    /// Starts it, with these descriptors as 0, 1, 2, …; answers the number of its first process.
    ///
    /// What goes wrong in the fork is said in a line on the third descriptor.
    package func start(_ descriptors: [Int32], under filter: SystemCallFilter) throws(SystemError) -> Int32 {
        switch try NestedProcess.fork(into: [.process, .mount]) {
        case .parent(let child): return child
        case .child: run(descriptors, filter)
        }
    }

    /// As ``start(_:under:)``, of a program that is forked into cells: it may enter those whose namespaces it is handed.
    ///
    /// - Parameter sockets: where the program's first process takes orders for cells, and where they are asked for, see
    ///   ``CellQueue``.
    package func start(
        _ descriptors: [Int32],
        buildingCellsFor sockets: [Int32],
        under filter: SystemCallFilter
    ) throws(SystemError) -> Int32 {
        switch try NestedProcess.fork(into: [.process, .mount]) {
        case .parent(let child): return child
        case .child: run(descriptors, filter, cellSockets: sockets)
        }
    }

    private func run(_ descriptors: [Int32], _ filter: SystemCallFilter, cellSockets: [Int32] = []) -> Never {
        do throws(SystemError) {
            try NestedProcess.dieWithParent()
            try NestedProcess.keepOnly(descriptors + cellSockets)
            try Mounts.processes(at: "/proc")
            try Jail.mountTmp(bytesMax: tmpBytesMax)
            try Mounts.changeFolder(Jail.taskFolder)
            if cellSockets.isEmpty {
                try limit()
                try Confinement.dropCapabilities()
                // The change of capabilities has cleared it.
                try NestedProcess.dieWithParent()
                try filter.load()
            }
            NestedProcess.beginSession()
            switch try NestedProcess.fork(into: []) {
            case .parent(let program):
                if !cellSockets.isEmpty {
                    let first = Int32(descriptors.count)
                    try NestedProcess.keepOnly([first, 2, 2, first + 1])
                    let builder = CellBuilder(tmpBytesMax: tmpBytesMax, sharesNetwork: sharesNetwork, filter: filter)
                    let status = try builder.serve(
                        FileDescriptor(owning: 0),
                        handingOver: FileDescriptor(owning: 3),
                        until: program
                    )
                    CurrentProcess.exit(status)
                }
                try NestedProcess.keepOnly([0, 0, 0])
                CurrentProcess.exit(NestedProcess.waitUntilEnded(program))
            case .child:
                if !cellSockets.isEmpty {
                    try NestedProcess.keepOnly(Array(0..<Int32(descriptors.count)))
                    // Of the program, not of the process that makes cells.
                    try limit()
                    try Confinement.keepCapabilities([.administerNamespaces, .changeRoot])
                    try filter.load()
                }
                try NestedProcess.execute(path, arguments, environment: environment)
            }
        } catch {
            // On the log, where it still is.
            if let log = try? FileDescriptor(owning: 2).duplicate() {
                try? log.writeAll(Array("the program could not be started: \(error)\n".utf8))
            }
        }
        CurrentProcess.exit(Self.notStarted)
    }

    private func limit() throws(SystemError) {
        try Confinement.limit(.openFiles, to: Self.filesMax)
        try Confinement.limit(.processes, to: Self.processesMax)
        try Confinement.limit(.fileBytes, to: Self.fileBytesMax)
        try Confinement.limit(.coreBytes, to: 0)
        try Confinement.limit(.lockedBytes, to: 64 << 10)
        try Confinement.limit(.messageQueueBytes, to: 0)
        if let dataBytesMax { try Confinement.limit(.dataBytes, to: dataBytesMax) }
    }
}
