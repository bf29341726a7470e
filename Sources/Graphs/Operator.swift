/// An operator as a graph's nodes name it, in the meaning that it has in some operator sets.
///
/// A family of operators is a file in `Operators/` with an enum and its `static let operators: [Operator]`;
/// ``OperatorTable`` lists the families.
package struct Operator: Sendable {
    /// Reads the inputs and settings of `call` and answers the outputs in the node's order; trailing ones may be left out.
    package typealias Body = @Sendable (borrowing OperatorCall) throws(GraphError) -> [GraphValue]

    /// "" for ONNX's own, "ai.onnx.ml", "com.microsoft", or "thaw" for what the compiler makes.
    package let domain: String
    package let name: String
    /// Operator sets in which a node of that name means this.
    package let versions: ClosedRange<Int>
    /// Whether equal inputs always give equal outputs, so that a node of constants can be worked out when packing.
    package let isPure: Bool
    package let body: Body

    package init(
        _ name: String,
        domain: String = "",
        versions: ClosedRange<Int> = 1...Int.max,
        isPure: Bool = true,
        _ body: @escaping Body
    ) {
        self.name = name
        self.domain = domain
        self.versions = versions
        self.isPure = isPure
        self.body = body
    }
}

/// All operators that Thaw knows.
package enum OperatorTable {
    /// The families, a file each.
    private static let families: [[Operator]] = [
        AttentionOperators.operators,
        BinaryOperators.operators,
        BlockedOperators.operators,
        CastOperators.operators,
        ConvolutionOperators.operators,
        ControlOperators.operators,
        EinsumOperator.operators,
        EncoderOperators.operators,
        FeatureOperators.operators,
        FusedOperators.operators,
        GatherOperators.operators,
        GridOperators.operators,
        IdentityOperators.operators,
        LearningOperators.operators,
        LossOperators.operators,
        MovementOperators.operators,
        NormalizationOperators.operators,
        PlacementOperators.operators,
        PoolOperators.operators,
        ProductOperators.operators,
        QuantizationOperators.operators,
        RandomOperators.operators,
        RecurrentOperators.operators,
        ReductionOperators.operators,
        RegionOperators.operators,
        ResizeOperators.operators,
        ScatterOperators.operators,
        SelectionOperators.operators,
        SequenceOperators.operators,
        ShapeOperators.operators,
        SignalOperators.operators,
        SoftmaxOperators.operators,
        StatefulOperators.operators,
        TextOperators.operators,
        TreeOperators.operators,
        TransposedConvolutionOperators.operators,
        UnaryOperators.operators,
    ]

    private static let byName: [String: [Operator]] = Dictionary(grouping: families.joined()) {
        key($0.domain, $0.name)
    }

    private static func key(_ domain: String, _ name: String) -> String { "\(domain)\u{0}\(name)" }

    /// The operator that a node of a model with `version` of `domain`'s operator set means; nil where there is none.
    package static func find(_ name: String, domain: String, version: Int) -> Operator? {
        byName[key(domain == "ai.onnx" ? "" : domain, name)]?.first { $0.versions.contains(version) }
    }

    /// Names with their domains, in alphabetical order: what an error about an unknown one lists.
    package static let names: [String] = Set(
        families.joined().map { $0.domain.isEmpty ? $0.name : "\($0.domain).\($0.name)" }
    ).sorted()
}
