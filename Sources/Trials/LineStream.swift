package import Foundation

/// Lines from a pipe, one at a time, to be awaited.
package final class LineStream: Sendable {
    private let lines: AsyncStream<String>

    package init(_ handle: FileHandle) {
        let (stream, continuation) = AsyncStream.makeStream(of: String.self)
        lines = stream
        Thread.detachNewThread {
            var rest = Data()
            while true {
                let piece = handle.availableData
                if piece.isEmpty { break }
                rest.append(piece)
                while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                    continuation.yield(String(decoding: rest[rest.startIndex..<end], as: UTF8.self))
                    rest = Data(rest[rest.index(after: end)...])
                }
            }
            continuation.finish()
        }
    }

    /// The next line, nil at the end.
    package func next() async -> String? {
        for await line in lines { return line }
        return nil
    }
}
