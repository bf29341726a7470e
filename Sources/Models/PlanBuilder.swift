import Inference
import Kernels

/// Collects values, weights and steps until they are a plan.
struct PlanBuilder {
    private(set) var values: [Plan.Value] = []
    private(set) var weights: [Plan.Weight] = []
    private(set) var sources: [WeightSource] = []
    var steps: [Plan.Step] = []
    private var names = EntryNames()

    mutating func value(_ rows: Plan.Rows, columns: Int) -> Plan.ValueIndex {
        values.append(Plan.Value(rows: rows, columns: columns))
        return values.count - 1
    }

    func rows(of value: Plan.ValueIndex) -> Plan.Rows {
        values[value].rows
    }

    func columns(of value: Plan.ValueIndex) -> Int {
        values[value].columns
    }

    /// A weight as the kernel reads it.
    ///
    /// `shape` is the logical one of ``Plan/Weight/shape``.
    mutating func weight(
        _ name: String,
        shape: [Int],
        layout: Plan.Layout = .plain,
        from source: WeightSource
    ) -> Plan.WeightIndex {
        weights.append(Plan.Weight(name: names.unused(name), shape: shape, layout: layout))
        sources.append(source)
        return weights.count - 1
    }

    /// A product's weight, `[inner, columns]`, in panels of floats; ``ImportedModel/with(_:)`` may change that.
    mutating func product(
        _ name: String,
        inner: Int,
        columns: Int,
        isColumnMajor: Bool,
        from numbers: WeightSource.Numbers
    ) -> Plan.WeightIndex {
        weight(
            name,
            shape: [inner, columns],
            layout: .panels16,
            from: WeightSource(
                numbers,
                .panels(inner: inner, columns: columns, isColumnMajor: isColumnMajor, format: .f32)
            )
        )
    }

    func finish(output: Plan.ValueIndex) -> ImportedModel {
        let plan = Plan(values: values, weights: weights, steps: steps, output: output)
        return ImportedModel(plan: plan, sources: sources)
    }
}
