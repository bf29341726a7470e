extension Tokenizer {
    /// "THTK", read as little-endian.
    private static let magic: UInt32 = 0x4B54_4854
    /// Bumped on any change of the bytes or of what they mean.
    private static let version: UInt32 = 2

    /// The form that ``init(compiled:)`` reads.
    package func compiled() -> [UInt8] {
        var writer = CompiledWriter()
        writer.append(Self.magic)
        writer.append(Self.version)
        writer.append(UInt32(vocabularyCount))
        writer.append((hasNormalizedTokens ? 1 : 0) | (isBert ? 4 : 0) as UInt8)
        writer.append(trimming.rawValue)
        template.write(to: &writer)
        writer.append(addedTokens.map(\.id))
        writer.append(
            addedTokens.map { token -> UInt8 in
                (token.isSingleWord ? 1 : 0) | (token.stripsLeft ? 2 : 0) | (token.stripsRight ? 4 : 0)
            }
        )
        writer.append(UInt8(normalizers.count))
        for step in normalizers { step.write(to: &writer) }
        writer.append(UInt8(splits.count))
        for step in splits { step.write(to: &writer) }
        model.write(to: &writer)
        writer.append(pieces.unknownID)
        pieces.trie.write(to: &writer)
        return writer.bytes
    }

    /// Loads what ``compiled()`` wrote.
    ///
    /// Damaged bytes are refused, or give other ids below ``vocabularyCount``.
    package init(compiled bytes: RawSpan) throws(TokenizerError) {
        var reader = CompiledReader()
        guard try reader.read(UInt32.self, from: bytes) == Self.magic else {
            throw .notCompiled("these bytes are something else")
        }
        let version = try reader.read(UInt32.self, from: bytes)
        guard version == Self.version else {
            throw .notCompiled("version \(version), but this program reads \(Self.version): deploy the function again")
        }
        vocabularyCount = Int(try reader.read(UInt32.self, from: bytes))
        let flags = try reader.read(UInt8.self, from: bytes)
        hasNormalizedTokens = flags & 1 != 0
        guard let trimming = Trimming(rawValue: try reader.read(UInt8.self, from: bytes)) else {
            throw .notCompiled("it trims in a way that is not known")
        }
        self.trimming = trimming
        template = try TextTemplate(reading: &reader, from: bytes)
        prefixIDs = template.singleIDs(after: false)
        suffixIDs = template.singleIDs(after: true)
        let tokenIDs = try reader.readArray(of: UInt32.self, from: bytes)
        let tokenFlags = try reader.readArray(of: UInt8.self, from: bytes)
        guard tokenIDs.count == tokenFlags.count else { throw .notCompiled("its added tokens are damaged") }
        addedTokens = zip(tokenIDs, tokenFlags).map { id, flags in
            CompiledToken(
                id: id,
                isSingleWord: flags & 1 != 0,
                stripsLeft: flags & 2 != 0,
                stripsRight: flags & 4 != 0
            )
        }
        normalizers = try Self.list(&reader, bytes) { reader, bytes throws(TokenizerError) in
            try NormalizerStep(reading: &reader, from: bytes)
        }
        splits = try Self.list(&reader, bytes) { reader, bytes throws(TokenizerError) in
            try SplitStep(reading: &reader, from: bytes)
        }
        model = try PieceModel(reading: &reader, from: bytes)
        let unknownID = try reader.read(UInt32.self, from: bytes)
        pieces = PieceSet(trie: try PieceTrie(reading: &reader, from: bytes), unknownID: unknownID)
        isBert = flags & 4 != 0
        try reader.finish(bytes)
        try validate()
    }

    private static func list<Step>(
        _ reader: inout CompiledReader,
        _ bytes: RawSpan,
        _ read: (inout CompiledReader, RawSpan) throws(TokenizerError) -> Step
    ) throws(TokenizerError) -> [Step] {
        var steps: [Step] = []
        for _ in 0..<(try reader.read(UInt8.self, from: bytes)) { steps.append(try read(&reader, bytes)) }
        return steps
    }

    /// Each id must be one that the model has a row for, and one that the model's own tables have.
    private func validate() throws(TokenizerError) {
        let count = UInt32(clamping: vocabularyCount)
        let isKnown = { (id: UInt32) in id < count || id == BytePairModel.noID }
        var areInRange = count <= TokenizerDefinition.idMax && addedTokens.allSatisfy { $0.id < count }
        areInRange = areInRange && template.ids.allSatisfy { $0 < count } && isKnown(pieces.unknownID)
        // Values of added tokens are places in their list.
        areInRange = areInRange && addedTokens.count <= count
        switch model {
        case .words: break
        case .wordPiece: areInRange = areInRange && pieces.unknownID < count
        case .bytePair(let model):
            let sizes = model.isByteLevel ? [256] : [0, 256]
            areInRange = areInRange && sizes.contains(model.byteIDs.count) && model.byteIDs.allSatisfy(isKnown)
            areInRange = areInRange && model.merges.merged.allSatisfy { $0 < count }
        case .unigram(let model):
            areInRange =
                areInRange && [0, 256].contains(model.byteIDs.count) && model.byteIDs.allSatisfy { $0 < count }
        }
        let isUnigram = if case .unigram = model { true } else { false }
        let mask = isUnigram ? PieceModel.idMask : UInt32.max
        areInRange = areInRange && pieces.trie.values.allSatisfy { $0 == PieceTrie.noValue || $0 & mask < count }
        guard areInRange else { throw .notCompiled("an id is out of range") }
    }

    /// Loads what ``compiled()`` wrote.
    package init(compiled bytes: [UInt8]) throws(TokenizerError) {
        // Bytes of bytes: marked unsafe only because padding could be read in other types.
        try self.init(compiled: unsafe bytes.span.bytes)
    }
}
