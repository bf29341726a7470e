package import Linux

/// The namespaces in which one Python worker's program lives with all that it forks: processes, mounts with a `/tmp`, shared
/// memory and a network of its own, where that has no way out.
///
/// ```
/// P first process of the zygote's pid namespace ── fork ──► Z the zygote: the author's code
/// │  with power, reads no byte of the author's     │
/// └─ fork into namespaces ──► H keeps the cell     └─ setns, fork ──► U the program, in H's namespaces
/// ```
///
/// When its ``tie`` is closed, by hand or by the worker's end, H ends, and with it whatever lives in the cell.
package struct Cell: ~Copyable {
    /// In the order of ``kinds``.
    package let namespaces: [SharedDescriptor]
    private let tie: FileDescriptor

    fileprivate static let kinds = ["pid", "mnt", "ipc", "net"]

    /// Refuses a process that is not in all of the cell's namespaces, that keeps the cell, or that has any power.
    ///
    /// - Parameter pid: as this process's own `/proc` has it.
    package func check(_ pid: Int32) throws(SystemError) {
        for (kind, namespace) in zip(Self.kinds, namespaces) {
            let its = try FileIdentity(ofPath: "/proc/\(pid)/ns/\(kind)")
            let own = try FileIdentity(of: namespace.descriptor)
            guard its.device == own.device, its.inode == own.inode else {
                throw SystemError(call: "Runtime.Unknown: the program is not in its cell's \(kind) namespace", code: 0)
            }
        }
        let status = try ProcessStatus(of: pid)
        guard status.innermostNumber != 1, !status.hasCapabilities else {
            throw SystemError(call: "Runtime.Unknown: the program has not given up its power", code: 0)
        }
    }
}

/// Makes cells, one for each order, which are handed over when somebody asks for one; a process without a byte of an author's.
///
/// Cells are ordered before they are needed. A cell that waits keeps its descriptors to itself: the kernel counts what lies
/// in sockets for all processes of a user together, so that resting functions would keep others from sending any.
struct CellBuilder {
    let tmpBytesMax: UInt64
    /// A way out is one for all cells.
    let sharesNetwork: Bool
    /// What a process that only waits is under.
    let filter: SystemCallFilter

    /// Cells come in one message each: a byte and their descriptors, or a sentence.
    fileprivate static let made = UInt8(ascii: "C")
    fileprivate static let refused = UInt8(ascii: "E")
    fileprivate static let messageBytesMax = 1024

    /// Serves orders until a child, the zygote, has ended, or nobody orders any more; answers the zygote's status.
    ///
    /// - Parameter requests: where cells that are made wait to be asked for.
    func serve(
        _ orders: consuming FileDescriptor,
        handingOver requests: consuming FileDescriptor,
        until zygote: Int32
    ) throws(SystemError) -> Int32 {
        let endings = try NestedProcess.watchChildren()
        while true {
            while let ending = NestedProcess.endingOfEnded() {
                if ending.child == zygote { return ending.status }
            }
            let happened = try FileDescriptor.waitReadable(
                [orders.rawValue, endings.rawValue],
                timeoutMilliseconds: nil
            )
            if happened & 2 != 0 { _ = try endings.readAvailable(countMax: 4096) }
            if happened & 1 != 0, try !obey(orders, requests) { return 0 }
        }
    }

    /// Makes one cell; false at the end of orders.
    private func obey(
        _ orders: borrowing FileDescriptor,
        _ requests: borrowing FileDescriptor
    ) throws(SystemError) -> Bool {
        guard try orders.receiveMessage(bytesMax: 1) != nil else { return false }
        do throws(SystemError) {
            let kinds: Namespaces = [.process, .mount, .interprocess]
            if case .child = try NestedProcess.fork(into: sharesNetwork ? kinds : [kinds, .network]) {
                keep(requests)
            }
        } catch {
            try Self.refuse(error, requests)
        }
        return true
    }

    /// Answers whoever asks, or whoever asks next.
    private static func refuse(_ error: SystemError, _ socket: borrowing FileDescriptor) throws(SystemError) {
        _ = try socket.receiveMessageAvailable(bytesMax: 1)
        let sentence = Array("\(error)".utf8.prefix(messageBytesMax - 1))
        try socket.sendMessage([refused] + sentence)
    }

