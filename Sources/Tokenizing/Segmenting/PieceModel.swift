/// All pieces, and the one that stands for what is none.
struct PieceSet: Equatable, Sendable {
    var trie: PieceTrie
    /// ``BytePairModel/noID`` where the model has no such piece: what is none is then left out.
    var unknownID: UInt32
}

/// How a word becomes pieces.
enum PieceModel: Equatable, Sendable {
    case wordPiece(wordScalarsMax: Int)
    case bytePair(BytePairModel)
    case unigram(UnigramModel)
    /// A word is a piece or unknown.
    case words

    /// Set in a trie's value where the piece, taken as a word, becomes itself alone: no need to work it out.
    static let wholeWord: UInt32 = 1 << 31
    static let idMask = wholeWord - 1
}

/// What byte-pair encoding needs beside the trie.
///
/// In the trie, `wordStart` holds words that become one piece, and `continuation` the pieces that a word starts out
/// with: single scalars (with the prefix or suffix they wear), or bytes.
struct BytePairModel: Equatable, Sendable {
    var merges: MergeTable
    /// Words are taken apart into bytes, not scalars.
    var isByteLevel: Bool
    /// The piece of each byte of a byte-level model, or of each byte of a scalar that is no piece; empty where there
    /// are none, ``noID`` for bytes without a piece.
    var byteIDs: [UInt32]
    /// What stands before the second and all further scalars of a word, and after the last.
    var prefix: [UInt8]
    var suffix: [UInt8]
    /// Neighbours that are unknown become one unknown.
    var fusesUnknown: Bool
    /// A word is cut before each of these that follows something else: no piece goes across.
    var cut: [UInt8]

    static let noID = UInt32.max
}

/// What a unigram model needs beside the trie, whose `wordStart` holds all pieces.
struct UnigramModel: Equatable, Sendable {
    /// Logarithms of probabilities, by id.
    var scores: [Double]
    /// The score of a scalar that is no piece.
    var unknownScore: Double
    /// The pieces `<0x00>` … `<0xFF>`, for scalars that are no piece; empty where there are none.
    var byteIDs: [UInt32]
}
