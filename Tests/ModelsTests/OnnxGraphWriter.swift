/// Writes small ONNX files, broken ones too.
struct OnnxGraphWriter {
    private var graph: [UInt8] = []

    mutating func node(_ type: String, _ inputs: [String], _ output: String, name: String = "") {
        var node: [UInt8] = []
        for input in inputs { Self.put(1, Array(input.utf8), into: &node) }
        Self.put(2, Array(output.utf8), into: &node)
        Self.put(3, Array(name.utf8), into: &node)
        Self.put(4, Array(type.utf8), into: &node)
        Self.put(1, node, into: &graph)
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
        var version: [UInt8] = []
        Self.put(2, opset, into: &version)
        var model: [UInt8] = []
        Self.put(1, 9, into: &model)
        Self.put(7, graph, into: &model)
        Self.put(8, version, into: &model)
        return model
    }

    private static func tensor(_ name: String, _ shape: [Int]) -> [UInt8] {
        var tensor: [UInt8] = []
        for dimension in shape { put(1, dimension, into: &tensor) }
        put(2, 1, into: &tensor)
        put(8, Array(name.utf8), into: &tensor)
        return tensor
    }

    private static func put(_ field: Int, _ bytes: [UInt8], into message: inout [UInt8]) {
        varint(UInt64(field << 3 | 2), into: &message)
        varint(UInt64(bytes.count), into: &message)
        message += bytes
    }

    private static func put(_ field: Int, _ number: Int, into message: inout [UInt8]) {
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
