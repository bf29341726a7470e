// The encoding of a graph:
//
//     "THAWGRPH" · version UInt16 · value count
//     constants  count, each: value · name · element · shape · texts of one of texts
//     inputs     count, each: name · value · kind · element or 0 · shape or none · whether it has a default
//     outputs    the same
//     bodies     count, each: inputs · outputs · nodes, each: domain · name · version · title · inputs · outputs · settings
//
// Numbers are varints (7 bits a byte, lowest first), signed ones zigzag; counts stand before lists and texts; an index
// that may be absent is written one higher, 0 where it is absent. Settings come in the order of their names.

extension Graph {
    /// The bytes that ``init(decoding:)`` reads.
    package func encoded() -> [UInt8] {
        var writer = GraphWriter()
        writer.bytes += GraphWriter.magic
        writer.bytes += [GraphWriter.version, 0]
        writer.append(valueCount)
        writer.append(list: constants) { writer, constant in
            writer.append(constant.value)
            writer.append(constant.name)
            writer.bytes.append(constant.element.rawValue)
            writer.append(constant.shape)
            writer.append(list: constant.strings) { $0.append($1) }
        }
        writer.append(list: inputs) { $0.append($1) }
        writer.append(list: outputs) { $0.append($1) }
        writer.append(list: bodies) { writer, body in
            writer.append(body.inputs)
            writer.append(body.outputs)
            writer.append(list: body.nodes) { $0.append($1) }
        }
        return writer.bytes
    }
}

/// The number that stands for a kind of setting: never reused for another meaning.
enum AttributeKind: UInt8 {
    case float = 1
    case integer = 2
    case string = 3
    case tensor = 4
    case floats = 5
    case integers = 6
    case strings = 7
    case graph = 8
}

/// Appends the parts of a graph.
struct GraphWriter {
    static let magic = Array("THAWGRPH".utf8)
    static let version: UInt8 = 1

    var bytes: [UInt8] = []

    mutating func append(bits: UInt64) {
        var rest = bits
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Not negative.
    mutating func append(_ number: Int) { append(bits: UInt64(number)) }

    mutating func append(signed number: Int) {
        append(bits: UInt64(bitPattern: Int64(number << 1 ^ number >> 63)))
    }

    mutating func append(_ text: String) {
        append(text.utf8.count)
        bytes += text.utf8
    }

    mutating func append(_ float: Float) {
        for place in 0..<4 { bytes.append(UInt8(truncatingIfNeeded: float.bitPattern >> UInt32(place * 8))) }
    }

    mutating func append<Item>(list items: [Item], _ write: (inout GraphWriter, Item) -> Void) {
        append(items.count)
        for item in items { write(&self, item) }
    }

    mutating func append(_ numbers: [Int]) { append(list: numbers) { $0.append($1) } }

    mutating func append(_ indices: [Graph.ValueIndex?]) {
        append(list: indices) { $0.append($1.map { $0 + 1 } ?? 0) }
    }

    mutating func append(_ port: Graph.Port) {
        append(port.name)
        append(port.value)
        bytes.append(port.kind.rawValue)
        bytes.append(port.element?.rawValue ?? 0)
        bytes.append(port.shape == nil ? 0 : 1)
        if let shape = port.shape {
            append(list: shape) { writer, dimension in
                switch dimension {
                case .fixed(let size): writer.append(size + 1)
                case .open(let name):
                    writer.append(0)
                    writer.append(name)
                }
            }
        }
        bytes.append(port.hasDefault ? 1 : 0)
    }

    mutating func append(_ node: Graph.Node) {
        append(node.domain)
        append(node.name)
        append(node.version)
        append(node.title)
        append(node.inputs)
        append(node.outputs)
        append(list: node.attributes.sorted { $0.key < $1.key }) { writer, setting in
            writer.append(setting.key)
            writer.append(setting.value)
        }
    }

    private mutating func append(_ attribute: Attribute) {
        switch attribute {
        case .float(let value):
            append(.float)
            append(value)
        case .integer(let value):
            append(.integer)
            append(signed: value)
        case .string(let value):
            append(.string)
            append(value)
        case .tensor(let tensor):
            append(.tensor)
            append(tensor)
        case .floats(let values):
            append(.floats)
            append(list: values) { $0.append($1) }
        case .integers(let values):
            append(.integers)
            append(list: values) { $0.append(signed: $1) }
        case .strings(let values):
            append(.strings)
            append(list: values) { $0.append($1) }
        case .graph(let body):
            append(.graph)
            append(body)
        }
    }

    private mutating func append(_ kind: AttributeKind) { bytes.append(kind.rawValue) }

    private mutating func append(_ tensor: Tensor) {
        bytes.append(tensor.element.rawValue)
        append(tensor.shape)
        if tensor.element == .string { return append(list: tensor.strings) { $0.append($1) } }
        bytes += tensor.bytes
    }
}