    /// The life of a cell's first process.
    private func keep(_ requests: borrowing FileDescriptor) -> Never {
        do throws(SystemError) {
            let pipe = try DescriptorPair.pipe()
            try fill()
            var namespaces: [SharedDescriptor] = []
            for kind in Cell.kinds {
                namespaces.append(SharedDescriptor(try FileDescriptor.open("/proc/self/ns/\(kind)")))
            }
            try Confinement.dropCapabilities()
            NestedProcess.ignoreChildren()
            let numbers = namespaces.map { $0.descriptor.rawValue } + [pipe.second.rawValue]
            // One of the cells that wait hears each request.
            guard try requests.receiveMessage(bytesMax: 1) != nil else { CurrentProcess.exit(0) }
            try requests.sendMessage([Self.made], descriptors: numbers)
            try NestedProcess.keepOnly([pipe.first.rawValue])
            try filter.load()
            // Nobody writes: this is the end of the tie.
            _ = try FileDescriptor(owning: 0).read(countMax: 1)
        } catch {
            try? Self.refuse(error, requests)
        }
        CurrentProcess.exit(0)
    }

    /// What the cell has of its own: `/proc`, `/tmp` with what the import left in the zygote's, numbers, and 127.0.0.1.
    private func fill() throws(SystemError) {
        let imported = try FileDescriptor.open("/tmp", [.directory])
        try Mounts.processes(at: "/proc")
        try Jail.mountTmp(bytesMax: tmpBytesMax)
        try Directory.copy(from: imported, to: try FileDescriptor.open("/tmp", [.directory]))
        // Libraries find out by their number that they have been forked: it shall not be the zygote's again, which is small.
        try Namespaces.setLastProcessNumber(Int32.random(in: 1000..<20_000))
        if !sharesNetwork { try Namespaces.bringUpLoopback() }
    }
}

/// The other end of a ``CellBuilder``.
package struct CellQueue: Sendable {
    private let orders: SharedDescriptor
    private let requests: SharedDescriptor
    /// How long a cell may take; nobody else is waited for.
    private static let patienceMilliseconds = 5000

    /// - Parameters: the other ends of the sockets that a program is started with, ``JailedProgram/start(_:buildingCellsFor:under:)``.
    package init(orders: consuming FileDescriptor, requests: consuming FileDescriptor) {
        self.orders = SharedDescriptor(orders)
        self.requests = SharedDescriptor(requests)
    }

    /// Orders one more.
    package func order() throws(SystemError) {
        try orders.descriptor.sendMessage([CellBuilder.made])
    }

    /// Orders one for whoever comes next, and takes the one that has waited longest.
    ///
    /// Safe to call in several forks at once: each message goes to one of them.
    package func take() throws(SystemError) -> Cell {
        try order()
        try requests.descriptor.sendMessage([CellBuilder.made])
        let end = Clock.monotonicNanoseconds() + UInt64(Self.patienceMilliseconds) * 1_000_000
        while Clock.monotonicNanoseconds() < end {
            let arrival = try requests.descriptor.receiveMessageAvailable(
                bytesMax: CellBuilder.messageBytesMax,
                descriptorsMax: Cell.kinds.count + 1
            )
            switch consume arrival {
            case .message(let message): return try Cell(message)
            case .end: throw SystemError(call: "Runtime.Unknown: the process that makes cells has ended", code: 0)
            case .nothing:
                _ = try FileDescriptor.waitReadable([requests.descriptor.rawValue], timeoutMilliseconds: 100)
            }
        }
        throw SystemError(call: "Runtime.Unknown: no cell was made within \(Self.patienceMilliseconds) ms", code: 0)
    }
}

extension Cell {
    fileprivate init(_ message: consuming Message) throws(SystemError) {
        guard message.bytes.first == CellBuilder.made, message.descriptorCount == Self.kinds.count + 1 else {
            let sentence = String(decoding: message.bytes.dropFirst(), as: UTF8.self)
            throw SystemError(call: "Runtime.Unknown: no cell could be made: \(sentence)", code: 0)
        }
        var namespaces: [SharedDescriptor] = []
        while message.descriptorCount > 1, let namespace = message.takeDescriptor() {
            namespaces.append(SharedDescriptor(namespace))
        }
        guard let tie = message.takeDescriptor() else {
            throw SystemError(call: "Runtime.Unknown: a cell came without its tie", code: 0)
        }
        self.namespaces = namespaces
        self.tie = tie
    }

    /// From here on the cell lives as long as this process; its namespaces can be let go of.
    package consuming func tieToThisProcess() {
        _ = tie.take()
    }
}
