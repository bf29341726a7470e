/// A regular expression, compiled for matching: instructions over a table of classes.
///
/// A match is the leftmost one, and at its place the first that backtracking finds, as in Oniguruma.
struct Pattern: Equatable, Sendable {
    /// One step of the machine; what `a`, `b` and `c` are is said at the operation.
    struct Instruction: Equatable {
        var operation: Operation
        var a: Int32 = 0
        var b: Int32 = 0
        var c: Int32 = 0
    }

    enum Operation: Int32 {
        /// The end of the pattern, or of the inside of a lookahead or an atomic group.
        case succeed = 0
        /// A scalar of set a.
        case set = 1
        /// At least b (at most c, -1 for any number) scalars of set a, as many as there are; gives some back.
        case greedyLoop = 2
        /// As above, as few as will do.
        case lazyLoop = 3
        /// As above, as many as there are; gives none back.
        case possessiveLoop = 4
        /// Goes on behind, and later from a. Where the next scalar is not in set b, goes to a at once.
        case choice = 5
        case jump = 6
        /// What stands up to a must match here (b = 0), or must not (b = 1); consumes nothing.
        case lookahead = 7
        /// The scalar before must be of set a (b = 0), or there is none such (b = 1).
        case lookbehind = 8
        /// What stands up to a matches in the first way or not at all.
        case atomic = 9
        case lineStart = 10
        case lineEnd = 11
        case textStart = 12
        case textEnd = 13
    }

    static let noSet: Int32 = -1

    let instructions: [Instruction]
    let classes: ClassTable
    /// What a match may start with, as a set of `classes`; ``noSet`` where it may be empty.
    let firstSet: Int32

    /// - Parameter pattern: a regular expression.
    init(_ pattern: String) throws(TokenizerError) {
        try self.init(PatternParser.parse(pattern), named: pattern)
    }

    /// - Parameter pattern: what to call it where it is refused.
    init(_ node: PatternNode, named pattern: String) throws(TokenizerError) {
        var compiler = PatternCompiler()
        compiler.compile(node)
        compiler.emit(.succeed)
        guard !compiler.hasEmptyLoop else {
            throw .unsupported("the pattern \"\(pattern.prefix(200))\" repeats what may be empty")
        }
        let (first, isNullable) = node.first
        firstSet = isNullable ? Self.noSet : compiler.index(of: first)
        instructions = compiler.instructions
        guard instructions.count <= Self.instructionsMax, let classes = ClassTable(compiler.sets) else {
            throw .unsupported("the pattern \"\(pattern.prefix(200))\" is too large")
        }
        self.classes = classes
    }

    /// The pattern that finds `text` itself.
    init(literal text: String) throws(TokenizerError) {
        let escaped = text.unicodeScalars.map { scalar in
            "\\.+*?^$(){}[]|".unicodeScalars.contains(scalar) ? "\\\(scalar)" : "\(scalar)"
        }
        try self.init(escaped.joined())
    }

    private static let instructionsMax = 4096
}

private struct PatternCompiler {
    private(set) var instructions: [Pattern.Instruction] = []
    private(set) var sets: [ScalarSet] = []
    private(set) var hasEmptyLoop = false

    mutating func emit(_ operation: Pattern.Operation, _ a: Int32 = 0, _ b: Int32 = 0, _ c: Int32 = 0) {
        instructions.append(Pattern.Instruction(operation: operation, a: a, b: b, c: c))
    }

    mutating func index(of set: ScalarSet) -> Int32 {
        if let known = sets.firstIndex(of: set) { return Int32(known) }
        sets.append(set)
        return Int32(sets.count - 1)
    }

    private var next: Int32 { Int32(instructions.count) }

    mutating func compile(_ node: PatternNode) {
        // A pattern this long is refused at the end; until then it only must not grow without bound.
        guard instructions.count <= 8192 else { return }
        switch node {
        case .empty: break
        case .set(let set): emit(.set, index(of: set))
        case .sequence(let nodes): for node in nodes { compile(node) }
        case .choice(let nodes): compileChoice(nodes[...])
        case .repeated(.set(let set), let min, let max, let greed):
            let operation: Pattern.Operation =
                switch greed {
                case .greedy: .greedyLoop
                case .lazy: .lazyLoop
                case .possessive: .possessiveLoop
                }
            emit(operation, index(of: set), Int32(min), max.map { Int32($0) } ?? -1)
        case .repeated(let inside, let min, let max, .possessive):
            compile(.atomic(.repeated(inside, min: min, max: max, .greedy)))
        case .repeated(let inside, let min, let max, let greed): compileLoop(inside, min, max, greed)
        case .lookahead(let inside, let isNegated): compileNested(.lookahead, inside, isNegated ? 1 : 0)
        case .atomic(let inside): compileNested(.atomic, inside, 0)
        case .lookbehind(let set, let isNegated): emit(.lookbehind, index(of: set), isNegated ? 1 : 0)
        case .lineStart: emit(.lineStart)
        case .lineEnd: emit(.lineEnd)
        case .textStart: emit(.textStart)
        case .textEnd: emit(.textEnd)
        }
    }

