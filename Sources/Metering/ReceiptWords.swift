import Scheduling

/// A receipt as it lies in a slot.
///
/// ```
/// 0, 1    identifier        2..<14  numbers, in the order of `encode`
/// 14      codes: outcome | start << 8 | has a reason << 16 | (calls of the batch - 1) << 17 | has a parent << 25
/// 15      bytes of each text: node, function, snapshot, rate card (8 bits each), reason (16 bits)
/// 16...   the texts, one after the other, in UTF-8; then two words of the parent's identifier
/// ```
enum ReceiptWords {
    static let fixedCount = 16
    private static let parentCount = 2
    private static let parentBit: UInt64 = 1 << 25
    /// Of node, function and snapshot: a function's name is a DNS label, a digest 64 hexadecimal digits.
    static let nameBytesMax = 64
    /// What is left for the reason in a slot's finished area, two words of which are count and checksum: 256 bytes.
    static let reasonBytesMax =
        (SlotLayout.finishedArea.count - 2 - fixedCount - parentCount) * 8 - 3 * nameBytesMax - RateCard.idBytesMax

    /// What eight bits hold; batches are smaller.
    private static let batchSizeMax = 256

    private static let outcomes = Receipt.Outcome.allCases
    private static let starts: [StartKind?] = [nil, .hot, .warm, .cold]

    /// The texts of the receipt have been checked against the limits above.
    ///
    /// - Parameter wordsMax: of the area that it is for; a parent goes where there is room for it.
    static func encode(
        _ receipt: Receipt,
        wordsMax: Int = SlotLayout.finishedArea.count - 2
    ) -> [UInt64] {
        let start = starts.firstIndex(of: receipt.start) ?? 0
        let outcome = outcomes.firstIndex(of: receipt.outcome) ?? 0
        let batch = UInt64(min(max(receipt.batchSize, 1), batchSizeMax) - 1) << 17
        var words: [UInt64] = []
        words.reserveCapacity(SlotLayout.finishedArea.count)
        words.append(receipt.id.high)
        words.append(receipt.id.low)
        words.append(UInt64(bitPattern: Int64(receipt.attempt)))
        words.append(UInt64(bitPattern: Int64(receipt.version)))
        words.append(receipt.acceptedUnixNanoseconds)
        words.append(receipt.queueNanoseconds)
        words.append(receipt.bindNanoseconds)
        words.append(receipt.runNanoseconds)
        words.append(receipt.cpuNanoseconds)
        words.append(UInt64(bitPattern: Int64(receipt.memoryBytesPeak)))
        words.append(UInt64(bitPattern: Int64(receipt.bytesIn)))
        words.append(UInt64(bitPattern: Int64(receipt.bytesOut)))
        words.append(UInt64(bitPattern: Int64(receipt.status)))
        words.append(UInt64(bitPattern: Int64(receipt.billedNanodollars)))
        words.append(UInt64(outcome) | UInt64(start) << 8 | (receipt.reason == nil ? 0 : 1 << 16) | batch)
        words.append(0)
        append(receipt.node, receipt.function, receipt.snapshot, receipt.rateCard, receipt.reason ?? "", to: &words)
        // The begun area is full where node, function and card have the longest names: there a call that is interrupted
        // goes without its parent, so as not to go without its receipt.
        if let parent = receipt.parent, words.count + parentCount <= wordsMax {
            words[14] |= parentBit
            words.append(parent.high)
            words.append(parent.low)
        }
        return words
    }

