/// A regular expression, read: what the tokenizers in use write, a part of Oniguruma's language.
indirect enum PatternNode: Equatable {
    case empty
    /// One scalar out of a set.
    case set(ScalarSet)
    case sequence([PatternNode])
    /// The first alternative that leads to a match wins.
    case choice([PatternNode])
    case repeated(PatternNode, min: Int, max: Int?, Greed)
    /// `(?=…)`, `(?!…)`
    case lookahead(PatternNode, isNegated: Bool)
    /// `(?<=.)`, `(?<!.)` of one scalar.
    case lookbehind(ScalarSet, isNegated: Bool)
    /// `(?>…)`: the first way it matches is the only one.
    case atomic(PatternNode)
    case lineStart
    case lineEnd
    case textStart
    case textEnd

    enum Greed: Int32 {
        case greedy = 0
        case lazy = 1
        case possessive = 2
    }

    /// What a match may start with, and whether it may be empty.
    var first: (set: ScalarSet, isNullable: Bool) {
        switch self {
        case .set(let set): return (set, false)
        case .empty, .lookahead, .lookbehind, .lineStart, .lineEnd, .textStart, .textEnd: return (ScalarSet(), true)
        case .atomic(let node): return node.first
        case .repeated(let node, let min, _, _):
            let (set, isNullable) = node.first
            return (set, isNullable || min == 0)
        case .choice(let nodes):
            return nodes.reduce((ScalarSet(), false)) { sum, node in
                let (set, isNullable) = node.first
                return (sum.0.union(set), sum.1 || isNullable)
            }
        case .sequence(let nodes):
            var sum = ScalarSet()
            for node in nodes {
                let (set, isNullable) = node.first
                sum = sum.union(set)
                if !isNullable { return (sum, false) }
            }
            return (sum, true)
        }
    }
}
