import CLinux
import Glibc

/// What arrived in one message: its bytes, and descriptors that are ours now.
package struct Message: ~Copyable, Sendable {
    package let bytes: [UInt8]
    private var waiting: [Int32]

    fileprivate init(bytes: [UInt8], descriptors: [Int32]) {
        self.bytes = bytes
        waiting = descriptors
    }

    deinit {
        for number in waiting {
            _ = Glibc.close(number)
        }
    }

    /// Descriptors that nobody has taken yet; they are closed with the message.
    package var descriptorCount: Int { waiting.count }

    /// Takes over the descriptors in the order in which they were attached.
    package mutating func takeDescriptor() -> FileDescriptor? {
        guard !waiting.isEmpty else { return nil }
        return FileDescriptor(owning: waiting.removeFirst())
    }
}

extension FileDescriptor {
    /// Sends one message with descriptors attached, which stay the caller's too.
    package func sendMessage(_ bytes: [UInt8], descriptors: [Int32] = []) throws(SystemError) {
        let number = rawValue
        _ = try checked("sendmsg") {
            unsafe thaw_send_message(number, bytes, bytes.count, descriptors, Int32(descriptors.count))
        }
    }

    /// As ``sendMessage(_:descriptors:)``; `false` where a non-blocking socket has no room.
    package func sendMessageAvailable(_ bytes: [UInt8], descriptors: [Int32] = []) throws(SystemError) -> Bool {
        let number = rawValue
        let sent = try checkedUnlessBlocked("sendmsg") {
            unsafe thaw_send_message(number, bytes, bytes.count, descriptors, Int32(descriptors.count))
        }
        return sent != nil
    }

    /// Waits for one message; `nil` at the end of the connection.
    ///
    /// A message or a set of descriptors beyond the limits is `EMSGSIZE`, and its descriptors are closed. An empty
    /// message cannot be told from the end: nobody sends one.
    package func receiveMessage(bytesMax: Int, descriptorsMax: Int = 0) throws(SystemError) -> Message? {
        let message = try receive(bytesMax, descriptorsMax, waits: true)
        guard let message, !message.bytes.isEmpty else { return nil }
        return message
    }

    /// What can be received without waiting.
    package enum Arrival: ~Copyable {
        case message(Message)
        case nothing
        case end
    }

    /// As ``receiveMessage(bytesMax:descriptorsMax:)``, but never waits.
    package func receiveMessageAvailable(bytesMax: Int, descriptorsMax: Int = 0) throws(SystemError) -> Arrival {
        guard let message = try receive(bytesMax, descriptorsMax, waits: false) else { return .nothing }
        return message.bytes.isEmpty ? .end : .message(message)
    }

    private func receive(_ bytesMax: Int, _ descriptorsMax: Int, waits: Bool) throws(SystemError) -> Message? {
        let number = rawValue
        var descriptors = [Int32](repeating: -1, count: descriptorsMax)
        var descriptorCount: Int32 = 0
        var bytes = [UInt8](repeating: 0, count: bytesMax)
        let received = try checkedUnlessBlocked("recvmsg") {
            unsafe thaw_receive_message(
                number,
                &bytes,
                bytesMax,
                &descriptors,
                Int32(descriptorsMax),
                &descriptorCount,
                waits ? 0 : 1
            )
        }
        guard let received else { return nil }
        bytes.removeLast(bytes.count - received)
        return Message(bytes: bytes, descriptors: Array(descriptors.prefix(Int(descriptorCount))))
    }
}