    private mutating func compileNested(_ operation: Pattern.Operation, _ inside: PatternNode, _ flag: Int32) {
        let start = instructions.count
        emit(operation, 0, flag)
        compile(inside)
        emit(.succeed)
        instructions[start].a = next
    }

    private mutating func compileChoice(_ nodes: ArraySlice<PatternNode>) {
        guard let first = nodes.first else { return }
        guard nodes.count > 1 else { return compile(first) }
        let start = instructions.count
        emit(.choice, 0, guardSet(of: first))
        compile(first)
        let end = instructions.count
        emit(.jump)
        instructions[start].a = next
        compileChoice(nodes.dropFirst())
        instructions[end].a = next
    }

    private mutating func guardSet(of node: PatternNode) -> Int32 {
        let (set, isNullable) = node.first
        return isNullable ? Pattern.noSet : index(of: set)
    }

    private mutating func compileLoop(_ inside: PatternNode, _ min: Int, _ max: Int?, _ greed: PatternNode.Greed) {
        for _ in 0..<min { compile(inside) }
        guard let max else {
            // L: choice(end) inside jump L; lazily the other way round. Each round must consume something to end.
            if inside.first.isNullable { hasEmptyLoop = true }
            let start = next
            if greed == .lazy {
                emit(.choice, start + 2, Pattern.noSet)
                let out = instructions.count
                emit(.jump)
                compile(inside)
                emit(.jump, start)
                instructions[out].a = next
            } else {
                emit(.choice, 0, guardSet(of: inside))
                compile(inside)
                emit(.jump, start)
                instructions[Int(start)].a = next
            }
            return
        }
        var exits: [Int] = []
        for _ in min..<max {
            if greed == .lazy {
                emit(.choice, next + 2, Pattern.noSet)
                exits.append(instructions.count)
                emit(.jump)
            } else {
                exits.append(instructions.count)
                emit(.choice, 0, guardSet(of: inside))
            }
            compile(inside)
        }
        for exit in exits { instructions[exit].a = next }
    }
}

extension Pattern {
    func write(to writer: inout CompiledWriter) {
        writer.append(instructions.flatMap { [$0.operation.rawValue, $0.a, $0.b, $0.c] })
        writer.append(firstSet)
        classes.write(to: &writer)
    }

    /// Reads and checks what the machine relies on: places within the program, forward inside what is nested.
    init(reading reader: inout CompiledReader, from bytes: RawSpan) throws(TokenizerError) {
        let numbers = try reader.readArray(of: Int32.self, from: bytes)
        firstSet = try reader.read(Int32.self, from: bytes)
        classes = try ClassTable(reading: &reader, from: bytes)
        guard numbers.count.isMultiple(of: 4), (4...Self.instructionsMax * 4).contains(numbers.count) else {
            throw .notCompiled("a pattern has the wrong size")
        }
        let count = Int32(numbers.count / 4)
        var instructions: [Instruction] = []
        for place in stride(from: 0, to: numbers.count, by: 4) {
            guard let operation = Operation(rawValue: numbers[place]) else {
                throw .notCompiled("a pattern has an unknown step")
            }
            let one = Instruction(
                operation: operation,
                a: numbers[place + 1],
                b: numbers[place + 2],
                c: numbers[place + 3]
            )
            guard one.isSound(at: Int32(place / 4), of: count) else { throw .notCompiled("a pattern is damaged") }
            instructions.append(one)
        }
        guard instructions.last?.operation == .succeed, (-1..<Int32(ClassTable.setsMax)).contains(firstSet) else {
            throw .notCompiled("a pattern is damaged")
        }
        self.instructions = instructions
    }
}

extension Pattern.Instruction {
    fileprivate func isSound(at place: Int32, of count: Int32) -> Bool {
        let sets = 0..<Int32(ClassTable.setsMax)
        return switch operation {
        case .set, .lookbehind: sets.contains(a)
        case .greedyLoop, .lazyLoop, .possessiveLoop: sets.contains(a) && b >= 0 && c >= -1
        case .choice: (0..<count).contains(a) && (b == Pattern.noSet || sets.contains(b))
        case .jump: (0..<count).contains(a)
        // Inside is nested deeper than outside, and a program is finite: recursion ends.
        case .lookahead, .atomic: a > place && a < count
        case .succeed, .lineStart, .lineEnd, .textStart, .textEnd: true
        }
    }
}
