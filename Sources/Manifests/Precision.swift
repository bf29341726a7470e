/// The arithmetic in which a model's products are computed, as an author asks for it.
package enum Precision: String, Codable, CaseIterable, Sendable {
    case f32
    case bf16
    /// Weights of 8 bits with a scale a column, inputs of 8 bits with a scale a row.
    case int8
    /// The fastest whose results stay within the tolerance.
    case auto
}

/// A file of the bundle with inputs whose results are known, and how far ours may be from them.
package struct GoldenReference: Codable, Hashable, Sendable {
    /// Path inside the bundle.
    package var file: String
    /// The greatest relative difference, ‖ours − theirs‖ / ‖theirs‖, that any input's result may have.
    package var tolerance: Double

    package init(file: String, tolerance: Double = ManifestBounds.toleranceDefault) {
        self.file = file
        self.tolerance = tolerance
    }
}

/// What choosing a precision cost in accuracy, measured when the function was deployed.
package struct PrecisionReport: Codable, Hashable, Sendable {
    /// What the results were compared with.
    package enum Reference: String, Codable, Sendable {
        /// The results that the golden file gives.
        case golden
        /// Our own in f32, on the inputs of the golden file.
        case f32OnGolden = "f32 on golden inputs"
        /// Our own in f32, on inputs that the packer made.
        case f32OnSamples = "f32 on sample inputs"
    }

    /// One precision that was tried.
    package struct Trial: Codable, Hashable, Sendable {
        package var precision: Precision
        /// The least cosine between a result and its reference.
        package var cosineMin: Double
        /// The greatest difference of two numbers.
        package var absoluteMax: Double
        /// The greatest ‖ours − theirs‖ / ‖theirs‖ of a result.
        package var relativeMax: Double
        /// Time for all inputs on the machine that packed, one thread, the better of two runs.
        package var microseconds: Double

        package init(
            precision: Precision,
            cosineMin: Double,
            absoluteMax: Double,
            relativeMax: Double,
            microseconds: Double
        ) {
            self.precision = precision
            self.cosineMin = cosineMin
            self.absoluteMax = absoluteMax
            self.relativeMax = relativeMax
            self.microseconds = microseconds
        }
    }

    /// What the products of the deployed function are computed in: never `auto`.
    package var chosen: Precision
    package var reference: Reference
    package var inputCount: Int
    /// The bound that was applied to the relative difference; nil where none was asked for.
    package var tolerance: Double?
    package var trials: [Trial]

    package init(
        chosen: Precision,
        reference: Reference,
        inputCount: Int,
        tolerance: Double?,
        trials: [Trial]
    ) {
        self.chosen = chosen
        self.reference = reference
        self.inputCount = inputCount
        self.tolerance = tolerance
        self.trials = trials
    }

    /// A sentence's worth on what was chosen.
    package var summary: String {
        guard let trial = trials.first(where: { $0.precision == chosen }) else { return chosen.rawValue }
        return "\(chosen.rawValue): cosine ≥ \(Self.text(trial.cosineMin)), relative difference "
            + "≤ \(Self.text(trial.relativeMax)), absolute ≤ \(Self.text(trial.absoluteMax)) "
            + "against \(reference.rawValue) (\(inputCount))"
    }

    /// Four digits; a cosine needs more where it is near one.
    private static func text(_ value: Double) -> String {
        guard value.isFinite else { return "\(value)" }
        if value > 0.9, value <= 1 { return "\((value * 1e6).rounded(.down) / 1e6)" }
        return value == 0 ? "0" : "\(Float(rounded(value)))"
    }

    private static func rounded(_ value: Double) -> Double {
        var unit = 1.0
        while abs(value) * unit < 100, unit < 1e12 { unit *= 10 }
        return (value * unit).rounded() / unit
    }
}
