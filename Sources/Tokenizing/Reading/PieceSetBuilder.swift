/// Ids by the bytes of their pieces: as Swift compares strings, ; and the Greek question mark are one.
typealias PieceIDs = [[UInt8]: UInt32]

/// Makes the trie and the tables of a model out of what the file says.
struct PieceSetBuilder {
    private let definition: TokenizerDefinition
    private(set) var model = PieceModel.words
    private var keys: [PieceTrie.Key] = []
    private let unknownID: UInt32
    /// Unigram pieces that, taken as words, become themselves.
    private var wholeWords: [[UInt8]] = []

    /// - Parameter tokenKeys: the added tokens' place in the trie.
    static func build(
        _ definition: TokenizerDefinition,
        tokenKeys: [PieceTrie.Key]
    ) throws(TokenizerError) -> (pieces: PieceSet, model: PieceModel) {
        var builder = PieceSetBuilder(definition)
        switch definition.model {
        case .words: builder.addWords()
        case .wordPiece(let prefix, let wordScalarsMax): builder.addWordPieces(prefix, wordScalarsMax)
        case .bytePair(let bytePair): try builder.addBytePairs(bytePair)
        case .unigram(let scores, let usesBytes): try builder.addUnigram(scores, usesBytes)
        }
        var pieces = PieceSet(trie: PieceTrie(keys: builder.keys + tokenKeys), unknownID: builder.unknownID)
        builder.markWholeWords(&pieces)
        return (pieces, builder.model)
    }

    private init(_ definition: TokenizerDefinition) {
        self.definition = definition
        unknownID = definition.unknownID ?? BytePairModel.noID
        keys.reserveCapacity(definition.vocabulary.count)
    }

    private mutating func add(_ text: [UInt8], _ value: UInt32, _ root: PieceTrie.Root = .wordStart) {
        if !text.isEmpty { keys.append(PieceTrie.Key(root: root, text: text, value: value)) }
    }

    private mutating func addWords() {
        for (piece, id) in definition.vocabulary { add(Array(piece.utf8), id) }
    }

    private mutating func addWordPieces(_ prefix: String, _ wordScalarsMax: Int) {
        for (piece, id) in definition.vocabulary {
            let isContinuation = piece.utf8.starts(with: prefix.utf8) && piece.utf8.count > prefix.utf8.count
            if isContinuation { add(Array(piece.utf8.dropFirst(prefix.utf8.count)), id, .continuation) }
            // After BertPreTokenizer no word starts with ##: # is a word of its own.
            if !isContinuation || !definition.isBertSplit { add(Array(piece.utf8), id) }
        }
        model = .wordPiece(wordScalarsMax: wordScalarsMax)
    }

    private mutating func addUnigram(_ scores: [Double], _ usesBytes: Bool) throws(TokenizerError) {
        var ids: PieceIDs = [:]
        // Of equal pieces the last counts, and the trie takes the first it is given.
        for (piece, id) in definition.vocabulary.reversed() {
            add(Array(piece.utf8), id)
            if ids[Array(piece.utf8)] == nil { ids[Array(piece.utf8)] = id }
        }
        let least = scores.min() ?? 0
        model = .unigram(
            UnigramModel(scores: scores, unknownScore: least - 10, byteIDs: usesBytes ? Self.byteIDs(ids) ?? [] : [])
        )
    }

    /// Taken as words, most pieces become themselves; that is worked out here, once.
    private func markWholeWords(_ pieces: inout PieceSet) {
        guard case .unigram = model else { return }
        var segmenter = Segmenter()
        let unmarked = pieces
        for (piece, id) in definition.vocabulary where !piece.isEmpty && id != unknownID {
            let text = Array(piece.utf8)
            var output = Segmenter.Output(ids: [], tracksRanges: false)
            segmenter.append(text.indices, of: text.span, by: unmarked, model, to: &output)
            if output.ids == [Int32(id)] { pieces.trie.mark(text, root: .wordStart, with: PieceModel.wholeWord) }
        }
    }

    /// The pieces `<0x00>` to `<0xFF>`, nil where one is missing.
    private static func byteIDs(_ ids: PieceIDs) -> [UInt32]? {
        let found = (0..<256).compactMap { byte in
            let digits = String(byte, radix: 16, uppercase: true)
            return ids[Array("<0x\(digits.count < 2 ? "0" : "")\(digits)>".utf8)]
        }
        return found.count == 256 ? found : nil
    }
}

