import Graphs

// Rules of operators that compute.
extension ShapeInference {
    /// Sizes pass through what changes no integer.
    func unaryNumbers() -> [Size]? {
        ["Identity", "Dropout", "Floor", "Ceil", "Round", "Abs"].contains(node.name) ? input(0).numbers : nil
    }

    mutating func arithmeticNumbers() -> [Size]? {
        guard inputs.count == 2, let left = input(0).numbers, let right = input(1).numbers,
            input(0).element?.isFloating == false, left.count == right.count || left.count == 1 || right.count == 1
        else { return nil }
        var numbers: [Size] = []
        for place in 0..<max(left.count, right.count) {
            numbers.append(combine(left[left.count == 1 ? 0 : place], right[right.count == 1 ? 0 : place]))
        }
        return numbers
    }

    private mutating func combine(_ left: Size, _ right: Size) -> Size {
        switch (node.name, left, right) {
        case ("Add", let size, .known(0)), ("Add", .known(0), let size), ("Sub", let size, .known(0)),
            ("Mul", let size, .known(1)), ("Mul", .known(1), let size), ("Div", let size, .known(1)):
            return size
        case (_, .known(let left), .known(let right)):
            guard let result = Self.combined(node.name, left, right) else { return unknownNumber() }
            return .known(result)
        default: return unknownNumber()
        }
    }

    /// 1 where two numbers are the same; nil where that cannot be told of one.
    func equalNumbers() -> [Size]? {
        guard let left = input(0).numbers, let right = input(1).numbers,
            left.count == right.count || left.count == 1 || right.count == 1
        else { return nil }
        var numbers: [Size] = []
        for place in 0..<max(left.count, right.count) {
            let (a, b) = (left[left.count == 1 ? 0 : place], right[right.count == 1 ? 0 : place])
            switch (a, b) {
            case (.known(let a), .known(let b)): numbers.append(.known(a == b ? 1 : 0))
            // No size is negative.
            case (.symbol(1...), .known(..<0)), (.known(..<0), .symbol(1...)): numbers.append(.known(0))
            default:
                guard a == b else { return nil }
                numbers.append(.known(1))
            }
        }
        return numbers
    }

    /// What Where picks, as far as the condition is known.
    func chosenNumbers() -> [Size]? {
        guard let condition = integers(0), let yes = input(1).numbers, let no = input(2).numbers,
            yes.count == condition.count, no.count == condition.count
        else { return nil }
        return condition.indices.map { condition[$0] != 0 ? yes[$0] : no[$0] }
    }

    private static func combined(_ name: String, _ left: Int, _ right: Int) -> Int? {
        let result: (partialValue: Int, overflow: Bool)
        switch name {
        case "Add": result = left.addingReportingOverflow(right)
        case "Sub": result = left.subtractingReportingOverflow(right)
        case "Mul": result = left.multipliedReportingOverflow(by: right)
        case "Div" where right != 0: result = left.dividedReportingOverflow(by: right)
        case "Min": return min(left, right)
        case "Max": return max(left, right)
        default: return nil
        }
        return result.overflow ? nil : result.partialValue
    }

    func cast() -> ValueFacts {
        let element = UInt8(exactly: integer("to", or: 0)).flatMap { TensorElement(rawValue: $0) }
        let keepsNumbers = element == .i64 || element == .i32
        return ValueFacts(element, shape(0), numbers: keepsNumbers ? input(0).numbers : nil)
    }

    func shapeOf() -> ValueFacts {
        guard let shape = shape(0) else { return ValueFacts(.i64, nil) }
        func bound(_ place: Int) -> Int { max(0, min(place < 0 ? place + shape.count : place, shape.count)) }
        let (start, end) = (bound(integer("start", or: 0)), bound(integer("end", or: shape.count)))
        let numbers = Array(shape[start..<max(start, end)])
        return ValueFacts(.i64, [.known(numbers.count)], numbers: numbers)
    }

