import JSON

extension TokenizerDefinition {
    private static let supportedProcessors = [
        "TemplateProcessing", "BertProcessing", "RobertaProcessing", "ByteLevel", "Sequence",
    ]

    /// Reads which ids stand before, between and after those of texts.
    mutating func readPostProcessor(_ processor: JSON) throws(TokenizerError) {
        var hasTemplate = false
        for part in try Self.flattened(processor, "processors") {
            let type = Self.type(of: part)
            guard Self.supportedProcessors.contains(type) else {
                throw Self.refusal("post_processor", type, supported: Self.supportedProcessors)
            }
            if type == "ByteLevel" || type == "RobertaProcessing" {
                let isPrefixed = try Self.flag("add_prefix_space", of: part, default: true)
                let trims = try Self.flag("trim_offsets", of: part, default: true)
                trimming = trims ? isPrefixed ? .allButPrefix : .all : .none
            }
            guard type != "ByteLevel" else { continue }
            guard !hasTemplate else {
                throw .unsupported("two post_processors that add tokens are not supported; supported: one")
            }
            hasTemplate = true
            try readAddingProcessor(part, type)
        }
    }

    private mutating func readAddingProcessor(_ part: JSON, _ type: String) throws(TokenizerError) {
        guard type != "TemplateProcessing" else { return template = try Self.template(part) }
        let start = TextTemplate.Part.token(try Self.pairedID("cls", of: part), type: 0)
        let end = try Self.pairedID("sep", of: part)
        // RoBERTa knows one type, and ends the first text twice.
        let isBert = type == "BertProcessing"
        let middle = [TextTemplate.Part](repeating: .token(end, type: 0), count: isBert ? 1 : 2)
        let second = isBert ? 1 : 0
        template = TextTemplate(
            single: [start, .first(type: 0), .token(end, type: 0)],
            pair: [start, .first(type: 0)] + middle + [.second(type: second), .token(end, type: second)]
        )
    }

    /// `"cls": ["[CLS]", 101]`.
    private static func pairedID(_ key: String, of processor: JSON) throws(TokenizerError) -> UInt32 {
        guard let pair = processor[key]?.arrayValue, pair.count == 2 else {
            throw .malformed("post_processor.\(key): expected [token, id]")
        }
        return try id(pair[1], "post_processor.\(key)")
    }

    private static func template(_ processor: JSON) throws(TokenizerError) -> TextTemplate {
        let single = try parts("single", of: processor)
        guard single.filter({ $0.isFirst }).count == 1, !single.contains(where: { $0.isSecond }) else {
            throw .malformed("post_processor.single: expected exactly one sequence, A")
        }
        guard single.allSatisfy({ $0.type == 0 }) else {
            throw .unsupported("type_id other than 0 in post_processor.single is not supported yet; supported: 0")
        }
        var template = TextTemplate(single: single, pair: [])
        // Many files leave the default here, which has no special tokens; it is not looked at before a pair comes.
        if processor["pair"]?.arrayValue?.isEmpty == false { template.pair = try parts("pair", of: processor) }
        let isPair = template.pair.filter { $0.isFirst }.count == 1 && template.pair.filter { $0.isSecond }.count == 1
        guard template.pair.isEmpty || isPair else {
            throw .malformed("post_processor.pair: expected exactly one sequence A and one B")
        }
        return template
    }

    private static func parts(_ key: String, of processor: JSON) throws(TokenizerError) -> [TextTemplate.Part] {
        guard let items = processor[key]?.arrayValue else {
            throw .malformed("post_processor.\(key): expected an array")
        }
        // The ids of a template go into each call; no model has more than a handful.
        guard items.count <= 16 else {
            throw .unsupported("post_processor.\(key) with \(items.count) items is not supported; supported: 16")
        }
        var parts: [TextTemplate.Part] = []
        for item in items {
            let content = item["SpecialToken"] ?? item["Sequence"] ?? .null
            guard let name = content["id"]?.stringValue else {
                throw .malformed("post_processor.\(key): expected SpecialToken or Sequence with an id")
            }
            let type = content["type_id"]?.integerValue ?? 0
            guard (0...1).contains(type) else {
                throw .unsupported("type_id \(type) in post_processor.\(key) is not supported; supported: 0 and 1")
            }
            if item["Sequence"] != nil {
                guard name == "A" || name == "B" else {
                    throw .malformed("post_processor.\(key): expected the sequence A or B")
                }
                parts.append(name == "A" ? .first(type: Int(type)) : .second(type: Int(type)))
                continue
            }
            guard let ids = processor["special_tokens"]?[name]?["ids"]?.arrayValue, ids.count <= 16 else {
                throw .malformed("post_processor.special_tokens: expected ids of \"\(name)\"")
            }
            for id in ids {
                parts.append(.token(try Self.id(id, "post_processor.special_tokens \"\(name)\""), type: Int(type)))
            }
        }
        return parts
    }
}
