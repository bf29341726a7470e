import Kernels

/// What `ai.onnx.ml` does to features before a model, and to labels after it.
enum FeatureOperators {
    static let operators: [Operator] = [
        Operator("Scaler", domain: "ai.onnx.ml", scaler),
        Operator("Normalizer", domain: "ai.onnx.ml", normalizer),
        Operator("Imputer", domain: "ai.onnx.ml", imputer),
        Operator("Binarizer", domain: "ai.onnx.ml", binarizer),
        Operator("FeatureVectorizer", domain: "ai.onnx.ml", vectorizer),
        Operator("OneHotEncoder", domain: "ai.onnx.ml", oneHotEncoder),
        Operator("LabelEncoder", domain: "ai.onnx.ml", labelEncoder),
        Operator("CategoryMapper", domain: "ai.onnx.ml", categoryMapper),
        // Maps are served as the tensors that they are made of: [rows, classes] in the order of the labels.
        Operator("ZipMap", domain: "ai.onnx.ml") { (call) throws(GraphError) in try [.tensor(call.tensor(0))] },
    ]

    private static func scaler(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let width = tensor.shape.last ?? 1
        let (offset, scale) = try (call.floats("offset") ?? [0], call.floats("scale") ?? [1])
        guard [offset.count, scale.count].allSatisfy({ $0 == 1 || $0 == width }) else {
            throw .input("\(offset.count) offsets and \(scale.count) scales do not fit rows of \(width)")
        }
        let x = try tensor.floats()
        let values = x.indices.map { index in
            let column = width == 0 ? 0 : index % width
            return (x[index] - offset[offset.count == 1 ? 0 : column]) * scale[scale.count == 1 ? 0 : column]
        }
        return [.tensor(Tensor(values, shape: tensor.shape))]
    }

    private static func normalizer(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let width = tensor.shape.last ?? 1
        let norm = try call.string("norm", or: "MAX")
        guard ["MAX", "L1", "L2"].contains(norm) else { throw .invalid("the norm \(norm) is not known") }
        var values = try tensor.floats()
        for start in stride(from: 0, to: values.count, by: max(width, 1)) {
            let row = values[start..<start + width]
            let divisor: Float =
                switch norm {
                case "MAX": row.max() ?? 0
                case "L1": row.reduce(0) { $0 + abs($1) }
                default: row.reduce(0) { $0 + $1 * $1 }.squareRoot()
                }
            guard divisor != 0 else { continue }
            for index in row.indices { values[index] /= divisor }
        }
        return [.tensor(Tensor(values, shape: tensor.shape))]
    }

    private static func imputer(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let width = tensor.shape.last ?? 1
        let floats = try call.floats("imputed_value_floats") ?? []
        let integers = try call.integers("imputed_value_int64s") ?? []
        let new = tensor.element.isFloating ? floats.map(Double.init) : integers.map(Double.init)
        guard new.count == 1 || new.count == width else {
            throw .input("\(new.count) values to put in do not fit rows of \(width)")
        }
        if !tensor.element.isFloating {
            let old = try Int64(call.integer("replaced_value_int64", or: 0))
            let values = try tensor.wideIntegers().enumerated().map { index, value in
                value == old ? Int64(integers[new.count == 1 ? 0 : index % width]) : value
            }
            return try [.tensor(call.make(tensor.element, tensor.shape, integers: values))]
        }
        let old = try Double(call.float("replaced_value_float", or: 0))
        let values = try tensor.doubles().enumerated().map { index, value in
            value == old || (value.isNaN && old.isNaN) ? new[new.count == 1 ? 0 : index % width] : value
        }
        return try [.tensor(call.make(tensor.element, tensor.shape, doubles: values))]
    }

    private static func binarizer(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let threshold = try Double(call.float("threshold", or: 0))
        let values = try tensor.doubles().map { $0 > threshold ? 1.0 : 0 }
        return try [.tensor(call.make(tensor.element, tensor.shape, doubles: values))]
    }

    /// All inputs side by side, each cut or filled up with zeros to its width.
    private static func vectorizer(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensors = try call.tensors()
        let widths = try call.integers("inputdimensions") ?? tensors.map { $0.shape.last ?? 1 }
        guard widths.count == tensors.count, widths.allSatisfy({ $0 >= 0 }), let first = tensors.first else {
            throw .invalid("\(widths.count) widths for \(tensors.count) inputs")
        }
        let rows = first.shape.first ?? 1
        var parts: [Tensor] = []
        for (tensor, width) in zip(tensors, widths) {
            let own = tensor.rank == 2 ? tensor.shape[1] : 1
            guard tensor.rank <= 2, tensor.count == rows * own else {
                throw .input("\(tensor.shape) is not \(rows) rows")
            }
            let matrix = try call.cast(tensor, to: .f32).reshaped([rows, own])
            let kept = StridedView(matrix.shape).sliced(axis: 1, from: 0, count: min(own, width))
            parts.append(try call.materialise(matrix, kept))
            if width > own { parts.append(try call.expanded(Tensor(scalar: Float(0)), to: [rows, width - own])) }
        }
        return try [.tensor(MovementOperators.join(parts, axis: 1, call))]
    }

