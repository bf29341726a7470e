import Inference
import JSON
import Manifests
import Models
import Tokenizing

/// Inputs on which a model's precision is measured, and the results they should have, where those are known.
struct GoldenSet {
    enum Input: Equatable {
        /// Each with its type; nil where all are of the first.
        case tokens([Int32], types: [Int32]?)
        case numbers([Float])
    }

    var inputs: [Input]
    /// One for each input; nil where our own results in f32 are what counts.
    var outputs: [[Float]]?
    let isFromFile: Bool
}

extension GoldenSet {
    /// Reads `{"inputs": […], "outputs": [[…], …]}`.
    init(
        _ reference: GoldenReference,
        for model: EngineModel,
        of archive: Archive,
        _ bytes: borrowing RawSpan
    ) throws(PackRefusal) {
        guard let range = archive.files[reference.file] else {
            throw .golden(reference, "is missing from the bundle")
        }
        guard range.count <= PackLimits.goldenBytesMax else {
            throw .golden(reference, "has \(range.count) bytes; at most \(PackLimits.goldenBytesMax) are read")
        }
        let json: JSON
        do throws(JSONError) {
            json = try JSON.parse(FileBytes.copy(range, of: bytes))
        } catch {
            throw .golden(reference, "is \(error)")
        }
        guard let items = json["inputs"]?.arrayValue, (1...PackLimits.goldenInputsMax).contains(items.count) else {
            throw .golden(reference, "should hold an array \"inputs\" of 1 to \(PackLimits.goldenInputsMax)")
        }
        let tokenizer = try Self.tokenizer(of: model)
        var inputs: [Input] = []
        for (index, item) in items.enumerated() {
            guard let input = Self.input(item, for: model, tokenizer) else {
                let wanted =
                    tokenizer == nil
                    ? "\(Self.columns(of: model)) numbers" : model.takesPairs ? "two texts" : "a text"
                throw .golden(reference, "should hold \(wanted) at \"inputs\"[\(index)]")
            }
            inputs.append(input)
        }
        self.inputs = inputs
        isFromFile = true
        outputs = nil
        guard let results = json["outputs"] else { return }
        guard let rows = results.arrayValue, rows.count == inputs.count else {
            throw .golden(reference, "should hold as many \"outputs\" as inputs, which are \(inputs.count)")
        }
        var outputs: [[Float]] = []
        for (index, row) in rows.enumerated() {
            guard let numbers = Self.numbers(row), !numbers.isEmpty else {
                throw .golden(reference, "should hold a list of numbers at \"outputs\"[\(index)]")
            }
            outputs.append(numbers)
        }
        self.outputs = outputs
    }

    /// Inputs of the packer's own: sentences of several lengths, or numbers between −1 and 1.
    static func samples(for model: EngineModel) throws(PackRefusal) -> GoldenSet {
        if let tokenizer = try tokenizer(of: model) {
            // Each, and all up to it: from a few tokens to a page.
            let texts =
                sentences
                + sentences.indices.dropFirst().map { sentences[...$0].joined(separator: " ") }
            // Each of them with the next where a model ranks pairs.
            let inputs = zip(texts, texts.dropFirst() + texts.prefix(1)).map { text, next in
                model.takesPairs
                    ? Self.pair(text, next, for: model, tokenizer)
                    : .tokens(tokenizer.encode(text, tokensMax: model.tokensMax), types: nil)
            }
            return GoldenSet(inputs: inputs, outputs: nil, isFromFile: false)
        }
        var state: UInt64 = 1
        let inputs = (0..<32).map { _ in
            Input.numbers(
                (0..<columns(of: model)).map { _ in
                    // Knuth's constants for a linear congruential generator; the same numbers at each deploy.
                    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                    return Float(Int32(truncatingIfNeeded: state >> 32)) / Float(Int32.max)
                }
            )
        }
        return GoldenSet(inputs: inputs, outputs: nil, isFromFile: false)
    }

    private static let sentences = [
        "Hello!",
        "The quick brown fox jumps over the lazy dog.",
        "How do I reset my password?",
        "Revenue grew by 12.5 % to $3,481 million in the third quarter of 2024.",
        "A receipt names the version that answered, how long the call waited and what it cost.",
        "def mean(values): return sum(values) / len(values)",
        "Der Zug nach Lyon fährt um acht Uhr von Gleis drei ab; le petit déjeuner est compris.",
        "Patients in both groups were followed for twelve weeks, after which no significant difference was found.",
    ]

    private static func tokenizer(of model: EngineModel) throws(PackRefusal) -> Tokenizer? {
        guard let compiled = model.tokenizer else { return nil }
        do throws(TokenizerError) {
            return try Tokenizer(compiled: compiled)
        } catch {
            throw PackRefusal(kind: .invalid, message: "the compiled tokenizer cannot be read again: \(error)")
        }
    }

    private static func columns(of model: EngineModel) -> Int {
        model.inputCount ?? 0
    }

    private static func input(_ json: JSON, for model: EngineModel, _ tokenizer: Tokenizer?) -> Input? {
        if let tokenizer {
            if model.takesPairs {
                guard let texts = json.arrayValue, texts.count == 2, let first = texts[0].stringValue,
                    let second = texts[1].stringValue
                else { return nil }
                return pair(first, second, for: model, tokenizer)
            }
            return json.stringValue.map { .tokens(tokenizer.encode($0, tokensMax: model.tokensMax), types: nil) }
        }
        guard let numbers = numbers(json), numbers.count == columns(of: model) else { return nil }
        return .numbers(numbers)
    }

    private static func pair(
        _ first: String,
        _ second: String,
        for model: EngineModel,
        _ tokenizer: Tokenizer
    ) -> Input {
        let encoded = tokenizer.encode(first, second, tokensMax: model.tokensMax)
        return .tokens(encoded.ids, types: model.tellsTypes ? encoded.types : nil)
    }

    private static func numbers(_ json: JSON) -> [Float]? {
        guard let items = json.arrayValue else { return nil }
        let numbers = items.compactMap(\.doubleValue).map { Float($0) }
        return numbers.count == items.count ? numbers : nil
    }
}

extension PackRefusal {
    static func golden(_ reference: GoldenReference, _ what: String) -> PackRefusal {
        PackRefusal(kind: .invalid, message: "golden.file: \(reference.file) \(what)")
    }
}
