import Inference
import Kernels
import Linux
import Manifests
import Models

/// The model in the precision that its manifest asks for, and what that costs in accuracy.
struct PrecisionChoice {
    /// In memory where it had to be measured.
    private(set) var held: Candidate?
    let model: EngineModel
    /// nil where there was nothing to measure.
    private(set) var report: PrecisionReport?

    init(
        _ manifest: Manifest,
        _ model: EngineModel,
        of archive: Archive,
        _ bytes: borrowing RawSpan
    ) throws(PackRefusal) {
        guard manifest.precision != .f32 || manifest.golden != nil else {
            self.model = model
            return
        }
        guard model.inputCount != nil else {
            // Asked for by name, it cannot be left out without a word.
            guard manifest.precision == .auto, manifest.golden == nil else {
                throw PackRefusal(
                    kind: .unsupported,
                    message:
                        "precision \(manifest.precision.rawValue) and golden results need a model with one input of "
                        + "floats and an output of floats; this one is computed in f32: leave both out"
                )
            }
            self.model = model
            return
        }
        let set: GoldenSet
        if let golden = manifest.golden {
            set = try GoldenSet(golden, for: model, of: archive, bytes)
        } else {
            set = try GoldenSet.samples(for: model)
        }
        let plain = try Candidate(model, in: bytes)
        let measured = try Self.run(plain, on: set)
        let references = set.outputs ?? measured.results
        var candidates: [(held: Candidate, trial: PrecisionReport.Trial)] = []
        for precision in manifest.precision.candidates {
            if let format = precision.format, format != .f32 {
                let held = try Candidate(model.with(format), in: bytes, sharing: plain)
                let run = try Self.run(held, on: set)
                candidates.append((held, try Self.compared(run, precision, with: references, manifest.golden)))
            } else {
                candidates.append((plain, try Self.compared(measured, .f32, with: references, manifest.golden)))
            }
        }
        let tolerance =
            manifest.golden?.tolerance ?? (manifest.precision == .auto ? ManifestBounds.toleranceDefault : nil)
        let fitting = candidates.filter { $0.trial.relativeMax <= tolerance ?? .infinity }
        guard let chosen = fitting.min(by: { $0.trial.microseconds < $1.trial.microseconds }) else {
            throw Self.refusal(candidates.map(\.trial), tolerance ?? 0, set)
        }
        held = chosen.held
        self.model = chosen.held.model
        report = PrecisionReport(
            chosen: chosen.trial.precision,
            reference: set.outputs != nil ? .golden : set.isFromFile ? .f32OnGolden : .f32OnSamples,
            inputCount: set.inputs.count,
            tolerance: tolerance,
            trials: candidates.map(\.trial)
        )
    }

    /// Calls `body` with the numbers of a plan's weight as the snapshot keeps them.
    func withBytes(
        of weight: Plan.WeightIndex,
        _ model: ImportedModel,
        in archive: borrowing RawSpan,
        _ body: (borrowing RawSpan) throws(PackRefusal) -> Void
    ) throws(PackRefusal) {
        if case .plan(let held)? = held { return try held.withBytes(of: weight, body) }
        try model.sources[weight].withBytes(in: archive, body)
    }

    /// The results of one precision, and how long they took.
    private struct Run {
        var results: [[Float]]
        var microseconds: Double
    }

    private static func run(_ held: Candidate, on set: GoldenSet) throws(PackRefusal) -> Run {
        var run = Run(results: [], microseconds: .infinity)
        // The first touches memory that a worker has touched before its first call.
        for _ in 0..<3 {
            let start = Clock.monotonicNanoseconds()
            run.results = []
            for input in set.inputs { run.results.append(try held.run(input)) }
            run.microseconds = min(run.microseconds, Double(Clock.monotonicNanoseconds() - start) / 1000)
        }
        return run
    }

    private static func compared(
        _ run: Run,
        _ precision: Precision,
        with references: [[Float]],
        _ golden: GoldenReference?
    ) throws(PackRefusal) -> PrecisionReport.Trial {
        var trial = PrecisionReport.Trial(
            precision: precision,
            cosineMin: 1,
            absoluteMax: 0,
            relativeMax: 0,
            microseconds: run.microseconds.rounded()
        )
        for (index, (ours, theirs)) in zip(run.results, references).enumerated() {
            guard ours.count == theirs.count else {
                let reason = "gives \(theirs.count) numbers at \"outputs\"[\(index)]; the model gives \(ours.count)"
                throw golden.map { .golden($0, reason) } ?? PackRefusal(kind: .invalid, message: reason)
            }
            trial.include(ours, theirs)
        }
        return trial
    }

    private static func refusal(
        _ trials: [PrecisionReport.Trial],
        _ tolerance: Double,
        _ set: GoldenSet
    ) -> PackRefusal {
        let differences = trials.map { "\(Float($0.relativeMax)) in \($0.precision.rawValue)" }.joined(separator: ", ")
        let reference = set.outputs == nil ? "those in f32" : "the golden outputs"
        let isPlain = trials.allSatisfy { $0.precision == .f32 }
        let advice = isPlain ? "the model is not the one that made them" : "use precision f32, or allow more"
        return PackRefusal(
            kind: .invalid,
            message: "the model's results differ from \(reference) by \(differences); golden.tolerance allows "
                + "\(Float(tolerance)): \(advice)"
        )
    }
}

extension Precision {
    /// What the packer tries.
    fileprivate var candidates: [Precision] {
        self == .auto ? [.int8, .bf16, .f32] : [self]
    }

    /// nil for `auto`, which is none.
    fileprivate var format: WeightFormat? {
        switch self {
        case .f32: .f32
        case .bf16: .bf16
        case .int8: .int8
        case .auto: nil
        }
    }
}

extension PrecisionReport.Trial {
    /// One result more; one that is not a number is infinitely far.
    fileprivate mutating func include(_ ours: [Float], _ theirs: [Float]) {
        var (product, ourSquares, theirSquares, difference, greatest) = (0.0, 0.0, 0.0, 0.0, 0.0)
        for (a, b) in zip(ours, theirs) {
            let (a, b) = (Double(a), Double(b))
            product += a * b
            ourSquares += a * a
            theirSquares += b * b
            difference += (a - b) * (a - b)
            greatest = max(greatest, abs(a - b))
        }
        guard difference.isFinite, product.isFinite else {
            (cosineMin, absoluteMax, relativeMax) = (-1, .greatestFiniteMagnitude, .greatestFiniteMagnitude)
            return
        }
        let lengths = (ourSquares * theirSquares).squareRoot()
        cosineMin = min(cosineMin, lengths > 0 ? product / lengths : difference == 0 ? 1 : 0)
        absoluteMax = max(absoluteMax, greatest)
        let relative = theirSquares > 0 ? (difference / theirSquares).squareRoot() : difference.squareRoot()
        relativeMax = max(relativeMax, relative)
    }
}