    private static func oneHotEncoder(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let (texts, numbers) = try (call.strings("cats_strings") ?? [], call.integers("cats_int64s") ?? [])
        let places: [Int?]
        if tensor.element == .string {
            let index = Dictionary(texts.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            places = tensor.strings.map { index[$0] }
        } else {
            let index = Dictionary(numbers.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            places = try tensor.doubles().map { Int(exactly: $0.rounded(.towardZero)).flatMap { index[$0] } }
        }
        let width = tensor.element == .string ? texts.count : numbers.count
        guard try call.integer("zeros", or: 1) != 0 || !places.contains(where: { $0 == nil }) else {
            throw .input("a category is not one of the \(width) known ones")
        }
        let shape = tensor.shape + [width]
        var values = [Float](repeating: 0, count: try OperatorCall.elementCount(shape))
        for (row, place) in places.enumerated() {
            if let place { values[row * width + place] = 1 }
        }
        return [.tensor(Tensor(values, shape: shape))]
    }

    /// A list of keys or values of one type, from whichever attribute has it.
    private static func list(_ call: borrowing OperatorCall, _ prefix: String) throws(GraphError) -> Tensor? {
        if case .tensor(let tensor) = call.attributes["\(prefix)_tensor"] { return tensor }
        if let texts = try call.strings("\(prefix)_strings") { return Tensor(strings: texts, shape: [texts.count]) }
        if let numbers = try call.integers("\(prefix)_int64s") {
            return Tensor(numbers.map(Int64.init), shape: [numbers.count])
        }
        guard let numbers = try call.floats("\(prefix)_floats") else { return nil }
        return Tensor(numbers, shape: [numbers.count])
    }

    private static func labelEncoder(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        if let classes = try call.strings("classes_strings") {
            // The form of operator set 1: texts and their places, whichever is given.
            return try [.tensor(placed(tensor, classes, call))]
        }
        guard let keys = try list(call, "keys"), let values = try list(call, "values"), keys.count == values.count
        else { throw .invalid("the keys and values are missing, or not as many") }
        let fallback: Tensor
        switch values.element {
        case .string: fallback = Tensor(strings: [try call.string("default_string", or: "_Unused")], shape: [1])
        case .i64: fallback = Tensor([Int64(try call.integer("default_int64", or: -1))], shape: [1])
        default: fallback = Tensor([try call.float("default_float", or: -0.0)], shape: [1])
        }
        var last = fallback
        if case .tensor(let given) = call.attributes["default_tensor"] { last = given.reshaped([given.count]) }
        guard last.count == 1 else { throw .invalid("the default has \(last.count) values") }
        let table = try MovementOperators.join(
            [values.reshaped([values.count]), last.element == values.element ? last : fallback],
            axis: 0,
            call
        )
        let places: [Int]
        if tensor.element == .string, keys.element == .string {
            let index = Dictionary(keys.strings.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            places = tensor.strings.map { index[$0] ?? keys.count }
        } else {
            guard tensor.element != .string, keys.element != .string else {
                throw .invalid("keys of \(keys.element) do not match \(tensor.element)")
            }
            let pairs = try keys.doubles().enumerated().map { ($1, $0) }
            let index = Dictionary(pairs, uniquingKeysWith: { first, _ in first })
            let missing = pairs.first { $0.0.isNaN }?.1
            places = try tensor.doubles().map { $0.isNaN ? missing ?? keys.count : index[$0] ?? keys.count }
        }
        return try [.tensor(Blocks.gather(table, places, of: 1, shape: tensor.shape, call))]
    }

    private static func categoryMapper(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let (texts, numbers) = try (call.strings("cats_strings") ?? [], call.integers("cats_int64s") ?? [])
        guard texts.count == numbers.count else { throw .invalid("the categories are not as many on both sides") }
        if tensor.element == .string {
            let index = Dictionary(zip(texts, numbers), uniquingKeysWith: { first, _ in first })
            let fallback = try call.integer("default_int64", or: -1)
            return [.tensor(Tensor(tensor.strings.map { Int64(index[$0] ?? fallback) }, shape: tensor.shape))]
        }
        let index = Dictionary(zip(numbers, texts), uniquingKeysWith: { first, _ in first })
        let fallback = try call.string("default_string", or: "_Unused")
        let strings = try tensor.integers().map { index[$0] ?? fallback }
        return [.tensor(Tensor(strings: strings, shape: tensor.shape))]
    }

    private static func placed(
        _ tensor: Tensor,
        _ classes: [String],
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        if tensor.element == .string {
            let index = Dictionary(classes.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
            let fallback = try call.integer("default_int64", or: -1)
            return Tensor(tensor.strings.map { Int64(index[$0] ?? fallback) }, shape: tensor.shape)
        }
        let fallback = try call.string("default_string", or: "_Unused")
        let strings = try tensor.integers().map { classes.indices.contains($0) ? classes[$0] : fallback }
        return Tensor(strings: strings, shape: tensor.shape)
    }
}
