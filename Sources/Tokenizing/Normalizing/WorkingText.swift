/// A stretch of text on its way to ids, and where each byte of it came from, if anyone wants to know.
struct WorkingText {
    private(set) var bytes: [UInt8] = []
    /// For each byte where the scalar that it came from starts in the original, and where that ends; empty where
    /// origins are not tracked.
    private(set) var starts: [Int32] = []
    private(set) var ends: [Int32] = []
    let tracksOrigins: Bool

    init(tracksOrigins: Bool) {
        self.tracksOrigins = tracksOrigins
    }

    /// Where in the original the bytes of `range`, which is not empty, came from.
    func origin(of range: Range<Int>) -> Range<Int> {
        guard tracksOrigins, !range.isEmpty else { return 0..<0 }
        let start = Int(starts[range.lowerBound])
        return start..<max(start, Int(ends[range.upperBound - 1]))
    }

    mutating func removeAll() {
        bytes.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
    }

    mutating func removeFirst(_ count: Int) {
        bytes.removeFirst(count)
        guard tracksOrigins else { return }
        starts.removeFirst(count)
        ends.removeFirst(count)
    }

    mutating func removeLast(_ count: Int) {
        bytes.removeLast(count)
        guard tracksOrigins else { return }
        starts.removeLast(count)
        ends.removeLast(count)
    }

    /// Bytes that came from `origin`.
    @inline(__always)
    mutating func append(_ source: Span<UInt8>, _ range: Range<Int>, origin: Range<Int>) {
        for index in range { bytes.append(source[index]) }
        guard tracksOrigins else { return }
        for _ in range {
            starts.append(Int32(truncatingIfNeeded: origin.lowerBound))
            ends.append(Int32(truncatingIfNeeded: origin.upperBound))
        }
    }

    @inline(__always)
    mutating func append(_ byte: UInt8, origin: Range<Int>) {
        bytes.append(byte)
        guard tracksOrigins else { return }
        starts.append(Int32(truncatingIfNeeded: origin.lowerBound))
        ends.append(Int32(truncatingIfNeeded: origin.upperBound))
    }

    mutating func append(_ added: [UInt8], origin: Range<Int>) {
        append(added.span, added.indices, origin: origin)
    }

    /// The original itself, each scalar its own origin.
    mutating func append(original text: Span<UInt8>, _ range: Range<Int>) {
        guard tracksOrigins else {
            for index in range { bytes.append(text[index]) }
            return
        }
        var position = range.lowerBound
        while position < range.upperBound {
            let end = min(position + text.scalar(at: position).byteCount, range.upperBound)
            append(text, position..<end, origin: position..<end)
            position = end
        }
    }

    /// A part of another text, with its origins.
    mutating func append(_ other: WorkingText, _ range: Range<Int>) {
        bytes.append(contentsOf: other.bytes[range])
        guard tracksOrigins else { return }
        starts.append(contentsOf: other.starts[range])
        ends.append(contentsOf: other.ends[range])
    }
}