    func reduced(_ element: TensorElement?) -> ValueFacts {
        guard let shape = shape(0) else { return ValueFacts(element) }
        let keeps = integer("keepdims", or: 1) != 0
        var axes = Array(shape.indices)
        if isGiven(1) || node.attributes["axes"] != nil {
            guard let given = integers(1, orAttribute: "axes") else { return ValueFacts(element) }
            let resolved = given.compactMap { axis($0, shape.count) }
            guard resolved.count == given.count else { return ValueFacts(element) }
            if !given.isEmpty { axes = resolved }
            if given.isEmpty, integer("noop_with_empty_axes", or: 0) != 0 { axes = [] }
        } else if integer("noop_with_empty_axes", or: 0) != 0 {
            axes = []
        }
        let sizes = shape.enumerated().compactMap { place, size -> Size? in
            axes.contains(place) ? (keeps ? .known(1) : nil) : size
        }
        return ValueFacts(element, sizes)
    }

    func argument() -> ValueFacts {
        guard let shape = shape(0), let axis = axis(integer("axis", or: 0), shape.count) else {
            return ValueFacts(.i64)
        }
        var sizes = shape
        if integer("keepdims", or: 1) != 0 { sizes[axis] = .known(1) } else { sizes.remove(at: axis) }
        return ValueFacts(.i64, sizes)
    }

    mutating func product() -> [Size]? {
        guard var left = shape(0), var right = shape(1), !left.isEmpty, !right.isEmpty else { return nil }
        let (isRow, isColumn) = (left.count == 1, right.count == 1)
        if isRow { left.insert(.known(1), at: 0) }
        if isColumn { right.append(.known(1)) }
        guard var result = broadcast([Array(left.dropLast(2)), Array(right.dropLast(2))]) else { return nil }
        if !isRow { result.append(left[left.count - 2]) }
        if !isColumn { result.append(right[right.count - 1]) }
        return result
    }

    func gemm() -> [Size]? {
        guard let left = shape(0), let right = shape(1), left.count == 2, right.count == 2 else { return nil }
        return [left[integer("transA", or: 0) == 0 ? 0 : 1], right[integer("transB", or: 0) == 0 ? 1 : 0]]
    }

    mutating func convolved() -> [Size]? {
        guard let image = shape(0), let weights = shape(1), image.count > 2, weights.count == image.count else {
            return nil
        }
        let kernel = integers("kernel_shape") ?? weights.dropFirst(2).compactMap(\.known)
        guard let sizes = windowed(Array(image.dropFirst(2)), kernel) else { return nil }
        return [image[0], weights[0]] + sizes
    }

    mutating func pooled() -> [Size]? {
        guard let image = shape(0), image.count > 2, let kernel = integers("kernel_shape"),
            let sizes = windowed(Array(image.dropFirst(2)), kernel)
        else { return nil }
        return Array(image.prefix(2)) + sizes
    }

    /// Spatial sizes after a window was moved over them.
    private mutating func windowed(_ sizes: [Size], _ kernel: [Int]) -> [Size]? {
        let rank = sizes.count
        let strides = integers("strides") ?? .init(repeating: 1, count: rank)
        let dilations = integers("dilations") ?? .init(repeating: 1, count: rank)
        let pads = integers("pads") ?? .init(repeating: 0, count: 2 * rank)
        guard kernel.count == rank, strides.count == rank, dilations.count == rank, pads.count == 2 * rank,
            (kernel + strides + dilations).allSatisfy({ (1...1 << 20).contains($0) }),
            pads.allSatisfy({ (0...1 << 20).contains($0) })
        else { return nil }
        var padding = "NOTSET"
        if case .string(let text)? = node.attributes["auto_pad"] { padding = text }
        var result: [Size] = []
        for (place, size) in sizes.enumerated() {
            guard let size = size.known else {
                result.append(unknown())
                continue
            }
            let reach = (kernel[place] - 1) * dilations[place] + 1
            let stride = strides[place]
            switch padding {
            case "SAME_UPPER", "SAME_LOWER": result.append(.known((size + stride - 1) / stride))
            case "NOTSET", "VALID", "":
                let padded = size + (padding == "VALID" ? 0 : pads[place] + pads[place + rank])
                // How a last, partial window counts is left to the operator.
                let isEven = (padded - reach) % stride == 0
                guard padded >= reach, isEven || integer("ceil_mode", or: 0) == 0 else {
                    result.append(unknown())
                    continue
                }
                result.append(.known((padded - reach) / stride + 1))
            default: return nil
            }
        }
        return result
    }
}
