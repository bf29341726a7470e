/// Texts: joined, split, cleaned and counted.
enum TextOperators {
    static let operators: [Operator] = [
        Operator("StringConcat", concat),
        Operator("StringSplit", split),
        Operator("StringNormalizer", normalize),
        Operator("TfIdfVectorizer", count),
    ]

    private static func texts(_ tensor: Tensor) throws(GraphError) -> Tensor {
        guard tensor.element == .string else { throw .invalid("texts are needed here, not \(tensor.element)") }
        return tensor
    }

    private static func concat(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (a, b) = try (texts(call.tensor(0)), texts(call.tensor(1)))
        let shape = try Broadcasting.shape([a.shape, b.shape])
        let (left, right) = try (call.expanded(a, to: shape).strings, call.expanded(b, to: shape).strings)
        return [.tensor(Tensor(strings: zip(left, right).map { $0 + $1 }, shape: shape))]
    }

    private static func split(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try texts(call.tensor(0))
        let delimiter = Array(try call.string("delimiter", or: "").utf8)
        let splitsMax = try call.integer("maxsplit", or: Int.max)
        let parts = tensor.strings.map { pieces(Array($0.utf8), by: delimiter, splitsMax: splitsMax) }
        let widest = parts.map(\.count).max() ?? 0
        let shape = tensor.shape + [widest]
        _ = try OperatorCall.elementCount(shape)
        let padded = parts.flatMap { $0 + [String](repeating: "", count: widest - $0.count) }
        let counts = Tensor(parts.map { Int64($0.count) }, shape: tensor.shape)
        return [.tensor(Tensor(strings: padded, shape: shape)), .tensor(counts)]
    }

    /// Python's `str.split`: without a delimiter, runs of white space separate.
    private static func pieces(_ bytes: [UInt8], by delimiter: [UInt8], splitsMax: Int) -> [String] {
        var (pieces, start): ([[UInt8]], Int) = ([], 0)
        if delimiter.isEmpty {
            let isSpace = { (byte: UInt8) in byte == 32 || (9...13).contains(byte) }
            var rest = bytes[...].drop(while: isSpace)
            while !rest.isEmpty {
                if pieces.count >= splitsMax {
                    while let last = rest.last, isSpace(last) { rest.removeLast() }
                    pieces.append(Array(rest))
                    break
                }
                pieces.append(Array(rest.prefix { !isSpace($0) }))
                rest = rest.drop { !isSpace($0) }.drop(while: isSpace)
            }
            return pieces.map { String(decoding: $0, as: UTF8.self) }
        }
        var place = 0
        while place + delimiter.count <= bytes.count, pieces.count < splitsMax {
            if bytes[place..<place + delimiter.count] == delimiter[...] {
                pieces.append(Array(bytes[start..<place]))
                place += delimiter.count
                start = place
            } else {
                place += 1
            }
        }
        pieces.append(Array(bytes[start...]))
        return pieces.map { String(decoding: $0, as: UTF8.self) }
    }

    private static func normalize(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try texts(call.tensor(0))
        guard tensor.rank == 1 || (tensor.rank == 2 && tensor.shape[0] == 1) else {
            throw .input("\(tensor.shape) is not one row of texts")
        }
        let change = try call.string("case_change_action", or: "NONE")
        let isSensitive = try call.integer("is_case_sensitive", or: 0) != 0
        let given = try call.strings("stopwords") ?? []
        let stops = Set(isSensitive ? given : given.map { $0.lowercased() })
        var kept = tensor.strings.filter { !stops.contains(isSensitive ? $0 : $0.lowercased()) }
        switch change {
        case "LOWER": kept = kept.map { $0.lowercased() }
        case "UPPER": kept = kept.map { $0.uppercased() }
        case "NONE": break
        default: throw .invalid("the change of case \"\(change)\" is none of LOWER, UPPER and NONE")
        }
        if kept.isEmpty { kept = [""] }
        return [.tensor(Tensor(strings: kept, shape: tensor.rank == 1 ? [kept.count] : [1, kept.count]))]
    }

