/// A function applied to each element after a matrix product, or on its own.
package enum Activation: Int32, CaseIterable, Sendable {
    case none = 0
    case relu = 1
    /// x · Φ(x) with the exact error function.
    case gelu = 2
    case tanh = 3
    case sigmoid = 4
}
