import Linux
import Testing

struct RandomPoolTests {
    @Test func `no number comes twice, across fills too`() {
        var pool = RandomPool()
        let numbers = (0..<1000).map { _ in pool.next() }
        #expect(Set(numbers).count == numbers.count)
    }

    @Test func `two pools are not the same`() {
        var (first, second) = (RandomPool(), RandomPool())
        #expect((0..<8).map { _ in first.next() } != (0..<8).map { _ in second.next() })
    }
}
