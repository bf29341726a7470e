/// Writes small ONNX files, broken ones too.
struct OnnxGraphWriter {
    private var graph: [UInt8] = []
    private var functions: [[UInt8]] = []

    /// What a node calculates, and with what.
    struct Node {
        var type: String
        var inputs: [String]
        var output: String
        var name = ""
        var domain = ""
        var attributes: [Attribute] = []

        fileprivate var bytes: [UInt8] {
            var node: [UInt8] = []
            for input in inputs { OnnxGraphWriter.put(1, Array(input.utf8), into: &node) }
            OnnxGraphWriter.put(2, Array(output.utf8), into: &node)
            OnnxGraphWriter.put(3, Array(name.utf8), into: &node)
            OnnxGraphWriter.put(4, Array(type.utf8), into: &node)
            for attribute in attributes { OnnxGraphWriter.put(5, attribute.bytes, into: &node) }
            if !domain.isEmpty { OnnxGraphWriter.put(7, Array(domain.utf8), into: &node) }
            return node
        }
    }

    /// A setting of a node.
    enum Attribute {
        case integer(String, Int)
        case integers(String, [Int])
        /// Inside a function: what the calling node gives under the other name.
        case reference(String, to: String)

        fileprivate var bytes: [UInt8] {
            var attribute: [UInt8] = []
            switch self {
            case .integer(let name, let value):
                OnnxGraphWriter.put(1, Array(name.utf8), into: &attribute)
                OnnxGraphWriter.put(3, value, into: &attribute)
                OnnxGraphWriter.put(20, 2, into: &attribute)
            case .integers(let name, let values):
                OnnxGraphWriter.put(1, Array(name.utf8), into: &attribute)
                for value in values { OnnxGraphWriter.put(8, value, into: &attribute) }
                OnnxGraphWriter.put(20, 7, into: &attribute)
            case .reference(let name, let other):
                OnnxGraphWriter.put(1, Array(name.utf8), into: &attribute)
                OnnxGraphWriter.put(21, Array(other.utf8), into: &attribute)
                OnnxGraphWriter.put(20, 2, into: &attribute)
            }
            return attribute
        }
    }

    mutating func node(_ type: String, _ inputs: [String], _ output: String, name: String = "") {
        add(Node(type: type, inputs: inputs, output: output, name: name))
    }

    mutating func add(_ node: Node) {
        Self.put(1, node.bytes, into: &graph)
    }

    /// An operator of the model's own, in the domain `own`.
    mutating func function(
        _ name: String,
        _ inputs: [String],
        _ outputs: [String],
        _ nodes: [Node],
        defaults: [Attribute] = []
    ) {
        var function: [UInt8] = []
        Self.put(1, Array(name.utf8), into: &function)
        for input in inputs { Self.put(4, Array(input.utf8), into: &function) }
        for output in outputs { Self.put(5, Array(output.utf8), into: &function) }
        for node in nodes { Self.put(7, node.bytes, into: &function) }
        Self.put(9, Self.operatorSet("", 17), into: &function)
        Self.put(9, Self.operatorSet("own", 1), into: &function)
        Self.put(10, Array("own".utf8), into: &function)
        for attribute in defaults { Self.put(11, attribute.bytes, into: &function) }
        functions.append(function)
    }

    private static func operatorSet(_ domain: String, _ version: Int) -> [UInt8] {
        var set: [UInt8] = []
        put(1, Array(domain.utf8), into: &set)
        put(2, version, into: &set)
        return set
    }

    mutating func tensor(_ name: String, _ shape: [Int], _ floats: [Float]) {
        var tensor = Self.tensor(name, shape)
        Self.put(
            9,
            floats.flatMap { float in withUnsafeBytes(of: float.bitPattern.littleEndian) { Array($0) } },
            into: &tensor
        )
        Self.put(5, tensor, into: &graph)
    }

    mutating func externalTensor(_ name: String, location: String, offset: Int = 0) {
        var tensor = Self.tensor(name, [1])
        for (key, value) in [("location", location), ("offset", "\(offset)")] {
            var entry: [UInt8] = []
            Self.put(1, Array(key.utf8), into: &entry)
            Self.put(2, Array(value.utf8), into: &entry)
            Self.put(13, entry, into: &tensor)
        }
        Self.put(14, 1, into: &tensor)
        Self.put(5, tensor, into: &graph)
    }

    /// nil stands for a dimension that is open.
    mutating func input(_ name: String, _ shape: [Int?]) {
        var dimensions: [UInt8] = []
        for size in shape {
            var dimension: [UInt8] = []
            if let size { Self.put(1, size, into: &dimension) } else { Self.put(2, Array("n".utf8), into: &dimension) }
            Self.put(1, dimension, into: &dimensions)
        }
        var tensorType: [UInt8] = []
        Self.put(1, 1, into: &tensorType)
        Self.put(2, dimensions, into: &tensorType)
        var type: [UInt8] = []
        Self.put(1, tensorType, into: &type)
        var port: [UInt8] = []
        Self.put(1, Array(name.utf8), into: &port)
        Self.put(2, type, into: &port)
        Self.put(11, port, into: &graph)
    }

    mutating func output(_ name: String) {
        var port: [UInt8] = []
        Self.put(1, Array(name.utf8), into: &port)
        Self.put(12, port, into: &graph)
    }

    func model(opset: Int = 17) -> [UInt8] {
        var model: [UInt8] = []
        Self.put(1, 9, into: &model)
        Self.put(7, graph, into: &model)
        for (domain, version) in [("", opset), ("ai.onnx.ml", 3), ("own", 1)] {
            Self.put(8, Self.operatorSet(domain, version), into: &model)
        }
        for function in functions { Self.put(25, function, into: &model) }
        return model
    }

    private static func tensor(_ name: String, _ shape: [Int]) -> [UInt8] {
        var tensor: [UInt8] = []
        for dimension in shape { put(1, dimension, into: &tensor) }
        put(2, 1, into: &tensor)
        put(8, Array(name.utf8), into: &tensor)
        return tensor
    }

    fileprivate static func put(_ field: Int, _ bytes: [UInt8], into message: inout [UInt8]) {
        varint(UInt64(field << 3 | 2), into: &message)
        varint(UInt64(bytes.count), into: &message)
        message += bytes
    }

    fileprivate static func put(_ field: Int, _ number: Int, into message: inout [UInt8]) {
        varint(UInt64(field << 3), into: &message)
        varint(UInt64(bitPattern: Int64(number)), into: &message)
    }

    private static func varint(_ number: UInt64, into message: inout [UInt8]) {
        var rest = number
        while rest >= 0x80 {
            message.append(UInt8(rest & 0x7F) | 0x80)
            rest >>= 7
        }
        message.append(UInt8(rest))
    }
}
