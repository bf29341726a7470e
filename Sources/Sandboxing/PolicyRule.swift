/// One line of a policy: a call that is allowed, perhaps only with certain arguments, or said not to exist.
package struct PolicyRule: Equatable, Sendable {
    package let call: String
    /// The caller is told that this kernel has no such call, and goes on: for one whose arguments a filter cannot see,
    /// where the C library knows another way.
    package let isAbsent: Bool
    /// All must hold; none means always.
    package let conditions: [ArgumentCondition]
    /// Where it stands, for errors.
    package let file: String
    package let line: Int
}

/// A comparison of one argument, as the kernel sees it: 64 bits, without a sign.
package struct ArgumentCondition: Equatable, Sendable {
    package enum Comparison: Equatable, Sendable {
        case equal, notEqual, less, lessOrEqual, greater, greaterOrEqual
        /// The bits under the mask are those of the value.
        case maskedEqual(mask: UInt64)
    }

    /// From 0 to 5.
    package let argument: Int
    package let comparison: Comparison
    package let value: UInt64

    package init(argument: Int, comparison: Comparison, value: UInt64) {
        self.argument = argument
        self.comparison = comparison
        self.value = value
    }
}
