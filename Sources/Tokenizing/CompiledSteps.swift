/// The steps of a tokenizer in its compiled form: a byte that says which, then what it needs.
extension NormalizerStep {
    func write(to writer: inout CompiledWriter) {
        switch self {
        case .characters(let table):
            writer.append(0 as UInt8)
            table.write(to: &writer)
        case .composed(let table, let composition):
            writer.append(1 as UInt8)
            table.write(to: &writer)
            composition.write(to: &writer)
        case .strip(let left, let right):
            writer.append(2 as UInt8)
            writer.append((left ? 1 : 0) | (right ? 2 : 0) as UInt8)
        case .replace(let pattern, let content):
            writer.append(3 as UInt8)
            pattern.write(to: &writer)
            writer.append(content)
        case .prepend(let text):
            writer.append(4 as UInt8)
            writer.append(text)
        case .precompiled(let table):
            writer.append(5 as UInt8)
            table.write(to: &writer)
        }
    }

    init(reading reader: inout CompiledReader, from bytes: RawSpan) throws(TokenizerError) {
        switch try reader.read(UInt8.self, from: bytes) {
        case 0: self = .characters(try CharacterTable(reading: &reader, from: bytes))
        case 1:
            let table = try CharacterTable(reading: &reader, from: bytes)
            self = .composed(table, try Composition(reading: &reader, from: bytes))
        case 2:
            let flags = try reader.read(UInt8.self, from: bytes)
            self = .strip(left: flags & 1 != 0, right: flags & 2 != 0)
        case 3:
            let pattern = try Pattern(reading: &reader, from: bytes)
            self = .replace(pattern, with: try reader.readArray(of: UInt8.self, from: bytes))
        case 4: self = .prepend(try reader.readArray(of: UInt8.self, from: bytes))
        case 5: self = .precompiled(try Precompiled(reading: &reader, from: bytes))
        default: throw .notCompiled("it has a normalizer that is not known")
        }
    }
}

extension SplitStep {
    func write(to writer: inout CompiledWriter) {
        switch self {
        case .split(let pattern, let behavior, let isInverted):
            writer.append(0 as UInt8)
            pattern.write(to: &writer)
            writer.append(behavior.rawValue)
            writer.append(isInverted ? 1 : 0 as UInt8)
        case .prefixSpace: writer.append(1 as UInt8)
        case .metaspace(let mark, let scheme):
            writer.append(2 as UInt8)
            writer.append(mark)
            writer.append(scheme.rawValue)
        }
    }

    init(reading reader: inout CompiledReader, from bytes: RawSpan) throws(TokenizerError) {
        switch try reader.read(UInt8.self, from: bytes) {
        case 0:
            let pattern = try Pattern(reading: &reader, from: bytes)
            guard let behavior = SplitBehavior(rawValue: try reader.read(UInt8.self, from: bytes)) else {
                throw .notCompiled("it splits in a way that is not known")
            }
            self = .split(pattern, behavior, isInverted: try reader.read(UInt8.self, from: bytes) != 0)
        case 1: self = .prefixSpace
        case 2:
            let mark = try reader.readArray(of: UInt8.self, from: bytes)
            guard let scheme = PrependScheme(rawValue: try reader.read(UInt8.self, from: bytes)), !mark.isEmpty else {
                throw .notCompiled("its mark for spaces is damaged")
            }
            self = .metaspace(mark: mark, scheme)
        default: throw .notCompiled("it has a pre-tokenizer that is not known")
        }
    }
}

extension PieceModel {
    func write(to writer: inout CompiledWriter) {
        switch self {
        case .wordPiece(let wordScalarsMax):
            writer.append(0 as UInt8)
            writer.append(UInt32(wordScalarsMax))
        case .bytePair(let model):
            writer.append(1 as UInt8)
            writer.append((model.isByteLevel ? 1 : 0) | (model.fusesUnknown ? 2 : 0) as UInt8)
            writer.append(model.byteIDs)
            for text in [model.prefix, model.suffix, model.cut] { writer.append(text) }
            model.merges.write(to: &writer)
        case .unigram(let model):
            writer.append(2 as UInt8)
            writer.append(model.unknownScore.bitPattern)
            writer.append(model.scores.map(\.bitPattern))
            writer.append(model.byteIDs)
        case .words: writer.append(3 as UInt8)
        }
    }

    init(reading reader: inout CompiledReader, from bytes: RawSpan) throws(TokenizerError) {
        switch try reader.read(UInt8.self, from: bytes) {
        case 0: self = .wordPiece(wordScalarsMax: Int(try reader.read(UInt32.self, from: bytes)))
        case 1:
            let flags = try reader.read(UInt8.self, from: bytes)
            let byteIDs = try reader.readArray(of: UInt32.self, from: bytes)
            let prefix = try reader.readArray(of: UInt8.self, from: bytes)
            let suffix = try reader.readArray(of: UInt8.self, from: bytes)
            let cut = try reader.readArray(of: UInt8.self, from: bytes)
            self = .bytePair(
                BytePairModel(
                    merges: try MergeTable(reading: &reader, from: bytes),
                    isByteLevel: flags & 1 != 0,
                    byteIDs: byteIDs,
                    prefix: prefix,
                    suffix: suffix,
                    fusesUnknown: flags & 2 != 0,
                    cut: cut
                )
            )
        case 2:
            let unknownScore = Double(bitPattern: try reader.read(UInt64.self, from: bytes))
            let scores = try reader.readArray(of: UInt64.self, from: bytes).map { Double(bitPattern: $0) }
            let byteIDs = try reader.readArray(of: UInt32.self, from: bytes)
            self = .unigram(UnigramModel(scores: scores, unknownScore: unknownScore, byteIDs: byteIDs))
        case 3: self = .words
        default: throw .notCompiled("it has a model that is not known")
        }
    }
}
