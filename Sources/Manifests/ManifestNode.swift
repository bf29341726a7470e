import Yams

/// A node of the YAML tree that knows where it stands, and says so when it is not what was expected.
struct ManifestNode {
    let file: String
    let node: Node

    func error(_ message: String) -> ManifestError {
        ManifestError(file: file, line: node.mark?.line ?? 0, column: node.mark?.column ?? 0, message: message)
    }

    /// Parses `yaml` to its root.
    ///
    /// No anchors, no aliases, one document.
    static func root(yaml: String, file: String) throws(ManifestError) -> ManifestNode {
        try checkSize(yaml, file: file)
        do {
            let parser = try Parser(yaml: yaml, encoding: .utf8)
            // An anchor lives as long as the parser that read it.
            return try withExtendedLifetime(parser) {
                guard let node = try parser.singleRoot() else {
                    throw ManifestError(
                        file: file,
                        line: 1,
                        column: 1,
                        message: "the manifest is empty; at least name is needed"
                    )
                }
                let root = ManifestNode(file: file, node: node)
                try root.refuseAnchors()
                return root
            }
        } catch let error as ManifestError {
            throw error
        } catch {
            throw ManifestError(file: file, yaml: yaml, underlying: error)
        }
    }

    /// The entries of a mapping by key.
    ///
    /// Unknown keys are errors that name the nearest known one.
    func fields(of section: String, known: [String]) throws(ManifestError) -> [String: ManifestNode] {
        guard case .mapping(let mapping) = node else {
            throw error("\(section) should be a mapping of \(known.joined(separator: ", ")), got \(kind)")
        }
        var fields: [String: ManifestNode] = [:]
        for (keyNode, valueNode) in mapping {
            let keyPlace = ManifestNode(file: file, node: keyNode)
            guard case .scalar(let key) = keyNode else {
                throw keyPlace.error("a key of \(section) should be plain text, got \(keyPlace.kind)")
            }
            guard known.contains(key.string) else {
                var message = "unknown key \"\(key.string.prefix(64))\" in \(section); "
                if let nearest = Spelling.nearest(to: key.string, among: known) {
                    message += "did you mean \"\(nearest)\"? "
                }
                throw keyPlace.error(message + "known keys: \(known.sorted().joined(separator: ", "))")
            }
            // An empty value has the place of whatever follows it; the key's place is the one that helps.
            fields[key.string] = ManifestNode(file: file, node: valueNode.isEmptyScalar ? emptied(keyNode) : valueNode)
        }
        return fields
    }

    /// All entries of a mapping of text to text, in the order of the file.
    func texts(of section: String) throws(ManifestError) -> [(key: ManifestNode, name: String, value: String)] {
        guard case .mapping(let mapping) = node else {
            throw error("\(section) should be a mapping of names to texts, got \(kind)")
        }
        var entries: [(key: ManifestNode, name: String, value: String)] = []
        for (keyNode, valueNode) in mapping {
            let key = ManifestNode(file: file, node: keyNode)
            let name = try key.text("a name in \(section)")
            let value = ManifestNode(file: file, node: valueNode.isEmptyScalar ? emptied(keyNode) : valueNode)
            entries.append((key, name, try value.text("\(section).\(name)")))
        }
        return entries
    }

    func elements(of section: String) throws(ManifestError) -> [ManifestNode] {
        guard case .sequence(let sequence) = node else {
            throw error("\(section) should be a list, got \(kind)")
        }
        return sequence.map { ManifestNode(file: file, node: $0) }
    }

    func text(_ section: String) throws(ManifestError) -> String {
        guard case .scalar(let scalar) = node, node.tag == Tag(.str) else {
            let way = node.isNonEmptyScalar ? "; put it in quotes if text is what you mean" : ""
            throw error("\(section) should be text, got \(kind)\(way)")
        }
        return scalar.string
    }

    /// The word as it is written, whatever type YAML would give it; nil for a mapping or a list.
    var word: String? {
        if case .scalar(let scalar) = node { return scalar.string }
        return nil
    }

    func integer(_ section: String, in range: ClosedRange<Int>) throws(ManifestError) -> Int {
        guard
            case .scalar(let scalar) = node, node.tag == Tag(.int),
            let number = Quantity.count(scalar.string[...]).flatMap({ Int(exactly: $0) })
        else {
            throw error("\(section) should be a whole number of 0 or more, got \(kind)")
        }
        guard range.contains(number) else {
            throw error("\(section) should be between \(range.lowerBound) and \(range.upperBound), got \(number)")
        }
        return number
    }

    func bool(_ section: String) throws(ManifestError) -> Bool {
        guard case .scalar(let scalar) = node, ["true", "false"].contains(scalar.string) else {
            throw error("\(section) should be true or false, got \(kind)")
        }
        return scalar.string == "true"
    }

    /// A number above 0.
    func fraction(_ section: String, max: Double) throws(ManifestError) -> Double {
        guard case .scalar(let scalar) = node, let number = Double(scalar.string), number > 0, number <= max else {
            throw error("\(section) should be a number above 0 and at most \(max), got \(kind)")
        }
        return number
    }

