import Kernels
import Testing

struct PanelsTests {
    @Test func `columns are laid out in panels of sixteen and filled up with zeros`() {
        // weight[k, column] = 100 · k + column, 2 × 18
        let weight = (0..<2).flatMap { k in (0..<18).map { Float(100 * k + $0) } }
        let panels = Panels.pack(weight, inner: 2, columns: 18, isColumnMajor: false)
        #expect(panels.count == 64 && panels.count == Panels.floatCount(inner: 2, columns: 18))
        #expect(Array(panels[0..<16]) == (0..<16).map(Float.init))
        #expect(Array(panels[16..<32]) == (0..<16).map { Float(100 + $0) })
        #expect(Array(panels[32..<34]) == [16, 17] && panels[34..<48].allSatisfy { $0 == 0 })
        #expect(Array(panels[48..<50]) == [116, 117] && panels[50..<64].allSatisfy { $0 == 0 })
    }

    @Test func `a torch weight packs to the same panels as its transpose`() {
        let (inner, columns) = (5, 37)
        let rowMajor = (0..<inner * columns).map(Float.init)
        let columnMajor = (0..<columns).flatMap { column in (0..<inner).map { rowMajor[$0 * columns + column] } }
        #expect(
            Panels.pack(rowMajor, inner: inner, columns: columns, isColumnMajor: false)
                == Panels.pack(columnMajor, inner: inner, columns: columns, isColumnMajor: true)
        )
    }
}
