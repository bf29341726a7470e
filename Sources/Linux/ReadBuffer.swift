import Glibc

/// Bytes that have come from a stream and wait to be taken: one read often brings several messages.
///
/// The memory is mapped and not touched before bytes come, so that a large buffer costs a small one's price.
package struct ReadBuffer: ~Copyable {
    private let pages: Mapping
    private var start = 0
    private var end = 0

    /// Holds up to `capacity` bytes, which is the most that ``fill(_:from:)`` may be asked for.
    package init(capacity: Int) throws(SystemError) {
        pages = try Mapping.anonymous(byteCount: capacity)
    }

    package var waitingCount: Int { end - start }

    /// Reads until `count` bytes wait; false where the stream ends before.
    package mutating func fill(_ count: Int, from stream: borrowing FileDescriptor) throws(SystemError) -> Bool {
        precondition(count <= pages.byteCount, "the buffer was made for the longest message")
        if pages.byteCount - start < count || start == end { moveToFront() }
        let number = stream.rawValue
        while end - start < count {
            let room = unsafe UnsafeMutableRawBufferPointer(
                start: pages.baseAddress + end,
                count: pages.byteCount - end
            )
            let got = try checked("read") { unsafe Glibc.read(number, room.baseAddress, room.count) }
            if got == 0 { return false }
            end += got
        }
        return true
    }

    /// Takes bytes that wait.
    package mutating func take(_ count: Int) -> [UInt8] {
        precondition(count <= waitingCount, "only what waits can be taken")
        let bytes = unsafe Array(UnsafeRawBufferPointer(start: pages.baseAddress + start, count: count))
        start += count
        return bytes
    }

    private mutating func moveToFront() {
        if start < end { _ = unsafe memmove(pages.baseAddress, pages.baseAddress + start, end - start) }
        (start, end) = (0, end - start)
    }
}
