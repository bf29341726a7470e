extension Plan {
    /// Reads what ``encoded()`` wrote, and validates it: bytes of a snapshot are not trusted.
    package init(decoding bytes: [UInt8]) throws(PlanError) {
        var reader = PlanReader(bytes)
        try reader.readHeader()
        var values: [Value] = []
        for _ in 0..<(try reader.readCount(of: "values")) {
            let rows = try reader.readCase(Rows.self, "kind of rows")
            values.append(Value(rows: rows, columns: try reader.readIndex()))
        }
        var weights: [Weight] = []
        for _ in 0..<(try reader.readCount(of: "weights")) {
            weights.append(try reader.readWeight())
        }
        var steps: [Step] = []
        for _ in 0..<(try reader.readCount(of: "steps")) {
            steps.append(try reader.readStep())
        }
        self.init(
            values: values,
            weights: weights,
            steps: steps,
            output: try reader.readIndex()
        )
        try reader.finish()
        try validate()
    }
}

/// Takes an encoded plan apart; every read is bounds-checked, every count limited before anything is kept.
private struct PlanReader {
    private let bytes: [UInt8]
    private var position = 0

    init(_ bytes: [UInt8]) {
        self.bytes = bytes
    }

    private func malformed(_ reason: String, at byteOffset: Int? = nil) -> PlanError {
        .malformed(byteOffset: byteOffset ?? position, reason: reason)
    }

    private mutating func read<Value: FixedWidthInteger & UnsignedInteger>(_: Value.Type) throws(PlanError) -> Value {
        let count = Value.bitWidth / 8
        guard bytes.count - position >= count else { throw malformed("the bytes end early") }
        var value: Value = 0
        for index in 0..<count {
            value |= Value(truncatingIfNeeded: bytes[position + index]) << Value(index * 8)
        }
        position += count
        return value
    }

    mutating func readHeader() throws(PlanError) {
        guard bytes.starts(with: PlanWriter.magic) else { throw malformed("it does not begin with THAWPLAN") }
        position = PlanWriter.magic.count
        let version = try read(UInt16.self)
        guard version == PlanLimits.version else {
            throw malformed("version \(version) is not \(PlanLimits.version): deploy the function again")
        }
    }

    mutating func readIndex() throws(PlanError) -> Int {
        Int(try read(UInt32.self))
    }

    mutating func readOptionalIndex() throws(PlanError) -> Int? {
        let raw = try read(UInt32.self)
        return raw == PlanWriter.none ? nil : Int(raw)
    }

    mutating func readCount(of things: String) throws(PlanError) -> Int {
        let start = position
        let count = try readIndex()
        guard count <= PlanLimits.entriesMax else {
            throw malformed("\(count) \(things) are more than \(PlanLimits.entriesMax)", at: start)
        }
        return count
    }

    mutating func readCase<Case: RawRepresentable>(_: Case.Type, _ what: String) throws(PlanError) -> Case
    where Case.RawValue == UInt8 {
        let start = position
        let raw = try read(UInt8.self)
        guard let value = Case(rawValue: raw) else { throw malformed("\(raw) is not a known \(what)", at: start) }
        return value
    }

    /// A setting that is written as wide as an index.
    mutating func readSetting<Case: RawRepresentable>(_: Case.Type, _ what: String) throws(PlanError) -> Case
    where Case.RawValue == UInt8 {
        let start = position
        let raw = try readIndex()
        guard let narrow = UInt8(exactly: raw), let value = Case(rawValue: narrow) else {
            throw malformed("\(raw) is not a known \(what)", at: start)
        }
        return value
    }

    mutating func readName() throws(PlanError) -> String {
        let start = position
        let count = Int(try read(UInt16.self))
        guard count <= PlanLimits.nameBytesMax else {
            throw malformed("a name of \(count) bytes is longer than \(PlanLimits.nameBytesMax)", at: start)
        }
        guard bytes.count - position >= count else { throw malformed("the bytes end within a name") }
        guard let name = String(validating: bytes[position..<position + count], as: UTF8.self) else {
            throw malformed("a name is not UTF-8")
        }
        position += count
        return name
    }

    mutating func readWeight() throws(PlanError) -> Plan.Weight {
        let name = try readName()
        let layout = try readCase(Plan.Layout.self, "layout")
        let start = position
        let dimensions = try read(UInt8.self)
        // Vectors, tables and products: `validate` says which is wanted where.
        guard dimensions == 1 || dimensions == 2 else {
            throw malformed("a weight of \(dimensions) dimensions, expected 1 or 2", at: start)
        }
        var shape: [Int] = []
        for _ in 0..<dimensions {
            shape.append(try readIndex())
        }
        return Plan.Weight(name: name, shape: shape, layout: layout)
    }

    mutating func readStep() throws(PlanError) -> Plan.Step {
        switch try readCase(StepKind.self, "step") {
        case .embed:
            return .embed(
                words: try readIndex(),
                positions: try readIndex(),
                types: try readIndex(),
                out: try readIndex()
            )
        case .layerNorm:
            return .layerNorm(
                input: try readIndex(),
                residual: try readOptionalIndex(),
                scale: try readIndex(),
                shift: try readIndex(),
                epsilon: Float(bitPattern: try read(UInt32.self)),
                out: try readIndex()
            )
        case .linear:
            return .linear(
                input: try readIndex(),
                weight: try readIndex(),
                bias: try readOptionalIndex(),
                activation: try readSetting(Plan.Activation.self, "activation"),
                out: try readIndex()
            )
        case .attention:
            return .attention(
                fused: try readIndex(),
                heads: try readIndex(),
                places: try readOptionalIndex(),
                out: try readIndex()
            )
        case .pool:
            let input = try readIndex()
            var parts: [Plan.Pooling] = []
            for _ in 0..<(try readCount(of: "parts")) { parts.append(try readCase(Plan.Pooling.self, "pooling")) }
            return .pool(input: input, parts, out: try readIndex())
        case .normalize:
            return .normalize(input: try readIndex(), out: try readIndex())
        case .softmax:
            return .softmax(input: try readIndex(), out: try readIndex())
        case .activate:
            let input = try readIndex()
            return .activate(input: input, try readSetting(Plan.Activation.self, "activation"), out: try readIndex())
        }
    }

    /// Call last: a plan with bytes left over is not the plan we think it is.
    func finish() throws(PlanError) {
        guard position == bytes.count else { throw malformed("\(bytes.count - position) bytes are left over") }
    }
}
