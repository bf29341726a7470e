/// Runs a ``Pattern`` over text; keeps the memory of its way back from one match to the next.
struct PatternMatcher {
    /// A place to go back to.
    private struct Frame {
        var instruction: Int32
        var position: Int32
        /// Where a greedy loop may give back to, or a lazy one may go on to.
        var limit: Int32
        var kind: Kind
    }

    private enum Kind: UInt8 {
        case choice, greedy, lazy
    }

    private var frames: [Frame] = []
    private var steps = 0

    /// Patterns in use take a few steps a character; one that takes a million for a match matches nothing there.
    private static let stepsMax = 1_000_000
    private static let framesMax = 1 << 16
    /// Nested lookaheads and groups.
    private static let depthMax = 64

    /// The first match in `text` from `position` on, not looking beyond `end` or before `start`; never an empty one.
    mutating func find(
        _ pattern: Pattern,
        in text: Span<UInt8>,
        from position: Int,
        bounds: Range<Int>
    ) -> Range<Int>? {
        var start = position
        let firstMask: UInt64 = pattern.firstSet < 0 ? ~0 : 1 << UInt64(pattern.firstSet)
        while start < bounds.upperBound {
            let (mask, count) = Self.mask(pattern.classes, text, start)
            if pattern.firstSet < 0 || mask & firstMask != 0 {
                steps = 0
                frames.removeAll(keepingCapacity: true)
                if let end = run(pattern, text, from: start, at: 0, bounds, depth: 0), end > start {
                    return start..<end
                }
            }
            start += count
        }
        return nil
    }

    @inline(__always)
    private static func mask(_ classes: ClassTable, _ text: Span<UInt8>, _ position: Int) -> (UInt64, Int) {
        let byte = text[position]
        if byte < 0x80 { return (classes.ascii[Int(byte)], 1) }
        let (scalar, count) = text.scalar(at: position)
        return (classes.mask(of: scalar), count)
    }

    /// Where the scalar before `position` starts.
    @inline(__always)
    private static func before(_ position: Int, in text: Span<UInt8>, _ bounds: Range<Int>) -> Int {
        var before = position - 1
        while before > bounds.lowerBound, text[before] & 0xC0 == 0x80 { before -= 1 }
        return before
    }

    /// Where the match of what starts at `first` ends, nil where there is none.
    private mutating func run(
        _ pattern: Pattern,
        _ text: Span<UInt8>,
        from start: Int,
        at first: Int,
        _ bounds: Range<Int>,
        depth: Int
    ) -> Int? {
        guard depth < Self.depthMax else { return nil }
        let base = frames.count
        defer { if frames.count > base { frames.removeLast(frames.count - base) } }
        let classes = pattern.classes
        let end = bounds.upperBound
        var position = start
        var place = first
        while true {
            steps += 1
            guard steps < Self.stepsMax, frames.count < Self.framesMax else { return nil }
            let step = pattern.instructions[place]
            var holds = true
            switch step.operation {
            case .succeed: return position
            case .set:
                holds = false
                if position < end {
                    let (mask, count) = Self.mask(classes, text, position)
                    if mask >> UInt64(step.a) & 1 != 0 {
                        position += count
                        holds = true
                    }
                }
                place += 1
            case .greedyLoop, .possessiveLoop, .lazyLoop:
                holds = loop(step, place, text, classes, end, &position)
                place += 1
            case .choice:
                if step.b >= 0 {
                    let mask = position < end ? Self.mask(classes, text, position).0 : 0
                    if mask >> UInt64(step.b) & 1 == 0 {
                        place = Int(step.a)
                        continue
                    }
                }
                frames.append(Frame(instruction: step.a, position: Int32(position), limit: 0, kind: .choice))
                place += 1
            case .jump: place = Int(step.a)
            case .lookahead, .atomic:
                let inside = run(pattern, text, from: position, at: place + 1, bounds, depth: depth + 1)
                if step.operation == .atomic {
                    holds = inside != nil
                    position = inside ?? position
                } else {
                    holds = (inside != nil) == (step.b == 0)
                }
                place = Int(step.a)
            case .lookbehind, .lineStart, .lineEnd, .textStart, .textEnd:
                holds = stands(step, at: position, text, classes, bounds)
                place += 1
            }
            if !holds {
                guard let back = goBack(to: base, text, classes, pattern, bounds) else { return nil }
                (place, position) = back
            }
        }
    }

