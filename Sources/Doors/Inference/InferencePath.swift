/// Which door a call came in by, and with it the protocol of its body, reply and errors.
enum CallDoor: Equatable {
    case own
    /// The function stands in the body.
    case openAIEmbeddings
    /// The function stands in the body, too.
    case rerank
    /// `model` is the model's name as the caller has it.
    case openInference(model: String)
    case prediction

    var dialect: ErrorDialect {
        switch self {
        case .own: .own
        case .openAIEmbeddings, .rerank: .openAI
        case .openInference: .openInference
        case .prediction: .fastAPI
        }
    }
}

/// The paths of the inference protocols that are calls.
///
/// | path | protocol |
/// |---|---|
/// | `/v1/embeddings` | OpenAI |
/// | `/v1/rerank`, `/v2/rerank` | Jina, Cohere |
/// | `/v2/models/{model}[/versions/{version}]/infer` | Open Inference |
/// | `/predict/{model}` | named inputs as JSON |
struct InferencePath {
    /// Of no name where the function stands in the body.
    let model: ModelName
    let door: CallDoor

    init?(_ path: String.UTF8View.SubSequence) {
        var segments = PathSegments(rest: path)
        guard let first = segments.next() else { return nil }
        if first.elementsEqual("v1".utf8) {
            guard let last = segments.next(), segments.next() == nil else { return nil }
            if last.elementsEqual("embeddings".utf8) {
                door = .openAIEmbeddings
            } else if last.elementsEqual("rerank".utf8) {
                door = .rerank
            } else {
                return nil
            }
            model = ModelName("")
        } else if Self.isSecondRerank(path) {
            model = ModelName("")
            door = .rerank
        } else if first.elementsEqual("v2".utf8) {
            guard let model = Self.inferredModel(&segments) else { return nil }
            self.model = model.name
            door = .openInference(model: model.text)
        } else if first.elementsEqual("predict".utf8) {
            guard let model = segments.next().flatMap(ModelName.init(segment:)), segments.next() == nil else {
                return nil
            }
            self.model = model
            door = .prediction
        } else {
            return nil
        }
    }

    /// The path that Cohere's newer client asks for; its body and reply are the same.
    private static func isSecondRerank(_ path: String.UTF8View.SubSequence) -> Bool {
        var segments = PathSegments(rest: path)
        guard let version = segments.next(), version.elementsEqual("v2".utf8), let last = segments.next() else {
            return false
        }
        return last.elementsEqual("rerank".utf8) && segments.next() == nil
    }

    /// Of what follows `/v2`.
    private static func inferredModel(_ segments: inout PathSegments) -> (name: ModelName, text: String)? {
        guard let models = segments.next(), models.elementsEqual("models".utf8),
            let text = segments.next().flatMap(ModelName.unescaped), var last = segments.next()
        else { return nil }
        var name = ModelName(text)
        if last.elementsEqual("versions".utf8) {
            guard let version = segments.next(), let next = segments.next() else { return nil }
            name.qualifier = String(Substring(version))
            last = next
        }
        guard last.elementsEqual("infer".utf8), segments.next() == nil else { return nil }
        return (name, text)
    }
}
