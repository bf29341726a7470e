import Testing

@testable import Events

@Suite struct FolderQueueTests {
    private func names(_ range: Range<Int>) -> [FolderQueue.Name] { range.map { Array("\($0)".utf8) } }

    @Test func `a folder of more files than are remembered is looked through again, never while there is no room`() {
        var queue = FolderQueue()
        #expect(queue.isLookDue)
        queue.found(names(0..<(FolderQueue.namesMax + 5)))
        #expect(queue.needsLook && !queue.isLookDue)
        let given = queue.next(.max, now: 0)
        #expect(given == names(0..<FolderQueue.namesMax))
        #expect(queue.isLookDue)
        for name in given { queue.putOff(name, untilNanoseconds: 7) }
        #expect(!queue.isLookDue && queue.dueNanoseconds == 7)
        #expect(queue.next(1, now: 6).isEmpty)
        #expect(queue.next(1, now: 7).count == 1)
    }

    @Test func `a file that is told of twice is given out once`() {
        var queue = FolderQueue()
        queue.found(names(0..<2))
        queue.arrived(Array("1".utf8))
        #expect(queue.next(9, now: 0) == names(0..<2))
        #expect(queue.next(9, now: 0).isEmpty && !queue.isLookDue)
    }
}
