import Testing

@testable import thaw

@Suite struct TableTests {
    @Test func `columns are as wide as they need and numbers stand under each other`() {
        var table = Table(["NAME": .left, "SIZE": .right, "NOTE": .left])
        table.add("a", "9", "")
        table.add("longer", "1000", "x")
        #expect(
            table.text == """
                NAME    SIZE  NOTE
                a          9
                longer  1000  x
                """
        )
    }

    @Test func `what others wrote cannot move the cursor`() {
        var table = Table(["A": .left])
        table.add("x\u{1B}[2J\ny")
        #expect(table.text == "A\nx [2J y")
    }
}
