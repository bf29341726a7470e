import Linux
import Wire

/// Why a channel cannot be read on.
enum ChannelError: Error, Equatable {
    case system(SystemError)
    case contract(WireError)
    /// The end in the middle of a frame.
    case cut
}

/// Takes the scheduler's bytes apart into frames; a small call comes with one read.
struct FrameReader: ~Copyable {
    struct Frame: Equatable {
        var header: FrameHeader
        var payload: [UInt8]
    }

    private var buffer: ReadBuffer

    init() throws(SystemError) {
        buffer = try ReadBuffer(capacity: FrameHeader.byteCount + WireLimits.framePayloadBytesMax)
    }

    /// Waits for the next frame; `nil` at the end of the channel.
    mutating func next(from channel: borrowing FileDescriptor) throws(ChannelError) -> Frame? {
        guard try fill(FrameHeader.byteCount, from: channel) else {
            guard buffer.waitingCount == 0 else { throw .cut }
            return nil
        }
        let header: FrameHeader
        do throws(WireError) {
            header = try FrameHeader(parsing: buffer.take(FrameHeader.byteCount))
        } catch {
            throw .contract(error)
        }
        if header.payloadCount == 0 { return Frame(header: header, payload: []) }
        guard try fill(header.payloadCount, from: channel) else { throw .cut }
        return Frame(header: header, payload: buffer.take(header.payloadCount))
    }

    private mutating func fill(_ count: Int, from channel: borrowing FileDescriptor) throws(ChannelError) -> Bool {
        do throws(SystemError) {
            return try buffer.fill(count, from: channel)
        } catch {
            throw .system(error)
        }
    }
}
