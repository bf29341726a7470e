import Testing

@testable import Registry

struct SharedValuesTests {
    @Test func `equal values are held once`() {
        var values = SharedValues<String>()
        let first = values.shared(SharedValue("a manifest"))
        #expect(values.shared(SharedValue("a manifest")) === first)
        #expect(values.shared(SharedValue("another")) !== first)
        #expect(values.count == 2)
    }

    @Test func `values that nobody holds are let go`() {
        var values = SharedValues<Int>()
        let kept = values.shared(SharedValue(-1))
        for number in 0..<10_000 { _ = values.shared(SharedValue(number)) }
        #expect(values.count < 200)
        #expect(values.shared(SharedValue(-1)) === kept)
    }

    @Test func `values that somebody holds are never let go`() {
        var values = SharedValues<Int>()
        let held = (0..<1000).map { values.shared(SharedValue($0)) }
        for (number, value) in held.enumerated() {
            #expect(values.shared(SharedValue(number)) === value)
        }
    }
}
