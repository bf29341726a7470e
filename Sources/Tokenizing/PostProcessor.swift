import JSON

extension TokenizerDefinition {
    /// Reads which ids stand before and after those of a text.
    mutating func readPostProcessor(_ processor: JSON) throws(TokenizerError) {
        if processor == .null { return }
        let supported = ["TemplateProcessing", "BertProcessing"]
        try Self.expectType(processor, "post_processor", supported: supported)
        if processor["type"]?.stringValue == "BertProcessing" {
            prefixIDs = [try Self.pairedID("cls", of: processor)]
            suffixIDs = [try Self.pairedID("sep", of: processor)]
        } else {
            try readTemplate(processor)
        }
    }

    /// `"cls": ["[CLS]", 101]`.
    private static func pairedID(_ key: String, of processor: JSON) throws(TokenizerError) -> UInt32 {
        guard let pair = processor[key]?.arrayValue, pair.count == 2 else {
            throw .malformed("post_processor.\(key): expected [token, id]")
        }
        return try id(pair[1], "post_processor.\(key)")
    }

    /// `single`: special tokens around one sequence A, all of type 0; the template for pairs is never used.
    private mutating func readTemplate(_ processor: JSON) throws(TokenizerError) {
        guard let items = processor["single"]?.arrayValue else {
            throw .malformed("post_processor.single: expected an array")
        }
        // The ids of a template go into each call; no model has more than a handful.
        guard items.count <= 16 else {
            throw .unsupported("post_processor.single with \(items.count) items is not supported; supported: 16")
        }
        var hasSequence = false
        for item in items {
            let content = item["SpecialToken"] ?? item["Sequence"] ?? .null
            guard let name = content["id"]?.stringValue else {
                throw .malformed("post_processor.single: expected SpecialToken or Sequence with an id")
            }
            guard content["type_id"]?.integerValue ?? 0 == 0 else {
                throw .unsupported("type_id other than 0 in post_processor.single is not supported yet; supported: 0")
            }
            if item["Sequence"] != nil {
                guard name == "A", !hasSequence else {
                    throw .malformed("post_processor.single: expected exactly one sequence, A")
                }
                hasSequence = true
                continue
            }
            guard let ids = processor["special_tokens"]?[name]?["ids"]?.arrayValue, ids.count <= 16 else {
                throw .malformed("post_processor.special_tokens: expected ids of \"\(name)\"")
            }
            for id in ids {
                let id = try Self.id(id, "post_processor.special_tokens \"\(name)\"")
                if hasSequence { suffixIDs.append(id) } else { prefixIDs.append(id) }
            }
        }
        guard hasSequence else { throw .malformed("post_processor.single: expected exactly one sequence, A") }
    }
}
