/// The likeliest pieces of one word under a unigram model: Viterbi's algorithm over the places between its bytes.
struct UnigramLattice {
    /// For each place the score of the best way there, where its last piece starts (-1: not reached), and that piece.
    private var scores: [Double] = []
    private var starts: [Int32] = []
    private var ids: [UInt32] = []
    private var path: [(id: UInt32, range: Range<Int>)] = []

    mutating func append(
        _ word: Range<Int>,
        of text: Span<UInt8>,
        by pieces: PieceSet,
        _ model: UnigramModel,
        to output: inout Segmenter.Output
    ) {
        if let value = pieces.trie.value(of: text, word, root: .wordStart), value & PieceModel.wholeWord != 0 {
            output.append(value & PieceModel.idMask, word)
            return
        }
        search(word, text, pieces, model)
        walkBack(word, pieces.unknownID)
        for (id, range) in path.reversed() {
            guard id == pieces.unknownID else {
                output.append(id, range)
                continue
            }
            // Neighbours that are unknown are one unknown, unless they happen to be a piece together.
            if let value = pieces.trie.value(of: text, range, root: .wordStart) {
                output.append(value & PieceModel.idMask, range)
            } else if !model.byteIDs.isEmpty {
                for index in range { output.append(model.byteIDs[Int(text[index])], index..<index + 1) }
            } else if id != BytePairModel.noID {
                output.append(id, range)
            }
        }
    }

    private mutating func search(
        _ word: Range<Int>,
        _ text: Span<UInt8>,
        _ pieces: PieceSet,
        _ model: UnigramModel
    ) {
        let count = word.count
        if scores.count <= count {
            scores = [Double](repeating: 0, count: count + 1)
            starts = [Int32](repeating: -1, count: count + 1)
            ids = [UInt32](repeating: 0, count: count + 1)
        }
        for place in 0...count { starts[place] = -1 }
        scores[0] = 0
        let trie = pieces.trie
        var start = 0
        while start < count {
            let scoreHere = scores[start]
            let scalarEnd = min(start + text.scalar(at: word.lowerBound + start).byteCount, count)
            var hasSingle = false
            var node = PieceTrie.Root.wordStart.rawValue
            var end = start
            while end < count, let child = trie.child(of: node, text[word.lowerBound + end]) {
                node = child
                end += 1
                let value = trie.values[Int(node)]
                guard value != PieceTrie.noValue else { continue }
                let id = value & PieceModel.idMask
                guard Int(id) < model.scores.count else { continue }
                reach(end, from: start, id, scoreHere + model.scores[Int(id)])
                if end == scalarEnd { hasSingle = true }
            }
            if !hasSingle { reach(scalarEnd, from: start, pieces.unknownID, scoreHere + model.unknownScore) }
            start = scalarEnd
        }
    }

    @inline(__always)
    private mutating func reach(_ end: Int, from start: Int, _ id: UInt32, _ score: Double) {
        guard starts[end] < 0 || score > scores[end] else { return }
        scores[end] = score
        starts[end] = Int32(start)
        ids[end] = id
    }

    /// The best way, last piece first.
    private mutating func walkBack(_ word: Range<Int>, _ unknownID: UInt32) {
        path.removeAll(keepingCapacity: true)
        var end = word.count
        while end > 0, starts[end] >= 0 {
            let start = Int(starts[end])
            let range = word.lowerBound + start..<word.lowerBound + end
            if ids[end] == unknownID, let last = path.last, last.id == unknownID {
                path[path.count - 1].range = range.lowerBound..<last.range.upperBound
            } else {
                path.append((ids[end], range))
            }
            end = start
        }
    }
}
