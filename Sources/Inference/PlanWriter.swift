// The encoding of a plan, all little-endian:
//
//     "THAWPLAN" · version UInt16
//     values   UInt32 count, each: rows UInt8 · columns UInt32
//     weights  UInt32 count, each: name · layout UInt8 · dimensions UInt8, each UInt32
//     steps    UInt32 count, each: kind UInt8 · its indices and settings, each UInt32, in the order of the case
//     output index
//
// A name is a UInt16 byte count and UTF-8; an index that may be absent is UInt32.max when it is.

extension Plan {
    /// The bytes that ``init(decoding:)`` reads.
    ///
    /// The plan must be valid (``validate()``).
    package func encoded() -> [UInt8] {
        var writer = PlanWriter()
        writer.bytes.append(contentsOf: PlanWriter.magic)
        writer.append(PlanLimits.version)
        writer.append(index: values.count)
        for value in values {
            writer.append(value.rows.rawValue)
            writer.append(index: value.columns)
        }
        writer.append(index: weights.count)
        for weight in weights {
            writer.append(name: weight.name)
            writer.append(weight.layout.rawValue)
            writer.append(UInt8(weight.shape.count))
            for dimension in weight.shape {
                writer.append(index: dimension)
            }
        }
        writer.append(index: steps.count)
        for step in steps {
            writer.append(step)
        }
        writer.append(index: output)
        return writer.bytes
    }
}

/// The number that stands for a step in the encoding: never reused for another meaning.
enum StepKind: UInt8 {
    case embed = 1
    case layerNorm = 2
    case linear = 3
    case attention = 4
    case normalize = 7
    case softmax = 8
    case activate = 9
    // 5, 6, 10 and 11 were steps of version 1.
    case pool = 12
}

/// Appends the parts of a plan.
struct PlanWriter {
    static let magic = Array("THAWPLAN".utf8)
    /// Stands for an index that is absent.
    static let none = UInt32.max

    var bytes: [UInt8] = []

    mutating func append<Value: FixedWidthInteger>(_ value: Value) {
        for index in 0..<(Value.bitWidth / 8) {
            bytes.append(UInt8(truncatingIfNeeded: value >> Value(index * 8)))
        }
    }

    mutating func append(index: Int) {
        append(UInt32(index))
    }

    mutating func append(optional index: Int?) {
        append(index.map { UInt32($0) } ?? Self.none)
    }

    mutating func append(name: String) {
        append(UInt16(name.utf8.count))
        bytes.append(contentsOf: name.utf8)
    }

    mutating func append(_ step: Plan.Step) {
        switch step {
        case .embed(let words, let positions, let types, let out):
            append(.embed, words, positions, types, out)
        case .layerNorm(let input, let residual, let scale, let shift, let epsilon, let out):
            append(.layerNorm, input)
            append(optional: residual)
            append(index: scale)
            append(index: shift)
            append(epsilon.bitPattern)
            append(index: out)
        case .linear(let input, let weight, let bias, let activation, let out):
            append(.linear, input, weight)
            append(optional: bias)
            append(index: Int(activation.rawValue))
            append(index: out)
        case .attention(let fused, let heads, let places, let out):
            append(.attention, fused, heads)
            append(optional: places)
            append(index: out)
        case .pool(let input, let parts, let out):
            append(.pool, input, parts.count)
            for part in parts { append(part.rawValue) }
            append(index: out)
        case .normalize(let input, let out):
            append(.normalize, input, out)
        case .softmax(let input, let out):
            append(.softmax, input, out)
        case .activate(let input, let activation, let out):
            append(.activate, input, Int(activation.rawValue), out)
        }
    }

    private mutating func append(_ kind: StepKind, _ indices: Int...) {
        append(kind.rawValue)
        for index in indices {
            append(index: index)
        }
    }
}