/// Byte-pair encoding.
extension PieceSetBuilder {
    private mutating func addBytePairs(_ bytePair: BytePairDefinition) throws(TokenizerError) {
        var ids: PieceIDs = [:]
        for (piece, id) in definition.vocabulary { ids[Array(piece.utf8)] = id }
        var merges: [(left: UInt32, right: UInt32, merged: UInt32)] = []
        merges.reserveCapacity(bytePair.merges.count)
        for (left, right) in bytePair.merges {
            let joined = Array(left.utf8) + right.utf8.dropFirst(bytePair.prefix.utf8.count)
            guard let leftID = ids[Array(left.utf8)], let rightID = ids[Array(right.utf8)], let merged = ids[joined]
            else {
                throw .malformed("model.merges \"\(left) \(right)\": a piece of it is not in the vocabulary")
            }
            merges.append((leftID, rightID, merged))
        }
        var tables = BytePairModel(
            merges: MergeTable(merges),
            isByteLevel: definition.isByteLevel,
            byteIDs: [],
            prefix: spelled(bytePair.prefix) ?? [],
            suffix: spelled(bytePair.suffix) ?? [],
            fusesUnknown: bytePair.fusesUnknown,
            cut: cut(bytePair, ids)
        )
        if definition.isByteLevel {
            tables.byteIDs = [UInt32](repeating: BytePairModel.noID, count: 256)
            for (piece, id) in definition.vocabulary where piece.unicodeScalars.count == 1 {
                if let bytes = spelled(piece), bytes.count == 1 { tables.byteIDs[Int(bytes[0])] = id }
            }
        } else if bytePair.usesBytes {
            tables.byteIDs = Self.byteIDs(ids) ?? []
        }
        model = .bytePair(tables)
        let lettersMax = 1 + bytePair.prefix.unicodeScalars.count + bytePair.suffix.unicodeScalars.count
        for (piece, id) in definition.vocabulary where piece.unicodeScalars.count <= lettersMax {
            if let text = spelled(piece) { add(text, id, .continuation) }
        }
        addWholeWords(bytePair, suffix: tables.suffix)
    }

    /// Words that become one piece: worked out here, once.
    private mutating func addWholeWords(_ bytePair: BytePairDefinition, suffix: [UInt8]) {
        let pieces = PieceSet(trie: PieceTrie(keys: keys), unknownID: unknownID)
        var segmenter = Segmenter()
        for (piece, id) in definition.vocabulary where id != unknownID {
            guard var text = spelled(piece), !text.isEmpty else { continue }
            if bytePair.takesWholeWords {
                add(text, id)
                continue
            }
            if !suffix.isEmpty {
                guard text.count > suffix.count, text.suffix(suffix.count).elementsEqual(suffix) else { continue }
                text.removeLast(suffix.count)
            }
            var output = Segmenter.Output(ids: [], tracksRanges: false)
            segmenter.append(text.indices, of: text.span, by: pieces, model, to: &output)
            if output.ids == [Int32(id)] { add(text, id) }
        }
    }

    /// The mark before which words may be cut, because no piece goes across; empty where there is none such.
    private func cut(_ bytePair: BytePairDefinition, _ ids: PieceIDs) -> [UInt8] {
        let mark: Unicode.Scalar = "▁"
        guard !definition.isByteLevel, bytePair.prefix.isEmpty, bytePair.suffix.isEmpty, !bytePair.takesWholeWords,
            ids[Array(String(mark).utf8)] != nil
        else { return [] }
        let crosses = bytePair.merges.contains { left, right in
            right.unicodeScalars.first == mark && left.unicodeScalars.last != mark
        }
        return crosses ? [] : Array(String(mark).utf8)
    }

    /// The bytes that a word of this text has: in byte-level files each character stands for one; nil where one
    /// stands for none.
    private func spelled(_ piece: String) -> [UInt8]? {
        guard definition.isByteLevel else { return Array(piece.utf8) }
        var bytes: [UInt8] = []
        for scalar in piece.unicodeScalars {
            guard let byte = ByteSpelling.byte(of: scalar) else { return nil }
            bytes.append(byte)
        }
        return bytes
    }
}

/// How byte-level files spell bytes: what is visible in Latin-1 stands for itself, the rest for 256 and up.
enum ByteSpelling {
    private static let bytes: [UInt32: UInt8] = {
        var bytes: [UInt32: UInt8] = [:]
        var next: UInt32 = 256
        for byte in UInt8.min...UInt8.max {
            switch byte {
            case 0x21...0x7E, 0xA1...0xAC, 0xAE...0xFF: bytes[UInt32(byte)] = byte
            default:
                bytes[next] = byte
                next += 1
            }
        }
        return bytes
    }()

    static func byte(of scalar: Unicode.Scalar) -> UInt8? { bytes[scalar.value] }
}
