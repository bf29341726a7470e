/// How tokens become entities, by the names and rules of the reference's pipeline.
enum Aggregation: String, CaseIterable {
    /// Each token by itself.
    case none
    /// Neighbours of one label are one.
    case simple
    /// Before that, a word has the label of its first token.
    case first
    /// Or that of the token which is surest.
    case max
    /// Or the best of its tokens' mean scores.
    case average
}

/// A part of a text and what it is.
struct Entity: Equatable {
    var label: String
    var score: Float
    /// In Unicode scalars of the text.
    var characters: Range<Int>
    /// The token's place among all of the text; nil for what may be several.
    var index: Int?
}

extension TaggedText {
    /// The label of what is no entity.
    private static let outside = "O"

    /// The entities of the text, those of label `O` left out.
    ///
    /// - Parameter labels: their names; nil where they are 0, 1, 2, ….
    func entities(_ aggregation: Aggregation, labels: [String]?) -> [Entity] {
        guard !tokens.isEmpty else { return [] }
        let columns = scores.count / tokens.count
        func name(_ label: Int) -> String { labels.map { $0[label] } ?? "\(label)" }
        func entity(_ tokens: Range<Int>, _ row: ArraySlice<Float>) -> Entity {
            let best = ModelFace.best(of: row)
            return Entity(
                label: name(best),
                score: row[row.startIndex + best],
                characters: span(of: tokens),
                index: aggregation == .none ? self.tokens[tokens.lowerBound].index : nil
            )
        }
        func row(_ token: Int) -> ArraySlice<Float> { scores[token * columns..<(token + 1) * columns] }
        switch aggregation {
        case .none:
            return tokens.indices.map { entity($0..<$0 + 1, row($0)) }.filter { $0.label != Self.outside }
        case .simple:
            return Self.grouped(tokens.indices.map { entity($0..<$0 + 1, row($0)) })
        case .first:
            return Self.grouped(words.map { entity($0, row($0.lowerBound)) })
        case .max:
            // The first of equals.
            let surest = words.map { word in word.max { (row($0).max() ?? 0, $1) < (row($1).max() ?? 0, $0) } ?? 0 }
            return Self.grouped(zip(words, surest).map { entity($0, row($1)) })
        case .average:
            return Self.grouped(
                words.map { word in
                    let sums = (0..<columns).map { column in
                        word.reduce(Float(0)) { $0 + scores[$1 * columns + column] }
                    }
                    return entity(word, sums.map { $0 / Float(word.count) }[...])
                }
            )
        }
    }

    /// Tokens that make a word.
    private var words: [Range<Int>] {
        var words: [Range<Int>] = []
        for place in tokens.indices {
            if tokens[place].isContinuation, let last = words.last {
                words[words.count - 1] = last.lowerBound..<place + 1
            } else {
                words.append(place..<place + 1)
            }
        }
        return words
    }

    private func span(of places: Range<Int>) -> Range<Int> {
        let start = tokens[places.lowerBound].characters.lowerBound
        return start..<Swift.max(start, tokens[places.upperBound - 1].characters.upperBound)
    }

    /// Neighbours of one tag, unless one begins anew, become one whose score is their mean.
    private static func grouped(_ parts: [Entity]) -> [Entity] {
        var groups: [(entity: Entity, count: Int, lastTag: Substring)] = []
        for part in parts {
            let (begins, tag) = split(part.label)
            if !begins, let last = groups.last, last.lastTag == tag {
                groups[groups.count - 1].entity.score += part.score
                groups[groups.count - 1].count += 1
                let start = last.entity.characters.lowerBound
                groups[groups.count - 1].entity.characters = start..<Swift.max(start, part.characters.upperBound)
            } else {
                var first = part
                // The reference drops what stands before the first hyphen, whatever it is.
                let rest = part.label.split(separator: "-", maxSplits: 1, omittingEmptySubsequences: false)
                first.label = String(rest.last ?? "")
                groups.append((first, 1, tag))
            }
        }
        return groups.compactMap { group in
            guard group.entity.label != outside else { return nil }
            var entity = group.entity
            entity.score /= Float(group.count)
            return entity
        }
    }

    /// `B-PER` begins a `PER`, `I-PER` and `PER` go on with one.
    private static func split(_ label: String) -> (begins: Bool, tag: Substring) {
        if label.hasPrefix("B-") { return (true, label.dropFirst(2)) }
        return (false, label.hasPrefix("I-") ? label.dropFirst(2) : label[...])
    }
}