    /// What consumes nothing and looks at the text only.
    private func stands(
        _ step: Pattern.Instruction,
        at position: Int,
        _ text: Span<UInt8>,
        _ classes: ClassTable,
        _ bounds: Range<Int>
    ) -> Bool {
        switch step.operation {
        case .lookbehind:
            guard position > bounds.lowerBound else { return step.b == 1 }
            let mask = Self.mask(classes, text, Self.before(position, in: text, bounds)).0
            return (mask >> UInt64(step.a) & 1 != 0) == (step.b == 0)
        case .lineStart: return position == bounds.lowerBound || text[position - 1] == UInt8(ascii: "\n")
        case .lineEnd: return position == bounds.upperBound || text[position] == UInt8(ascii: "\n")
        case .textStart: return position == bounds.lowerBound
        default: return position == bounds.upperBound
        }
    }

    @inline(__always)
    private mutating func loop(
        _ step: Pattern.Instruction,
        _ place: Int,
        _ text: Span<UInt8>,
        _ classes: ClassTable,
        _ end: Int,
        _ position: inout Int
    ) -> Bool {
        let most = step.operation == .lazyLoop ? Int(step.b) : step.c < 0 ? Int.max : Int(step.c)
        let least = Int(step.b)
        var count = 0
        // After the scalars that it keeps in any case.
        var kept = position
        while count < most, position < end {
            let (mask, byteCount) = Self.mask(classes, text, position)
            guard mask >> UInt64(step.a) & 1 != 0 else { break }
            position += byteCount
            count += 1
            if count == least { kept = position }
        }
        guard count >= least else { return false }
        if step.operation == .greedyLoop, position > kept {
            frames.append(
                Frame(instruction: Int32(place + 1), position: Int32(position), limit: Int32(kept), kind: .greedy)
            )
        } else if step.operation == .lazyLoop, step.c < 0 || step.c > step.b {
            let more = step.c < 0 ? Int32.max : step.c - step.b
            frames.append(Frame(instruction: Int32(place), position: Int32(position), limit: more, kind: .lazy))
        }
        return true
    }

    /// The last place to go back to above `base`.
    private mutating func goBack(
        to base: Int,
        _ text: Span<UInt8>,
        _ classes: ClassTable,
        _ pattern: Pattern,
        _ bounds: Range<Int>
    ) -> (place: Int, position: Int)? {
        while frames.count > base, let frame = frames.popLast() {
            switch frame.kind {
            case .choice: return (Int(frame.instruction), Int(frame.position))
            case .greedy:
                let position = Self.before(Int(frame.position), in: text, bounds)
                if position > Int(frame.limit) {
                    var next = frame
                    next.position = Int32(position)
                    frames.append(next)
                }
                return (Int(frame.instruction), position)
            case .lazy:
                let place = Int(frame.instruction)
                guard Int(frame.position) < bounds.upperBound else { continue }
                let (mask, count) = Self.mask(classes, text, Int(frame.position))
                guard mask >> UInt64(pattern.instructions[place].a) & 1 != 0 else { continue }
                let position = Int(frame.position) + count
                if frame.limit > 1 {
                    let limit = frame.limit == .max ? frame.limit : frame.limit - 1
                    frames.append(
                        Frame(instruction: frame.instruction, position: Int32(position), limit: limit, kind: .lazy)
                    )
                }
                return (place + 1, position)
            }
        }
        return nil
    }
}
