import Kernels

/// Changes of type.
enum CastOperators {
    static let operators: [Operator] = [
        Operator("Cast") { (call) throws(GraphError) in
            guard let type = try call.integer("to") else { throw .invalid("the attribute to is missing") }
            return try [.tensor(cast(call.tensor(0), to: element(type), call))]
        },
        Operator("CastLike") { (call) throws(GraphError) in
            try [.tensor(cast(call.tensor(0), to: call.tensor(1).element, call))]
        },
        Operator("BitCast") { (call) throws(GraphError) in
            guard let type = try call.integer("to") else { throw .invalid("the attribute to is missing") }
            return try [.tensor(bitCast(call.tensor(0), to: element(type)))]
        },
    ]

    /// The element that one of ONNX's numbers names, where Thaw has it.
    static func element(_ type: Int) throws(GraphError) -> TensorElement {
        guard let number = UInt8(exactly: type), let element = TensorElement(rawValue: number) else {
            throw .unsupported(
                "elements of ONNX's type \(type) are not supported, only floats from 16 bits on, integers from 8, "
                    + "truth values and texts"
            )
        }
        return element
    }

    static func cast(
        _ tensor: Tensor,
        to element: TensorElement,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        switch (tensor.element == .string, element == .string) {
        case (false, false): return try call.cast(tensor, to: element)
        case (true, true): return tensor
        case (true, false): return try parsed(tensor, as: element, call)
        case (false, true): return try Tensor(strings: texts(of: tensor), shape: tensor.shape)
        }
    }

    private static func parsed(
        _ tensor: Tensor,
        as element: TensorElement,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        if element.isFloating {
            var values: [Double] = []
            for text in tensor.strings {
                guard let value = number(text) else { throw .input("\"\(text.prefix(40))\" is not a number") }
                values.append(value)
            }
            return try call.make(element, tensor.shape, doubles: values)
        }
        var values: [Int64] = []
        for text in tensor.strings {
            let bits = element == .u64 ? UInt64(text).map { Int64(bitPattern: $0) } : nil
            guard let value = bits ?? Int64(text) ?? number(text).flatMap({ Int64(exactly: $0.rounded(.towardZero)) })
            else { throw .input("\"\(text.prefix(40))\" is not an integer") }
            values.append(value)
        }
        return try call.make(element, tensor.shape, integers: values)
    }

    private static func number(_ text: String) -> Double? {
        switch text.lowercased() {
        case "inf", "+inf", "infinity": .infinity
        case "-inf", "-infinity": -.infinity
        case "nan": .nan
        case let plain: Double(plain)
        }
    }

    private static func texts(of tensor: Tensor) throws(GraphError) -> [String] {
        switch tensor.element {
        case .f64: return tensor.array(of: Double.self).map { text(of: $0, $0.description) }
        case .f32, .bf16: return try tensor.floats().map { text(of: Double($0), $0.description) }
        case .f16: return tensor.array(of: Float16.self).map { text(of: Double($0), $0.description) }
        case .u64: return tensor.array(of: UInt64.self).map(\.description)
        case .bool: return tensor.array(of: TensorBool.self).map { $0.value ? "1" : "0" }
        default: return try tensor.wideIntegers().map(\.description)
        }
    }

    /// The shortest decimals that give the number back, as the standard's tests write them.
    private static func text(of value: Double, _ description: String) -> String {
        if value.isNaN { return "NaN" }
        if value.isInfinite { return value < 0 ? "-INF" : "INF" }
        return description.hasSuffix(".0") ? String(description.dropLast(2)) : description
    }

    private static func bitCast(_ tensor: Tensor, to element: TensorElement) throws(GraphError) -> Tensor {
        guard let memory = tensor.memory, element.byteCount == tensor.element.byteCount else {
            throw .invalid("the bits of \(tensor.element) do not make \(element)")
        }
        return Tensor(element, shape: tensor.shape, memory: memory)
    }
}
