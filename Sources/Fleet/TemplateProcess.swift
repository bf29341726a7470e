import Linux
import Scheduling
import Wire

/// One template, as the fleet talks to it.
///
/// Orders may be sent from any thread: each is one packet.
final class TemplateProcess: Sendable {
    let id: TemplateID
    /// The scheduler's end of the control socket; non-blocking.
    let control: FileDescriptor

    init(id: TemplateID, control: consuming FileDescriptor) {
        self.id = id
        self.control = control
    }

    func boot(
        _ boot: TemplateBoot,
        snapshot: borrowing FileDescriptor,
        bases: [SharedDescriptor],
        secrets: Int32? = nil
    ) throws(TemplateError) {
        var descriptors = [snapshot.rawValue] + bases.map { $0.descriptor.rawValue }
        if let secrets { descriptors.append(secrets) }
        precondition(
            descriptors.count <= WireLimits.descriptorsMax,
            "a snapshot has no more bases than a message holds"
        )
        try send(TemplateOrder.boot(boot).encoded(), descriptors)
    }

    /// Orders a fork that serves the far end of a channel; the template's report brings its pidfd.
    ///
    /// The message holds copies of the descriptors. One that no call waits for warms itself up first.
    func fork(
        worker: UInt32,
        isAhead: Bool,
        channel: borrowing ChannelEnds,
        memory: MemoryAllowance?
    ) throws(TemplateError) {
        var descriptors = [channel.doorbell.rawValue, channel.rings.rawValue]
        if let memory { descriptors.append(memory.tasks) }
        if let processor = memory?.processorTasks { descriptors.append(processor) }
        try send(TemplateOrder.fork(worker: worker, isAhead: isAhead).encoded(), descriptors)
    }

    func reap(worker: UInt32) throws(TemplateError) {
        try send(TemplateOrder.reap(worker: worker).encoded(), [])
    }

    /// Some hundred orders fit the socket: a template that has not read them is not going to.
    private func send(_ order: [UInt8], _ descriptors: [Int32]) throws(TemplateError) {
        let isSent: Bool
        do throws(SystemError) {
            isSent = try control.sendMessageAvailable(order, descriptors: descriptors)
        } catch {
            throw .unreachable(error)
        }
        guard isSent else { throw .isDeaf }
    }
}

/// Why a template was not given an order.
enum TemplateError: Error, CustomStringConvertible {
    /// Its socket is full of orders that it has not read.
    case isDeaf
    case unreachable(SystemError)

    var description: String {
        switch self {
        case .isDeaf: "its template does not read its orders"
        case .unreachable(let error): "its template cannot be reached: \(error)"
        }
    }
}
