/// The layout of a weight that a matrix product reads: panels of 16 columns.
///
///     weight[inner, columns]          panel 0: columns 0…15       panel 1: columns 16…31
///     k = 0  [ c0 c1 c2 … ]     →     [ c0 … c15 ]  k = 0          [ c16 … c31 ]
///     k = 1  [ c0 c1 c2 … ]           [ c0 … c15 ]  k = 1          [ c16 … c31 ]
///      …                               …                            …
///
/// The kernel walks down a panel and finds the 16 products of each k in one line of the cache. The last panel is filled
/// up with zeros.
package enum Panels {
    /// Columns of a panel: one AVX-512 register, two of AVX2.
    ///
    /// Part of the snapshot format (`Plan.Layout.panels16`).
    package static let columns = 16

    /// Floats of a packed weight; inner, columns ≥ 0.
    package static func floatCount(inner: Int, columns: Int) -> Int {
        (columns + Self.columns - 1) / Self.columns * Self.columns * inner
    }

    /// Packs a weight of `inner` × `columns` floats.
    ///
    /// `isColumnMajor` says that they lie as `[columns, inner]`, as in a torch `Linear`, and not as `[inner, columns]`.
    package static func pack(_ weights: [Float], inner: Int, columns: Int, isColumnMajor: Bool) -> [Float] {
        precondition(weights.count == inner * columns, "\(weights.count) floats are not \(inner) × \(columns)")
        var panels = [Float](repeating: 0, count: floatCount(inner: inner, columns: columns))
        for column in 0..<columns {
            let start = column / Self.columns * Self.columns * inner + column % Self.columns
            for k in 0..<inner {
                panels[start + k * Self.columns] = weights[isColumnMajor ? column * inner + k : k * columns + column]
            }
        }
        return panels
    }
}
