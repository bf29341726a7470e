/// What a model is fed for one text and for a pair: the texts' ids and the special tokens around them, each with the
/// type that the model's table of types is asked for.
struct TextTemplate: Equatable, Sendable {
    enum Part: Equatable, Sendable {
        case token(UInt32, type: Int)
        case first(type: Int)
        case second(type: Int)

        var type: Int {
            switch self {
            case .token(_, let type), .first(let type), .second(let type): type
            }
        }

        var isFirst: Bool { if case .first = self { true } else { false } }
        var isSecond: Bool { if case .second = self { true } else { false } }
    }

    var single: [Part] = [.first(type: 0)]
    var pair: [Part] = []

    /// The template of a pair; where the file has none the second text follows the first.
    var pairOrDefault: [Part] { pair.isEmpty ? [.first(type: 0), .second(type: 1)] : pair }

    /// Ids that stand before (or, with `after`, behind) a text on its own.
    func singleIDs(after: Bool) -> [Int32] {
        let place = single.firstIndex(where: \.isFirst) ?? 0
        let parts = after ? single[place...].dropFirst() : single[..<place]
        return parts.compactMap { part in
            guard case .token(let id, _) = part else { return nil }
            return Int32(bitPattern: id)
        }
    }

    var ids: [UInt32] {
        (single + pair).compactMap { part in
            guard case .token(let id, _) = part else { return nil }
            return id
        }
    }
}

extension TextTemplate {
    func write(to writer: inout CompiledWriter) {
        for parts in [single, pair] {
            writer.append(
                parts.flatMap { part -> [UInt32] in
                    switch part {
                    case .token(let id, let type): [0, UInt32(type), id]
                    case .first(let type): [1, UInt32(type), 0]
                    case .second(let type): [2, UInt32(type), 0]
                    }
                }
            )
        }
    }

    init(reading reader: inout CompiledReader, from bytes: RawSpan) throws(TokenizerError) {
        single = try Self.parts(try reader.readArray(of: UInt32.self, from: bytes))
        pair = try Self.parts(try reader.readArray(of: UInt32.self, from: bytes))
        guard single.filter(\.isFirst).count == 1, !single.contains(where: \.isSecond) else {
            throw .notCompiled("its template is damaged")
        }
        let isPair = pair.filter(\.isFirst).count == 1 && pair.filter(\.isSecond).count == 1
        guard pair.isEmpty || isPair else { throw .notCompiled("its template is damaged") }
    }

    private static func parts(_ numbers: [UInt32]) throws(TokenizerError) -> [Part] {
        guard numbers.count.isMultiple(of: 3), numbers.count <= 3 * 512 else {
            throw .notCompiled("its template is damaged")
        }
        var parts: [Part] = []
        for place in stride(from: 0, to: numbers.count, by: 3) {
            let type = Int(numbers[place + 1])
            guard type <= 1 else { throw .notCompiled("its template is damaged") }
            switch numbers[place] {
            case 0: parts.append(.token(numbers[place + 2], type: type))
            case 1: parts.append(.first(type: type))
            case 2: parts.append(.second(type: type))
            default: throw .notCompiled("its template is damaged")
            }
        }
        return parts
    }
}
