/// What an operator is given when its node runs.
///
/// `call.tensor(0)` is the first input, `call.integer("axis", or: -1)` a setting, and `call.make(Float.self, shape) { … }`
/// memory for an output.
package struct OperatorCall: ~Copyable {
    package let inputs: [GraphValue]
    package let attributes: [String: Attribute]
    /// The operator set of the node's domain.
    package let version: Int
    /// How many outputs the node names; those it leaves out at the end need not be worked out.
    package let outputCount: Int
    private let pool: MemoryPool
    private let subgraphs: Subgraphs?

    /// Runs a subgraph of the node with values for its inputs.
    package typealias Subgraphs = (_ graph: Int, _ inputs: [GraphValue]) throws(GraphError) -> [GraphValue]

    package init(
        inputs: [GraphValue],
        attributes: [String: Attribute] = [:],
        version: Int,
        outputCount: Int = 1,
        pool: MemoryPool,
        subgraphs: Subgraphs? = nil
    ) {
        self.inputs = inputs
        self.attributes = attributes
        self.version = version
        self.outputCount = outputCount
        self.pool = pool
        self.subgraphs = subgraphs
    }
}

extension OperatorCall {
    /// A call of another operator by this one, in the same memory.
    func handing(
        _ inputs: [GraphValue],
        attributes: [String: Attribute],
        version: Int
    ) -> OperatorCall {
        OperatorCall(inputs: inputs, attributes: attributes, version: version, pool: pool)
    }
}

// Inputs.
extension OperatorCall {
    /// An input that must be there.
    package func tensor(_ index: Int) throws(GraphError) -> Tensor {
        guard let tensor = optionalTensor(index) else { throw .invalid("input \(index) is missing or no tensor") }
        return tensor
    }

    /// An input that may be left out.
    package func optionalTensor(_ index: Int) -> Tensor? {
        guard inputs.indices.contains(index), case .tensor(let tensor) = inputs[index] else { return nil }
        return tensor
    }

    /// All inputs, each a tensor.
    package func tensors() throws(GraphError) -> [Tensor] {
        var tensors: [Tensor] = []
        for index in inputs.indices { tensors.append(try tensor(index)) }
        return tensors
    }

    /// The numbers of an input of any integer type, such as axes or a shape; nil where it is left out.
    package func integers(_ index: Int) throws(GraphError) -> [Int]? {
        guard let tensor = optionalTensor(index) else { return nil }
        return try tensor.integers()
    }
}

// Settings.
extension OperatorCall {
    package func integer(_ name: String, or standard: Int) throws(GraphError) -> Int {
        try integer(name) ?? standard
    }

    package func integer(_ name: String) throws(GraphError) -> Int? {
        switch attributes[name] {
        case nil: return nil
        case .integer(let value): return value
        default: throw .invalid("the attribute \(name) is no integer")
        }
    }

    package func float(_ name: String, or standard: Float) throws(GraphError) -> Float {
        try float(name) ?? standard
    }

    package func float(_ name: String) throws(GraphError) -> Float? {
        switch attributes[name] {
        case nil: return nil
        case .float(let value): return value
        default: throw .invalid("the attribute \(name) is no float")
        }
    }

    package func string(_ name: String, or standard: String) throws(GraphError) -> String {
        switch attributes[name] {
        case nil: return standard
        case .string(let value): return value
        default: throw .invalid("the attribute \(name) is no string")
        }
    }

    package func integers(_ name: String) throws(GraphError) -> [Int]? {
        switch attributes[name] {
        case nil: return nil
        case .integers(let values): return values
        default: throw .invalid("the attribute \(name) is no list of integers")
        }
    }

    package func floats(_ name: String) throws(GraphError) -> [Float]? {
        switch attributes[name] {
        case nil: return nil
        case .floats(let values): return values
        default: throw .invalid("the attribute \(name) is no list of floats")
        }
    }

    package func strings(_ name: String) throws(GraphError) -> [String]? {
        switch attributes[name] {
        case nil: return nil
        case .strings(let values): return values
        default: throw .invalid("the attribute \(name) is no list of strings")
        }
    }

    /// Runs the subgraph that the attribute `name` holds.
    package func run(subgraph name: String, _ inputs: [GraphValue]) throws(GraphError) -> [GraphValue] {
        guard case .graph(let index) = attributes[name], let subgraphs else {
            throw .invalid("the attribute \(name) is no graph")
        }
        return try subgraphs(index, inputs)
    }
}

// Outputs.
extension OperatorCall {
    /// A new tensor, which `fill` writes completely; its memory holds anything before.
    package func make<Scalar: TensorScalar>(
        _: Scalar.Type = Scalar.self,
        _ shape: [Int],
        _ fill: (inout MutableSpan<Scalar>) throws(GraphError) -> Void
    ) throws(GraphError) -> Tensor {
        let count = try Self.elementCount(shape)
        let memory = pool.take(byteCount: count * MemoryLayout<Scalar>.stride)
        let buffer = unsafe UnsafeMutableBufferPointer(
            start: memory.base.assumingMemoryBound(to: Scalar.self),
            count: count
        )
        var span = unsafe buffer.mutableSpan
        try fill(&span)
        return Tensor(Scalar.element, shape: shape, memory: memory)
    }

    /// Lends memory of the pool to `body`; it holds anything before.
    package func withScratch<Scalar: TensorScalar, Result>(
        of _: Scalar.Type = Scalar.self,
        count: Int,
        _ body: (inout MutableSpan<Scalar>) throws(GraphError) -> Result
    ) throws(GraphError) -> Result {
        _ = try Self.elementCount([count])
        let memory = pool.take(byteCount: count * MemoryLayout<Scalar>.stride)
        defer { pool.giveBack(memory) }
        let buffer = unsafe UnsafeMutableBufferPointer(
            start: memory.base.assumingMemoryBound(to: Scalar.self),
            count: count
        )
        var span = unsafe buffer.mutableSpan
        return try body(&span)
    }

    /// Elements of a shape that a call led to: a hostile one is refused and not tried.
    package static func elementCount(_ shape: [Int]) throws(GraphError) -> Int {
        guard shape.count <= TensorLimits.rankMax else {
            throw .input("\(shape.count) dimensions, at most \(TensorLimits.rankMax) are supported")
        }
        var count = 1
        for size in shape {
            let (product, overflow) = count.multipliedReportingOverflow(by: size)
            guard size >= 0, !overflow, product <= TensorLimits.elementsMax else {
                throw .input(
                    "the shape \(shape) is not possible, or has more than \(TensorLimits.elementsMax) elements"
                )
            }
            count = product
        }
        return count
    }
}

extension Tensor {
    /// The elements of a tensor of any integer type, as integers.
    package func integers() throws(GraphError) -> [Int] {
        switch element {
        case .i64: return array(of: Int64.self).map(Int.init)
        case .i32: return array(of: Int32.self).map(Int.init)
        case .i16: return array(of: Int16.self).map(Int.init)
        case .i8: return array(of: Int8.self).map(Int.init)
        case .u8: return array(of: UInt8.self).map(Int.init)
        case .u16: return array(of: UInt16.self).map(Int.init)
        case .u32: return array(of: UInt32.self).map(Int.init)
        case .bool: return array(of: TensorBool.self).map { $0.value ? 1 : 0 }
        default: throw .invalid("expected integers, got \(element)")
        }
    }
}
