/// How the rows of a sequence become one.
package enum Pooling: CaseIterable, Sendable {
    case mean
    /// Their sum over the square root of their number.
    case rootMean
    /// The greatest of each column.
    case greatest
    case first
    case last
}
