import Linux
import Sandboxing
import Serving
import Wire

/// The Python process that has imported the handler, and is forked for every worker.
///
/// It has run the author's code, so nothing that it says is believed: who a worker is, the kernel says.
final class Zygote {
    private static let interpreter = "/usr/bin/python3"
    private static let packetBytesMax = 64 * 1024

    private let orders: FileDescriptor
    /// The first process of its pid namespace.
    private let process: ProcessHandle
    private let pid: Int32
    private let cells: CellQueue
    private var tokens: UInt32 = 0
    /// Cells that wait for the next workers: one is used while the other is made.
    private static let cellsAhead = 2

    /// Starts it and waits until the handler is imported.
    init(_ order: ProgramOrder) throws(LoadFailure) {
        do throws(SystemError) {
            let pair = try DescriptorPair.sequencedSockets()
            orders = pair.first
            let theirs = pair.second
            var program = order.program(
                Self.interpreter,
                arguments: ["\(Jail.runtimeFolder)/python", order.image.handler],
                adding: ["PYTHONDONTWRITEBYTECODE=1"]
            )
            // It is in no worker's group. Address space counts here, used or not: its forks shall meet their group's limit first.
            program.dataBytesMax = 4 * min(order.boot.memoryBytesMax, 1 << 50)
            program.sharesNetwork = order.settings.egress != nil
            let cellOrders = try DescriptorPair.sequencedSockets()
            let cellRequests = try DescriptorPair.sequencedSockets()
            cells = CellQueue(orders: cellOrders.first, requests: cellRequests.first)
            let builders = cellOrders.second
            let keepers = cellRequests.second
            pid = try program.start(
                [0, 2, 2, theirs.rawValue],
                buildingCellsFor: [builders.rawValue, keepers.rawValue],
                under: order.filter
            )
            process = try ProcessHandle(pid: pid)
        } catch {
            throw LoadFailure(message: "Runtime.Unknown: Python could not be started: \(error)")
        }
        try awaitImport(milliseconds: Int(order.settings.initMilliseconds))
        do throws(SystemError) {
            // Not before: what the import has left in /tmp is in each.
            for _ in 0..<Self.cellsAhead { try cells.order() }
        } catch {
            throw LoadFailure(message: "Runtime.Unknown: no cell could be ordered: \(error)")
        }
    }

    private func awaitImport(milliseconds: Int) throws(LoadFailure) {
        let packet: [UInt8]
        do throws(SystemError) {
            let happened = try FileDescriptor.waitReadable(
                [orders.rawValue, process.descriptor.rawValue],
                timeoutMilliseconds: milliseconds
            )
            guard happened != 0 else {
                let sentence = "the handler was not imported within \(milliseconds) ms (limits.init)"
                throw SystemError(call: sentence, code: 0)
            }
            packet = try orders.receive(countMax: Self.packetBytesMax).bytes
        } catch {
            guard error.code == 0 else { throw LoadFailure(message: "Runtime.Unknown: \(error)") }
            throw LoadFailure(message: "Sandbox.Timedout: \(error.call)")
        }
        switch packet.first {
        case UInt8(ascii: "R") where packet.count == 1:
            return
        case UInt8(ascii: "E"):
            throw LoadFailure(message: ErrorDocument(body: Array(packet.dropFirst()), type: nil).sentence)
        case nil:
            throw LoadFailure(message: ExitSentence.text(of: pid, during: nil))
        default:
            throw LoadFailure(message: "Runtime.Unknown: the handler's process sent what is no report")
        }
    }

    /// Orders a fork that serves the other end of a call socket in a cell of its own; called in a fork of the template.
    ///
    /// - Parameter groups: the `tasks` files that it joins.
    func fork(serving calls: borrowing FileDescriptor, joining groups: [Int32]) throws(SystemError) -> Cell {
        // Reports of workers that have ended, which nobody waits for: they would fill the socket.
        drain()
        tokens = UInt32(truncatingIfNeeded: CurrentProcess.pid)
        let cell = try cells.take()
        let namespaces = cell.namespaces.map { $0.descriptor.rawValue }
        let token = [0, 8, 16, 24].map { UInt8(truncatingIfNeeded: tokens >> $0) }
        let packet = [UInt8(ascii: "F")] + token + [UInt8(namespaces.count)]
        try orders.sendMessage(packet, descriptors: [calls.rawValue, 2] + namespaces + groups)
        return cell
    }

    /// How a worker of this process ended, where its report comes soon.
    func exitStatus(milliseconds: Int) -> Int32? {
        let end = Clock.monotonicNanoseconds() + UInt64(milliseconds) * 1_000_000
        while Clock.monotonicNanoseconds() < end {
            let happened = try? FileDescriptor.waitReadable([orders.rawValue], timeoutMilliseconds: milliseconds)
            guard happened == 1, let packet = try? orders.receive(countMax: Self.packetBytesMax).bytes,
                packet.count == 9, packet[0] == UInt8(ascii: "X")
            else { return nil }
            func word(_ start: Int) -> UInt32 {
                packet[start..<start + 4].reversed().reduce(0) { $0 << 8 | UInt32($1) }
            }
            if word(1) == tokens { return Int32(bitPattern: word(5)) }
        }
        return nil
    }

    private func drain() {
        while true {
            guard let arrival = try? orders.receiveMessageAvailable(bytesMax: Self.packetBytesMax, descriptorsMax: 0)
            else { return }
            switch consume arrival {
            case .message: continue
            case .nothing: return
            case .end: return
            }
        }
    }
}
