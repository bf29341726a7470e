import Linux
import NIOCore
import Wire

@testable import Fleet

/// What a worker, a template or the packer sends.
enum FuzzedWire {
    static func parse(_ bytes: [UInt8]) {
        _ = try? TemplateOrder(parsing: bytes)
        _ = try? TemplateReport(parsing: bytes)
        _ = try? CallHead(parsing: bytes)
        _ = try? ReplyHead(parsing: bytes)
        _ = try? NestedHead(parsing: bytes)
        _ = header(bytes[...])
    }

    static func readImage(_ bytes: [UInt8]) {
        guard let image = try? CodeImage(parsing: bytes) else { return }
        precondition((try? CodeImage(parsing: image.encoded())) == image, "what was read is written and read again")
    }

    /// Frames of a worker, one behind the other: a header, then as many bytes as it says.
    static func assemble(_ bytes: [UInt8]) {
        var assembly = ReplyAssembly()
        assembly.expectStream(1)
        var rest = bytes[...]
        while let header = header(rest) {
            let payload = rest.dropFirst(16).prefix(header.payloadCount)
            guard payload.count == header.payloadCount else { return }
            rest = rest.dropFirst(16 + header.payloadCount)
            do {
                _ = try unsafe assembly.take(header) { room in
                    precondition(room.count == payload.count, "the payload is taken whole")
                    unsafe room.copyBytes(from: payload)
                }
            } catch {
                return
            }
        }
    }

    /// Calls of a worker's own, as frames one behind the other; every other call that is whole is answered.
    static func assembleNested(_ bytes: [UInt8]) {
        var assembly = NestedAssembly()
        var rest = bytes[...]
        var wholeCount = 0
        while let header = header(rest) {
            let payload = rest.dropFirst(16).prefix(header.payloadCount)
            guard payload.count == header.payloadCount else { return }
            rest = rest.dropFirst(16 + header.payloadCount)
            do {
                guard let order = try assembly.take(header, ByteBuffer(bytes: payload)) else { continue }
                wholeCount += 1
                precondition(order.request.body.readableBytes <= bytes.count, "a body is of what came")
                if wholeCount % 2 == 0 { assembly.noteAnswered(order.number) }
            } catch {
                return
            }
        }
    }

    /// Acts of a hostile side on the memory of two rings, and of ours on the other.
    static func turn(_ bytes: [UInt8]) {
        let ringByteCount = Mapping.pageByteCount
        let byteCount = RingPair.byteCount(ringByteCount: ringByteCount)
        guard let file = try? FileDescriptor.sealedMemoryFile("rings", byteCount: byteCount),
            var near = try? RingPair(mapping: file, ringByteCount: ringByteCount, as: .near),
            var memory = try? Mapping.file(file, byteCount: byteCount, writable: true, shared: true)
        else { preconditionFailure("the machine has memory for a ring") }
        var rest = bytes[...]
        do {
            while let act = rest.popFirst() {
                switch act % 4 {
                case 0: forge(&memory, &rest)
                case 1: try take(&near)
                case 2: try put(&near, count: Int(rest.popFirst() ?? 0) * 16)
                default: _ = try near.waitingCount()
                }
            }
        } catch {
            return
        }
    }

    /// Writes a few bytes at any place of the shared memory.
    private static func forge(_ memory: inout Mapping, _ rest: inout ArraySlice<UInt8>) {
        let place = Int(rest.popFirst() ?? 0) | Int(rest.popFirst() ?? 0) << 8
        let piece = rest.prefix(Int(rest.popFirst() ?? 0) % 32)
        rest = rest.dropFirst(piece.count)
        memory.withMutableBytes { bytes in
            for (offset, byte) in piece.enumerated() where place + offset < bytes.byteCount {
                bytes.storeBytes(of: byte, toByteOffset: place + offset, as: UInt8.self)
            }
        }
    }

    private static func take(_ near: inout RingPair) throws {
        guard let words = try near.takeHeader() else { return }
        let header = try FrameHeader(words: words)
        let payload = try near.takePayload(header.payloadCount)
        precondition(payload.count == header.payloadCount, "the payload is taken whole")
        _ = near.publishTaken()
    }

    private static func put(_ near: inout RingPair, count: Int) throws {
        guard try near.hasRoom(payloadCount: count) else { return }
        let payload = [UInt8](repeating: 7, count: count)
        near.put((UInt64(count), 0), payload: unsafe payload.span.bytes)
        _ = near.publishSent()
    }

    private static func header(_ bytes: ArraySlice<UInt8>) -> FrameHeader? {
        guard bytes.count >= 16 else { return nil }
        let words = unsafe bytes.withUnsafeBytes { bytes in
            unsafe (bytes.loadUnaligned(as: UInt64.self), bytes.loadUnaligned(fromByteOffset: 8, as: UInt64.self))
        }
        return try? FrameHeader(words: words)
    }
}
