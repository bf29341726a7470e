/// Byte-pair encoding of one word: its smallest pieces first, then of all neighbours that can be merged those of the
/// lowest rank, the leftmost of equals, until none can.
struct BytePairMerging {
    private var ids: [UInt32] = []
    /// Where each piece ends in the text.
    private var ends: [Int] = []
    /// The rank of each piece with the one behind it.
    private var ranks: [UInt32] = []

    /// Longer words go through a heap: below, looking at all neighbours for each merge is faster.
    private static let scannedPiecesMax = 48

    mutating func append(
        _ word: Range<Int>,
        of text: Span<UInt8>,
        by pieces: PieceSet,
        _ model: BytePairModel,
        to output: inout Segmenter.Output
    ) {
        ids.removeAll(keepingCapacity: true)
        ends.removeAll(keepingCapacity: true)
        if model.isByteLevel, model.prefix.isEmpty, model.suffix.isEmpty {
            for position in word {
                let id = model.byteIDs[Int(text[position])]
                if id != BytePairModel.noID {
                    add(id, position + 1)
                } else if pieces.unknownID != BytePairModel.noID {
                    addUnknown(pieces, model, position + 1)
                }
            }
        } else {
            addScalars(word, text, pieces, model)
        }
        if ids.count <= Self.scannedPiecesMax { merge(model.merges) } else { mergeByHeap(model.merges) }
        var start = word.lowerBound
        for (id, end) in zip(ids, ends) {
            output.append(id, start..<end)
            start = end
        }
    }

    private mutating func add(_ id: UInt32, _ end: Int) {
        ids.append(id)
        ends.append(end)
    }

    private mutating func addUnknown(_ pieces: PieceSet, _ model: BytePairModel, _ end: Int) {
        if model.fusesUnknown, let last = ids.last, last == pieces.unknownID {
            ends[ends.count - 1] = end
        } else {
            add(pieces.unknownID, end)
        }
    }

    /// The pieces of single scalars (of single bytes in a byte-level model), those without one as bytes or unknown.
    private mutating func addScalars(
        _ word: Range<Int>,
        _ text: Span<UInt8>,
        _ pieces: PieceSet,
        _ model: BytePairModel
    ) {
        var position = word.lowerBound
        var key: [UInt8] = []
        while position < word.upperBound {
            let count = model.isByteLevel ? 1 : text.scalar(at: position).byteCount
            let end = min(position + count, word.upperBound)
            let isDressed = !model.prefix.isEmpty || !model.suffix.isEmpty
            var found: UInt32?
            if isDressed {
                key.removeAll(keepingCapacity: true)
                if position > word.lowerBound { key += model.prefix }
                for index in position..<end { key.append(text[index]) }
                if end == word.upperBound { key += model.suffix }
                found = pieces.trie.value(of: key.span, key.indices, root: .continuation)
            } else {
                found = pieces.trie.value(of: text, position..<end, root: .continuation)
            }
            if let found {
                add(found, end)
            } else if !model.isByteLevel, !model.byteIDs.isEmpty,
                !(position..<end).contains(where: { model.byteIDs[Int(text[$0])] == BytePairModel.noID })
            {
                for index in position..<end { add(model.byteIDs[Int(text[index])], index + 1) }
            } else if pieces.unknownID != BytePairModel.noID {
                addUnknown(pieces, model, end)
            }
            position = end
        }
    }

    private mutating func merge(_ merges: MergeTable) {
        var count = ids.count
        guard count > 1 else { return }
        ranks.removeAll(keepingCapacity: true)
        for index in 0..<count - 1 { ranks.append(merges.rank(ids[index], ids[index + 1])) }
        while count > 1 {
            var best = MergeTable.noRank
            var place = 0
            for index in 0..<count - 1 where ranks[index] < best {
                best = ranks[index]
                place = index
            }
            guard best != MergeTable.noRank else { break }
            ids[place] = merges.merged[Int(best)]
            ends[place] = ends[place + 1]
            ids.remove(at: place + 1)
            ends.remove(at: place + 1)
            ranks.remove(at: place)
            count -= 1
            if place > 0 { ranks[place - 1] = merges.rank(ids[place - 1], ids[place]) }
            if place < count - 1 { ranks[place] = merges.rank(ids[place], ids[place + 1]) }
        }
    }

    private mutating func mergeByHeap(_ merges: MergeTable) {
        let count = ids.count
        var next = (1...count).map { Int32($0) }
        var previous = (0..<count).map { Int32($0) - 1 }
        var heap = MergeHeap()
        ranks = [UInt32](repeating: MergeTable.noRank, count: count)
        for index in 0..<count - 1 {
            ranks[index] = merges.rank(ids[index], ids[index + 1])
            if ranks[index] != MergeTable.noRank { heap.push(rank: ranks[index], place: index) }
        }
        while let (rank, place) = heap.pop() {
            // Told apart by rank: a piece that was merged away has none.
            guard ranks[place] == rank else { continue }
            let gone = Int(next[place])
            ids[place] = merges.merged[Int(rank)]
            ends[place] = ends[gone]
            ranks[gone] = MergeTable.noRank
            next[place] = next[gone]
            let after = Int(next[place])
            if after < count { previous[after] = Int32(place) }
            next[gone] = -1
            ranks[place] = after < count ? merges.rank(ids[place], ids[after]) : MergeTable.noRank
            if ranks[place] != MergeTable.noRank { heap.push(rank: ranks[place], place: place) }
            let before = Int(previous[place])
            guard before >= 0 else { continue }
            ranks[before] = merges.rank(ids[before], ids[place])
            if ranks[before] != MergeTable.noRank { heap.push(rank: ranks[before], place: before) }
        }
        var kept = 0
        var place = 0
        while place < count {
            ids[kept] = ids[place]
            ends[kept] = ends[place]
            kept += 1
            place = Int(next[place])
        }
        ids.removeLast(count - kept)
        ends.removeLast(count - kept)
    }
}

/// The lowest rank first, of equal ones the leftmost place.
private struct MergeHeap {
    private var entries: [UInt64] = []

    mutating func push(rank: UInt32, place: Int) {
        entries.append(UInt64(rank) << 32 | UInt64(place))
        var child = entries.count - 1
        while child > 0, entries[child] < entries[(child - 1) / 2] {
            entries.swapAt(child, (child - 1) / 2)
            child = (child - 1) / 2
        }
    }

    mutating func pop() -> (rank: UInt32, place: Int)? {
        guard let first = entries.first, let last = entries.popLast() else { return nil }
        if !entries.isEmpty {
            entries[0] = last
            var parent = 0
            while true {
                var child = parent * 2 + 1
                guard child < entries.count else { break }
                if child + 1 < entries.count, entries[child + 1] < entries[child] { child += 1 }
                guard entries[child] < entries[parent] else { break }
                entries.swapAt(parent, child)
                parent = child
            }
        }
        return (UInt32(first >> 32), Int(first & 0xFFFF_FFFF))
    }
}
