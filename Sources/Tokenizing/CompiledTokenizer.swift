extension Tokenizer {
    /// "THTK", read as little-endian.
    private static let magic: UInt32 = 0x4B54_4854
    /// Bumped on any change of the bytes or of what they mean.
    private static let version: UInt32 = 1

    /// The form that ``init(compiled:)`` reads.
    package func compiled() -> [UInt8] {
        var writer = CompiledWriter()
        writer.append(Self.magic)
        writer.append(Self.version)
        writer.append(unknownID)
        writer.append(UInt32(wordScalarsMax))
        writer.append(UInt32(vocabularyCount))
        writer.append(hasNormalizedTokens ? 1 : 0 as UInt8)
        writer.append(prefixIDs)
        writer.append(suffixIDs)
        writer.append(addedTokens.map(\.id))
        writer.append(addedTokens.map { $0.isSingleWord ? 1 : 0 as UInt8 })
        characters.write(to: &writer)
        trie.write(to: &writer)
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
        unknownID = try reader.read(UInt32.self, from: bytes)
        wordScalarsMax = Int(try reader.read(UInt32.self, from: bytes))
        vocabularyCount = Int(try reader.read(UInt32.self, from: bytes))
        hasNormalizedTokens = try reader.read(UInt8.self, from: bytes) != 0
        prefixIDs = try reader.readArray(of: Int32.self, from: bytes)
        suffixIDs = try reader.readArray(of: Int32.self, from: bytes)
        let tokenIDs = try reader.readArray(of: UInt32.self, from: bytes)
        let tokenFlags = try reader.readArray(of: UInt8.self, from: bytes)
        guard tokenIDs.count == tokenFlags.count else { throw .notCompiled("its added tokens are damaged") }
        addedTokens = zip(tokenIDs, tokenFlags).map { CompiledToken(id: $0, isSingleWord: $1 != 0) }
        characters = try CharacterTable(reading: &reader, from: bytes)
        trie = try PieceTrie(reading: &reader, from: bytes)
        try reader.finish(bytes)
        let count = vocabularyCount
        let areInRange =
            unknownID < count && tokenIDs.allSatisfy { $0 < count }
            && (prefixIDs + suffixIDs).allSatisfy { $0 >= 0 && $0 < count }
            && trie.values.allSatisfy { $0 < count || $0 == PieceTrie.noValue }
        guard count <= TokenizerDefinition.idMax, areInRange else { throw .notCompiled("an id is out of range") }
    }

    /// Loads what ``compiled()`` wrote.
    package init(compiled bytes: [UInt8]) throws(TokenizerError) {
        // Bytes of bytes: marked unsafe only because padding could be read in other types.
        try self.init(compiled: unsafe bytes.span.bytes)
    }
}
