/// Every bound of a plan, so that a hostile one costs little to refuse and no size of a valid one overflows.
package enum PlanLimits {
    /// Bumped on any change of the encoding; another version is refused.
    package static let version: UInt16 = 2

    /// Steps, values and weights each.
    ///
    /// The largest encoders in use have 48 layers of about 16 steps and weights.
    package static let entriesMax = 4096

    /// Columns of a value.
    ///
    /// The widest layer in use is below 65,536; a vocabulary as output reaches 256,000.
    package static let columnsMax = 1 << 20

    /// Rows of a table, or the inner size of a product: the largest vocabulary in use is 256,000.
    package static let weightRowsMax = 1 << 22

    /// Parts of a pooling: each kind once.
    package static let poolingPartsMax = Plan.Pooling.allCases.count

    /// Rows of one call.
    ///
    /// With the most columns that is 2⁴² bytes: far beyond memory, far from overflow.
    package static let rowsMax = 1 << 20

    /// Bytes of a name, the longest of torch modules being around 100.
    package static let nameBytesMax = 512
}
