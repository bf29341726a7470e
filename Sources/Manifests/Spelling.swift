/// Finds the word that was probably meant.
enum Spelling {
    /// The nearest of `words` within two edits (insert, drop, change or swap a letter), and under half of the word.
    static func nearest(to word: String, among words: [String]) -> String? {
        guard word.utf8.count <= 64 else { return nil }
        let distances = words.map { (word: $0, distance: distance(word, $0)) }
        guard let best = distances.min(by: { ($0.distance, $0.word) < ($1.distance, $1.word) }) else { return nil }
        return best.distance <= 2 && best.distance * 2 < best.word.utf8.count + 1 ? best.word : nil
    }

    /// Optimal string alignment distance over lower-cased bytes.
    static func distance(_ first: String, _ second: String) -> Int {
        let a = Array(first.lowercased().utf8)
        let b = Array(second.lowercased().utf8)
        var rows = [Array(0...b.count)]
        for i in 0..<a.count {
            var row = [i + 1]
            for j in 0..<b.count {
                var best = min(row[j] + 1, rows[i][j + 1] + 1, rows[i][j] + (a[i] == b[j] ? 0 : 1))
                if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] {
                    best = min(best, rows[i - 1][j - 1] + 1)
                }
                row.append(best)
            }
            rows.append(row)
        }
        return rows[a.count][b.count]
    }
}
