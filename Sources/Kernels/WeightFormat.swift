import CKernels

/// How the numbers of a product's weight are kept, and with it the arithmetic of the product.
///
/// Sums are always 32 bits wide, and so are input and output.
package enum WeightFormat: Int32, CaseIterable, Sendable {
    case f32 = 0
    /// The upper half of a float, 8 bits of which are its fraction; the input is rounded to it as well.
    case bf16 = 1
    /// Integers of −127…127 with one scale a column; each row of the input becomes integers of 0…255 with a scale and a
    /// zero of its own when the product is computed.
    case int8 = 2

    /// Numbers of a column that one step of a panel holds, in four bytes.
    var numbersPerStep: Int { 1 << Int(rawValue) }

    /// The largest inner size of a product.
    ///
    /// Of integers as many as a sum of 32 bits holds: 65,536 · 255 · 127 < 2³¹.
    package var innerMax: Int { self == .int8 ? 1 << 16 : .max }
}