    /// How often the n-grams of a pool occur in each row.
    private static func count(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard tensor.rank <= 2 else { throw .input("\(tensor.shape) is not rows of words") }
        let pool = try NGramPool(call)
        let words = tensor.element == .string ? tensor.strings : try tensor.integers().map(\.description)
        let rows = tensor.rank == 2 ? tensor.shape[0] : 1
        let width = tensor.rank == 2 ? tensor.shape[1] : tensor.count
        var counts: [Float] = []
        for row in 0..<rows { counts += pool.counts(words[row * width..<(row + 1) * width]) }
        let shape = tensor.rank == 2 ? [rows, pool.width] : [pool.width]
        return [.tensor(Tensor(pool.weighted(counts), shape: shape))]
    }
}

/// The n-grams that TfIdfVectorizer looks for.
private struct NGramPool {
    let width: Int
    private var columns: [[String]: [Int]] = [:]
    private let lengths: ClosedRange<Int>
    private let skips: Int
    private let mode: String
    private let weights: [Float]

    init(_ call: borrowing OperatorCall) throws(GraphError) {
        let (least, most) = try (call.integer("min_gram_length", or: 1), call.integer("max_gram_length", or: 1))
        let skipsMax = try call.integer("max_skip_count", or: 0)
        mode = try call.string("mode", or: "TF")
        weights = try call.floats("weights") ?? []
        let starts = try call.integers("ngram_counts") ?? []
        let indexes = try call.integers("ngram_indexes") ?? []
        let numbers = try call.integers("pool_int64s") ?? []
        let items = try call.strings("pool_strings") ?? numbers.map(\.description)
        guard least >= 1, most >= least, most <= 64, skipsMax >= 0, skipsMax < 1 << 20,
            ["TF", "IDF", "TFIDF"].contains(mode), indexes.allSatisfy({ $0 >= 0 && $0 < 1 << 24 })
        else { throw .invalid("the lengths, skips or the mode of n-grams are not possible") }
        (lengths, skips) = (least...most, skipsMax)
        width = (indexes.max() ?? -1) + 1
        var gram = 0
        for (place, start) in starts.enumerated() {
            let end = place + 1 < starts.count ? starts[place + 1] : items.count
            let length = place + 1
            guard start >= 0, start <= end, end <= items.count, (end - start) % length == 0 else {
                throw .invalid("the pool of n-grams does not divide into \(length) words each")
            }
            for first in stride(from: start, to: end, by: length) {
                guard gram < indexes.count else { throw .invalid("the pool has more n-grams than indexes") }
                columns[Array(items[first..<first + length]), default: []].append(indexes[gram])
                gram += 1
            }
        }
        guard weights.isEmpty || weights.count == indexes.count else {
            throw .invalid("there is not one weight a n-gram")
        }
    }

    func counts(_ words: ArraySlice<String>) -> [Float] {
        var counts = [Float](repeating: 0, count: width)
        for length in lengths {
            // A single word has nothing to skip.
            for distance in 1...(length == 1 ? 1 : skips + 1) {
                let reach = distance * (length - 1)
                guard words.count > reach else { continue }
                for first in words.startIndex..<words.endIndex - reach {
                    let gram = (0..<length).map { words[first + $0 * distance] }
                    for column in columns[gram] ?? [] { counts[column] += 1 }
                }
            }
        }
        return counts
    }

    func weighted(_ counts: [Float]) -> [Float] {
        guard mode != "TF" else { return counts }
        return counts.enumerated().map { index, count in
            let column = index % max(width, 1)
            let weight = column < weights.count ? weights[column] : 1
            return mode == "IDF" ? (count > 0 ? weight : 0) : count * weight
        }
    }
}
