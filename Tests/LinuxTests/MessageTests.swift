import Linux
import Testing

struct MessageTests {
    @Test func `a message arrives whole, with its descriptors`() throws {
        let pair = try DescriptorPair.sequencedSockets()
        let file = try FileDescriptor.memoryFile("passed")
        try file.pwrite([1, 2, 3], at: 0)
        try pair.first.sendMessage([7, 8], descriptors: [file.rawValue, file.rawValue])
        try pair.first.sendMessage([9])
        var message = try next(pair.second)
        #expect(message.bytes == [7, 8])
        #expect(message.descriptorCount == 2)
        guard let passed = message.takeDescriptor() else { throw Missing() }
        #expect(try passed.pread(count: 3, at: 0) == [1, 2, 3])
        #expect(passed.rawValue != file.rawValue)
        let other = try next(pair.second)
        #expect(other.bytes == [9])
        #expect(other.descriptorCount == 0)
    }

    @Test func `descriptors that nobody takes are closed with the message`() throws {
        let pair = try DescriptorPair.sequencedSockets()
        let pipe = try DescriptorPair.pipe()
        try pair.first.sendMessage([1], descriptors: [pipe.second.rawValue])
        try pipe.second.close()
        do {
            let message = try next(pair.second)
            #expect(message.descriptorCount == 1)
        }
        // The pipe has lost its last writer: reading meets the end instead of waiting.
        #expect(try pipe.first.read(countMax: 1) == [])
    }

    @Test func `a message beyond the limits is refused and its descriptors closed`() throws {
        let pair = try DescriptorPair.sequencedSockets()
        let pipe = try DescriptorPair.pipe()
        try pair.first.sendMessage([1, 2, 3], descriptors: [pipe.second.rawValue])
        try pair.first.sendMessage([1], descriptors: [pipe.second.rawValue, pipe.second.rawValue])
        try pipe.second.close()
        #expect(throws: SystemError.self) {
            _ = try pair.second.receiveMessage(bytesMax: 2, descriptorsMax: 1)?.bytes
        }
        #expect(throws: SystemError.self) {
            _ = try pair.second.receiveMessage(bytesMax: 10, descriptorsMax: 1)?.bytes
        }
        #expect(try pipe.first.read(countMax: 1) == [])
    }

    @Test func `the end, nothing yet and a message are told apart`() throws {
        let pair = try DescriptorPair.sequencedSockets()
        #expect(try arrival(pair.second) == "nothing")
        try pair.first.sendMessage([1])
        #expect(try arrival(pair.second) == "message [1]")
        try pair.first.close()
        // Waits: for an instant a process that another test starts may hold a copy of the other end.
        #expect(try pair.second.receiveMessage(bytesMax: 10)?.bytes == nil)
        #expect(try arrival(pair.second) == "end")
    }

    @Test func `sending to a socket whose other end is gone is an error, not a signal`() throws {
        let pair = try DescriptorPair.sequencedSockets()
        let first = pair.first
        try pair.second.close()
        let error = #expect(throws: SystemError.self) { try first.sendMessage([1]) }
        #expect(error?.code == SystemError.brokenPipe)
    }

    private struct Missing: Error {}

    private func next(_ socket: borrowing FileDescriptor) throws -> Message {
        guard let message = try socket.receiveMessage(bytesMax: 100, descriptorsMax: 4) else { throw Missing() }
        return message
    }

    private func arrival(_ socket: borrowing FileDescriptor) throws -> String {
        switch try socket.receiveMessageAvailable(bytesMax: 10) {
        case .nothing: "nothing"
        case .end: "end"
        case .message(let message): "message \(message.bytes)"
        }
    }
}
