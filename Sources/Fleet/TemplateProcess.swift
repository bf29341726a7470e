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

    func boot(_ boot: TemplateBoot, snapshot: borrowing FileDescriptor) throws(SystemError) {
        try control.sendMessage(TemplateOrder.boot(boot).encoded(), descriptors: [snapshot.rawValue])
    }

    /// Orders a fork that serves `channel`; the template's report brings its pidfd.
    ///
    /// - Parameter channel: the worker's end; the message holds a copy, so ours is closed here.
    func fork(worker: UInt32, channel: consuming FileDescriptor, memory: MemoryAllowance?) throws(SystemError) {
        let order = TemplateOrder.fork(worker: worker).encoded()
        if let memory {
            try control.sendMessage(order, descriptors: [channel.rawValue, memory.tasks])
        } else {
            try control.sendMessage(order, descriptors: [channel.rawValue])
        }
    }

    func reap(worker: UInt32) throws(SystemError) {
        try control.sendMessage(TemplateOrder.reap(worker: worker).encoded())
    }
}
