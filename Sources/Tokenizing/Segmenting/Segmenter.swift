/// Takes words apart into pieces; keeps its memory from one word to the next.
struct Segmenter {
    /// What came out so far.
    struct Output {
        var ids: [Int32]
        /// Where each piece stands in the text; filled only if wanted.
        var ranges: [Range<Int>] = []
        let tracksRanges: Bool

        @inline(__always)
        mutating func append(_ id: UInt32, _ range: @autoclosure () -> Range<Int>) {
            ids.append(Int32(bitPattern: id))
            if tracksRanges { ranges.append(range()) }
        }
    }

    private var merging = BytePairMerging()
    private var lattice = UnigramLattice()

    mutating func append(
        _ word: Range<Int>,
        of text: Span<UInt8>,
        by pieces: PieceSet,
        _ model: PieceModel,
        to output: inout Output
    ) {
        switch model {
        case .bytePair(let model):
            if model.cut.isEmpty {
                appendMerged(word, of: text, by: pieces, model, to: &output)
            } else {
                appendCut(word, of: text, by: pieces, model, to: &output)
            }
        case .unigram(let model): lattice.append(word, of: text, by: pieces, model, to: &output)
        case .wordPiece(let scalarsMax): Self.appendPieces(word, of: text, by: pieces, scalarsMax, to: &output)
        case .words:
            if let id = pieces.trie.value(of: text, word, root: .wordStart) {
                output.append(id, word)
            } else if pieces.unknownID != BytePairModel.noID {
                output.append(pieces.unknownID, word)
            }
        }
    }

    private mutating func appendMerged(
        _ word: Range<Int>,
        of text: Span<UInt8>,
        by pieces: PieceSet,
        _ model: BytePairModel,
        to output: inout Output
    ) {
        if let id = pieces.trie.value(of: text, word, root: .wordStart) {
            output.append(id, word)
        } else {
            merging.append(word, of: text, by: pieces, model, to: &output)
        }
    }

    /// The word in parts that no piece crosses: cut before each mark that follows something else.
    private mutating func appendCut(
        _ word: Range<Int>,
        of text: Span<UInt8>,
        by pieces: PieceSet,
        _ model: BytePairModel,
        to output: inout Output
    ) {
        let mark = model.cut
        var start = word.lowerBound
        var position = start
        var wasMark = true
        while position < word.upperBound {
            let isMark =
                text[position] == mark[0] && position + mark.count <= word.upperBound
                && mark.indices.allSatisfy { text[position + $0] == mark[$0] }
            if isMark, !wasMark {
                appendMerged(start..<position, of: text, by: pieces, model, to: &output)
                start = position
            }
            wasMark = isMark
            position += isMark ? mark.count : 1
        }
        appendMerged(start..<word.upperBound, of: text, by: pieces, model, to: &output)
    }

    /// Greedy, longest piece first; a word with a rest that is no piece is unknown as a whole.
    private static func appendPieces(
        _ word: Range<Int>,
        of text: Span<UInt8>,
        by pieces: PieceSet,
        _ scalarsMax: Int,
        to output: inout Output
    ) {
        var scalars = 0
        for index in word where text[index] & 0xC0 != 0x80 { scalars += 1 }
        let start = output.ids.count
        let rangesStart = output.ranges.count
        let part = text.extracting(0..<word.upperBound)
        var position = word.lowerBound
        var root = PieceTrie.Root.wordStart
        while position < word.upperBound {
            guard scalars <= scalarsMax, let match = pieces.trie.longestMatch(in: part, from: position, root: root)
            else {
                output.ids.removeLast(output.ids.count - start)
                output.ranges.removeLast(output.ranges.count - rangesStart)
                output.append(pieces.unknownID, word)
                return
            }
            output.append(match.value, position..<match.end)
            position = match.end
            root = .continuation
        }
    }
}