    /// The texts behind the numbers, their lengths in the last of these.
    ///
    /// Twice on every call's way: no array of texts, no list of lengths.
    private static func append(
        _ node: String,
        _ function: String,
        _ snapshot: String,
        _ rateCard: String,
        _ reason: String,
        to words: inout [UInt64]
    ) {
        let (nodeCount, functionCount) = (node.utf8.count, function.utf8.count)
        let (snapshotCount, rateCardCount, reasonCount) = (snapshot.utf8.count, rateCard.utf8.count, reason.utf8.count)
        let start = words.count
        words[start - 1] =
            UInt64(nodeCount) | UInt64(functionCount) << 8 | UInt64(snapshotCount) << 16 | UInt64(rateCardCount) << 24
            | UInt64(reasonCount) << 32
        let byteCount = nodeCount + functionCount + snapshotCount + rateCardCount + reasonCount
        for _ in 0..<(byteCount + 7) / 8 { words.append(0) }
        unsafe words.withUnsafeMutableBytes { bytes in
            var offset = start * 8
            func copy(_ text: String, _ count: Int) {
                unsafe UnsafeMutableRawBufferPointer(rebasing: bytes[offset..<offset + count]).copyBytes(
                    from: text.utf8
                )
                offset += count
            }
            copy(node, nodeCount)
            copy(function, functionCount)
            copy(snapshot, snapshotCount)
            copy(rateCard, rateCardCount)
            copy(reason, reasonCount)
        }
        // The first byte of a text is the lowest of its word, whatever the machine's order.
        for index in start..<words.count { words[index] = UInt64(littleEndian: words[index]) }
    }

    /// - Returns: nil where the words are not those of a receipt; the disk is not trusted to keep them.
    static func decode(_ words: [UInt64]) -> Receipt? {
        guard words.count >= fixedCount, let id = InvocationID(high: words[0], low: words[1]) else { return nil }
        let lengths = [0, 8, 16, 24].map { Int(words[15] >> $0 & 0xff) } + [Int(words[15] >> 32 & 0xffff)]
        guard words[15] >> 48 == 0 else { return nil }
        let hasParent = words[14] & parentBit != 0
        guard words.count >= fixedCount + (hasParent ? parentCount : 0) else { return nil }
        let ends = hasParent ? words.count - parentCount : words.count
        let parent = hasParent ? InvocationID(high: words[ends], low: words[ends + 1]) : nil
        guard !hasParent || parent != nil else { return nil }
        let bytes = words[fixedCount..<ends].flatMap { word in
            (0..<8).map { UInt8(truncatingIfNeeded: word >> ($0 * 8)) }
        }
        var texts: [String] = []
        var position = 0
        for length in lengths {
            guard position + length <= bytes.count else { return nil }
            guard let text = String(validating: bytes[position..<position + length], as: UTF8.self) else { return nil }
            texts.append(text)
            position += length
        }
        guard bytes.count - position < 8, bytes[position...].allSatisfy({ $0 == 0 }) else { return nil }
        let outcome = Int(words[14] & 0xff)
        let start = Int(words[14] >> 8 & 0xff)
        guard outcomes.indices.contains(outcome), starts.indices.contains(start), words[14] >> 26 == 0 else {
            return nil
        }

        var receipt = Receipt(
            Attempt(
                id: id,
                number: Int(truncatingIfNeeded: words[2]),
                parent: parent,
                function: texts[1],
                version: Int(truncatingIfNeeded: words[3]),
                snapshot: texts[2],
                bytesIn: Int(truncatingIfNeeded: words[10]),
                acceptedUnixNanoseconds: words[4]
            )
        )
        receipt.node = texts[0]
        receipt.start = starts[start]
        receipt.queueNanoseconds = words[5]
        receipt.bindNanoseconds = words[6]
        receipt.runNanoseconds = words[7]
        receipt.cpuNanoseconds = words[8]
        receipt.memoryBytesPeak = Int(truncatingIfNeeded: words[9])
        receipt.bytesOut = Int(truncatingIfNeeded: words[11])
        receipt.status = Int(truncatingIfNeeded: words[12])
        receipt.billedNanodollars = Int(truncatingIfNeeded: words[13])
        receipt.outcome = outcomes[outcome]
        receipt.rateCard = texts[3]
        receipt.batchSize = Int(words[14] >> 17 & 0xff) + 1
        receipt.reason = words[14] >> 16 & 1 == 1 ? texts[4] : nil
        return receipt
    }
}

extension Receipt {
    /// The reason cut to what a slot holds, at the boundary of a character.
    mutating func cutReason(toBytes bytesMax: Int = ReceiptWords.reasonBytesMax) {
        guard let reason, reason.utf8.count > bytesMax else { return }
        let ellipsis = "…"
        var end = reason.utf8.index(reason.startIndex, offsetBy: bytesMax - ellipsis.utf8.count)
        while end > reason.startIndex, end.samePosition(in: reason) == nil { end = reason.utf8.index(before: end) }
        self.reason = reason[..<end] + ellipsis
    }
}
