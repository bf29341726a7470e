extension Graph {
    /// Reads what ``encoded()`` wrote, and validates it: bytes of a snapshot are not trusted.
    package init(decoding bytes: [UInt8]) throws(GraphError) {
        guard bytes.count <= GraphLimits.bytesMax else {
            throw .invalid("the graph has \(bytes.count) bytes, at most \(GraphLimits.bytesMax) are read")
        }
        var reader = GraphReader(bytes)
        try reader.readHeader()
        self.init(
            valueCount: try reader.number(atMost: GraphLimits.valuesMax, "values"),
            constants: try reader.list { (reader) throws(GraphError) in try reader.constant() },
            inputs: try reader.list { (reader) throws(GraphError) in try reader.port() },
            outputs: try reader.list { (reader) throws(GraphError) in try reader.port() },
            bodies: try reader.list { (reader) throws(GraphError) in
                Graph.Body(
                    inputs: try reader.numbers(),
                    outputs: try reader.numbers(),
                    nodes: try reader.list { (reader) throws(GraphError) in try reader.node() }
                )
            }
        )
        try reader.finish()
        try validate()
    }
}

/// Takes an encoded graph apart; every read is checked against the end, every count against the bytes that are left.
private struct GraphReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func malformed(_ reason: String) -> GraphError {
        .invalid("the encoded graph is damaged at byte \(position): \(reason)")
    }

    mutating func readHeader() throws(GraphError) {
        guard bytes.starts(with: GraphWriter.magic) else { throw malformed("it does not begin with THAWGRPH") }
        position = GraphWriter.magic.count
        let version = try byte()
        guard version == GraphWriter.version, try byte() == 0 else {
            throw malformed("version \(version) is not \(GraphWriter.version): deploy the function again")
        }
    }

    /// Call last.
    func finish() throws(GraphError) {
        guard position == bytes.count else { throw malformed("\(bytes.count - position) bytes are left over") }
    }

    private mutating func byte() throws(GraphError) -> UInt8 {
        guard position < bytes.count else { throw malformed("it ends early") }
        position += 1
        return bytes[position - 1]
    }

    private mutating func slice(_ count: Int) throws(GraphError) -> Range<Int> {
        guard count <= bytes.count - position else { throw malformed("it ends early") }
        position += count
        return position - count..<position
    }

    private mutating func bits() throws(GraphError) -> UInt64 {
        var result: UInt64 = 0
        for shift in stride(from: UInt64(0), through: 63, by: 7) {
            let byte = try byte()
            result |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return result }
        }
        throw malformed("a number has more than 64 bits")
    }

    mutating func number(atMost limit: Int = Int(Int32.max), _ what: String = "") throws(GraphError) -> Int {
        let bits = try bits()
        guard bits <= UInt64(limit) else { throw malformed("\(bits) \(what) are more than \(limit)") }
        return Int(bits)
    }

    private mutating func signed() throws(GraphError) -> Int {
        let bits = try bits()
        return Int(bitPattern: UInt(bits >> 1)) ^ -Int(bits & 1)
    }

    private mutating func text(bytesMax: Int = GraphLimits.nameBytesMax) throws(GraphError) -> String {
        let range = try slice(try number(atMost: bytesMax, "bytes of a name"))
        guard let text = String(validating: bytes[range], as: UTF8.self) else { throw malformed("a name is not UTF-8") }
        return text
    }

    private mutating func float() throws(GraphError) -> Float {
        let range = try slice(4)
        return Float(bitPattern: range.reversed().reduce(UInt32(0)) { $0 << 8 | UInt32(bytes[$1]) })
    }

    /// As many as the count in front, each of at least one byte.
    mutating func list<Item>(
        _ item: (inout GraphReader) throws(GraphError) -> Item
    ) throws(GraphError) -> [Item] {
        let count = try number(atMost: bytes.count - position, "items")
        var items: [Item] = []
        for _ in 0..<count { items.append(try item(&self)) }
        return items
    }

    mutating func numbers() throws(GraphError) -> [Int] {
        try list { (reader) throws(GraphError) in try reader.number() }
    }

    private mutating func indices() throws(GraphError) -> [Graph.ValueIndex?] {
        try list { (reader) throws(GraphError) in
            let number = try reader.number()
            return number == 0 ? nil : number - 1
        }
    }

    private mutating func element() throws(GraphError) -> TensorElement {
        let raw = try byte()
        guard let element = TensorElement(rawValue: raw) else { throw malformed("\(raw) is no type of elements") }
        return element
    }

    private mutating func strings() throws(GraphError) -> [String] {
        try list { (reader) throws(GraphError) in try reader.text(bytesMax: reader.bytes.count) }
    }

    mutating func constant() throws(GraphError) -> Graph.Constant {
        Graph.Constant(
            try number(),
            name: try text(),
            element: try element(),
            shape: try numbers(),
            strings: try strings()
        )
    }

    mutating func port() throws(GraphError) -> Graph.Port {
        let name = try text()
        let value = try number()
        let rawKind = try byte()
        guard let kind = Graph.Port.Kind(rawValue: rawKind) else { throw malformed("\(rawKind) is no kind of port") }
        let rawElement = try byte()
        let element = TensorElement(rawValue: rawElement)
        guard element != nil || rawElement == 0 else { throw malformed("\(rawElement) is no type of elements") }
        let shape: [Graph.Dimension]? =
            try byte() == 0
            ? nil
            : try list { (reader) throws(GraphError) in
                let number = try reader.number(atMost: TensorLimits.elementsMax + 1, "elements")
                return number > 0 ? .fixed(number - 1) : .open(try reader.text())
            }
        return Graph.Port(name, value, kind: kind, element: element, shape: shape, hasDefault: try byte() != 0)
    }

    mutating func node() throws(GraphError) -> Graph.Node {
        let domain = try text()
        let name = try text()
        let version = try number()
        let title = try text(bytesMax: GraphLimits.titleBytesMax)
        let inputs = try indices()
        let outputs = try indices()
        let settings = try list { (reader) throws(GraphError) in (try reader.text(), try reader.attribute()) }
        return Graph.Node(
            name,
            domain: domain,
            version: version,
            title: title,
            inputs: inputs,
            outputs: outputs,
            attributes: Dictionary(settings) { first, _ in first }
        )
    }

    private mutating func attribute() throws(GraphError) -> Attribute {
        let raw = try byte()
        guard let kind = AttributeKind(rawValue: raw) else { throw malformed("\(raw) is no kind of setting") }
        switch kind {
        case .float: return .float(try float())
        case .integer: return .integer(try signed())
        case .string: return .string(try text(bytesMax: bytes.count))
        case .tensor: return .tensor(try tensor())
        case .floats: return .floats(try list { (reader) throws(GraphError) in try reader.float() })
        case .integers: return .integers(try list { (reader) throws(GraphError) in try reader.signed() })
        case .strings: return .strings(try strings())
        case .graph: return .graph(try number())
        }
    }

    private mutating func tensor() throws(GraphError) -> Tensor {
        let element = try element()
        let shape = try numbers()
        let count = try OperatorCall.elementCount(shape)
        if element == .string {
            let strings = try strings()
            guard strings.count == count else { throw malformed("\(strings.count) texts for the shape \(shape)") }
            return Tensor(strings: strings, shape: shape)
        }
        let range = try slice(count * element.byteCount)
        return Tensor(element, shape: shape, copying: unsafe bytes.span.bytes.extracting(range))
    }
}