    /// A size in bytes: a plain number, or one with a unit.
    func byteCount(_ section: String, in range: ClosedRange<UInt64>) throws(ManifestError) -> UInt64 {
        guard
            case .scalar(let scalar) = node,
            let count = node.tag == Tag(.int) ? Quantity.count(scalar.string[...]) : Quantity.bytes(scalar.string)
        else {
            throw error("\(section) should be \(Quantity.sizeForm) or a number of bytes, got \(kind)")
        }
        guard range.contains(count) else {
            throw error(
                "\(section) should be between \(range.lowerBound) and \(range.upperBound) bytes, got \(count)"
            )
        }
        return count
    }

    func milliseconds(_ section: String, in range: ClosedRange<Int>) throws(ManifestError) -> Int {
        guard
            case .scalar(let scalar) = node, node.tag == Tag(.str),
            let count = Quantity.milliseconds(scalar.string)
        else {
            throw error("\(section) should be \(Quantity.durationForm), got \(kind)")
        }
        guard range.contains(count) else {
            throw error("\(section) should be between \(range.lowerBound) ms and \(range.upperBound) ms, got \(count)")
        }
        return count
    }

    /// What the node is, in words: `the number 7`, `a list`.
    var kind: String {
        switch node {
        case .mapping: "a mapping"
        case .sequence: "a list"
        case .alias: "an alias"
        case .scalar(let scalar):
            switch node.tag {
            case Tag(.int), Tag(.float): "the number \(scalar.string.prefix(40))"
            case Tag(.bool): "the truth value \(scalar.string.prefix(40))"
            case Tag(.null): "nothing"
            default: "\"\(scalar.string.prefix(40))\""
            }
        }
    }

    private func emptied(_ key: Node) -> Node {
        .scalar(Node.Scalar("", Tag(.null), .plain, key.mark))
    }

    private func refuseAnchors() throws(ManifestError) {
        guard node.anchor == nil else {
            throw error("anchors (&name) and aliases (*name) are not used in a manifest; write the value out")
        }
        switch node {
        case .mapping(let mapping):
            for (key, value) in mapping {
                try ManifestNode(file: file, node: key).refuseAnchors()
                try ManifestNode(file: file, node: value).refuseAnchors()
            }
        case .sequence(let sequence):
            for element in sequence {
                try ManifestNode(file: file, node: element).refuseAnchors()
            }
        case .scalar, .alias:
            return
        }
    }

    /// Bounds the work of the YAML library: bytes, and what aliases could make of them.
    private static func checkSize(_ yaml: String, file: String) throws(ManifestError) {
        guard yaml.utf8.count <= ManifestBounds.fileBytesMax else {
            throw ManifestError(
                file: file,
                line: 0,
                column: 0,
                message: "a manifest may have \(ManifestBounds.fileBytesMax) bytes, this one has \(yaml.utf8.count)"
            )
        }
        guard lookalikes(of: "*", in: yaml) <= ManifestBounds.aliasLookalikesMax || lookalikes(of: "&", in: yaml) == 0
        else {
            throw ManifestError(
                file: file,
                line: 0,
                column: 0,
                message: "anchors (&name) and aliases (*name) are not used in a manifest; write the values out"
            )
        }
    }

    /// Counts the places where `indicator` is followed by something other than a blank: each may be an alias.
    private static func lookalikes(of indicator: Character, in yaml: String) -> Int {
        guard let sign = indicator.asciiValue else { return 0 }
        var count = 0
        var isPending = false
        for byte in yaml.utf8 {
            if isPending, byte > 0x20 { count += 1 }
            isPending = byte == sign
        }
        return count
    }
}

extension Node {
    fileprivate var isEmptyScalar: Bool {
        if case .scalar(let scalar) = self { return scalar.string.isEmpty && scalar.style == .plain }
        return false
    }

    fileprivate var isNonEmptyScalar: Bool {
        if case .scalar(let scalar) = self { return !scalar.string.isEmpty }
        return false
    }
}

extension ManifestError {
    /// What the YAML library found wrong, with its place.
    fileprivate init(file: String, yaml: String, underlying error: any Error) {
        let (problem, mark): (String, Mark?) =
            switch error as? YamlError {
            case .scanner(let context, let problem, let mark, _), .parser(let context, let problem, let mark, _),
                .composer(let context, let problem, let mark, _):
                (context.map { "\($0.text): \(problem)" } ?? problem, mark)
            case .duplicatedKeysInMapping(let keys, let context):
                ("the key \"\(keys.first?.prefix(64) ?? "")\" is written twice", context.mark)
            case .reader(let problem, _, _, _):
                ("not readable as text: \(problem)", nil)
            case .memory:
                ("nested too deeply", nil)
            default:
                ("not valid YAML", nil)
            }
        self.init(file: file, line: mark?.line ?? 0, column: mark?.column ?? 0, message: "not valid YAML: \(problem)")
    }
}
