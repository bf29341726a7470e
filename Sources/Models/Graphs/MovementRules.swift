import Graphs

// Rules of operators that move elements.
extension ShapeInference {
    mutating func movement() -> [ValueFacts] {
        let element = input(0).element
        switch node.name {
        case "Reshape": return [ValueFacts(element, reshaped(), numbers: input(0).numbers)]
        case "Flatten": return [ValueFacts(element, flattened())]
        case "Transpose": return [ValueFacts(element, transposed())]
        case "Squeeze": return [ValueFacts(element, squeezed(), numbers: input(0).numbers)]
        case "Unsqueeze": return [ValueFacts(element, unsqueezed(), numbers: input(0).numbers)]
        case "Concat": return [concatenated()]
        case "Gather": return [gathered()]
        case "GatherElements": return [ValueFacts(element, shape(1))]
        case "Slice": return [sliced()]
        case "Split": return split()
        case "Expand": return [ValueFacts(element, expanded())]
        case "Tile": return [ValueFacts(element, tiled())]
        case "Pad": return [ValueFacts(element, padded())]
        case "ConstantOfShape": return [filled()]
        case "Range": return [range()]
        case "ScatterND", "ScatterElements", "Scatter": return [ValueFacts(element, shape(0))]
        case "DequantizeLinear": return [ValueFacts(input(1).element, shape(0))]
        default: return []
        }
    }

    private mutating func reshaped() -> [Size]? {
        guard let shape = shape(0) else {
            return sizes(of: 1).map { $0.map { $0.known.map { $0 > 0 } == true ? $0 : unknown() } }
        }
        guard let wanted = input(1).numbers else { return unknownShape(rankOf: 1) }
        var result: [Size] = []
        var open: Int?
        for (place, number) in wanted.enumerated() {
            switch number {
            case .known(0) where integer("allowzero", or: 0) == 0:
                guard place < shape.count else { return nil }
                result.append(shape[place])
            case .known(-1):
                guard open == nil else { return nil }
                open = place
                result.append(.known(1))
            default: result.append(number)
            }
        }
        if let open { result[open] = rest(of: shape, without: result) }
        return result
    }

    /// What is left of a shape's elements for the dimension that takes the rest.
    private mutating func rest(of shape: [Size], without others: [Size]) -> Size {
        // Symbols that stand on both sides cancel.
        var (left, right) = (shape, others)
        for size in others where size.known == nil {
            guard let place = left.firstIndex(of: size), let other = right.firstIndex(of: size) else { continue }
            left.remove(at: place)
            right.remove(at: other)
        }
        let symbols = left.filter { $0.known == nil }
        if let count = left.product, let taken = right.product, taken > 0, count % taken == 0 {
            return .known(count / taken)
        }
        if symbols.count == 1, let count = left.filter({ $0.known != nil }).product, right.product == count {
            return symbols[0]
        }
        return unknown()
    }

    /// The numbers of an input that is a shape.
    private func sizes(of index: Int) -> [Size]? { input(index).numbers }

    private mutating func unknownShape(rankOf index: Int) -> [Size]? {
        guard let rank = shape(index)?.first?.known, (0...TensorLimits.rankMax).contains(rank) else { return nil }
        return (0..<rank).map { _ in unknown() }
    }

    private mutating func flattened() -> [Size]? {
        guard let shape = shape(0) else { return nil }
        let given = integer("axis", or: 1)
        let axis = given < 0 ? given + shape.count : given
        guard (0...shape.count).contains(axis) else { return nil }
        return [merged(Array(shape[..<axis])), merged(Array(shape[axis...]))]
    }

    private mutating func merged(_ sizes: [Size]) -> Size {
        if let product = sizes.product { return .known(product) }
        let rest = sizes.filter { $0 != .known(1) }
        return rest.count == 1 ? rest[0] : unknown()
    }

    private func transposed() -> [Size]? {
        guard let shape = shape(0) else { return nil }
        let order = integers("perm") ?? Array(shape.indices.reversed())
        guard order.sorted() == Array(shape.indices) else { return nil }
        return order.map { shape[$0] }
    }

    private func squeezed() -> [Size]? {
        guard let shape = shape(0) else { return nil }
        guard isGiven(1) || node.attributes["axes"] != nil else {
            return shape.allSatisfy { $0.known != nil } ? shape.filter { $0 != .known(1) } : nil
        }
        guard let given = integers(1, orAttribute: "axes") else { return nil }
        let axes = given.compactMap { axis($0, shape.count) }
        guard axes.count == given.count else { return nil }
        return shape.indices.filter { !axes.contains($0) }.map { shape[$0] }
    }

    private func unsqueezed() -> [Size]? {
        guard var shape = shape(0), let given = integers(1, orAttribute: "axes") else { return nil }
        let rank = shape.count + given.count
        let axes = given.compactMap { axis($0, rank) }.sorted()
        guard axes.count == given.count, Set(axes).count == axes.count else { return nil }
        for axis in axes { shape.insert(.known(1), at: axis) }
        return shape
    }

    private mutating func concatenated() -> ValueFacts {
        let element = input(0).element
        let shapes = inputs.compactMap(\.shape)
        guard shapes.count == inputs.count, let first = shapes.first,
            let axis = axis(integer("axis", or: 0), first.count), shapes.allSatisfy({ $0.count == first.count })
        else { return ValueFacts(element) }
        var result = first
        // One who knows a dimension knows it for all.
        for place in result.indices where result[place].known == nil {
            if let known = shapes.first(where: { $0[place].known != nil }) { result[place] = known[place] }
        }
        let sizes = shapes.map { $0[axis] }
        let total = sizes.compactMap(\.known)
        result[axis] = total.count == sizes.count ? .known(total.reduce(0, +)) : sizes.count == 1 ? sizes[0] : unknown()
        var numbers: [Size]? = first.count == 1 ? [] : nil
        for input in inputs { numbers = input.numbers.flatMap { more in numbers.map { $0 + more } } }
        if let count = numbers?.count, count > ValueFacts.numbersMax { numbers = nil }
        return ValueFacts(element, result, numbers: numbers)
    }

    private func gathered() -> ValueFacts {
        let element = input(0).element
        guard let shape = shape(0), let indices = self.shape(1), let axis = axis(integer("axis", or: 0), shape.count)
        else { return ValueFacts(element) }
        var numbers: [Size]?
        if shape.count == 1, let all = input(0).numbers, let places = integers(1) {
            let picked = places.compactMap { self.axis($0, all.count) }.map { all[$0] }
            if picked.count == places.count { numbers = picked }
        }
        return ValueFacts(element, shape[..<axis] + indices + shape[(axis + 1)...], numbers: numbers)
    }

    private mutating func sliced() -> ValueFacts {
        let element = input(0).element
        guard var shape = shape(0) else { return ValueFacts(element) }
        guard let starts = integers(1, orAttribute: "starts"), let ends = integers(2, orAttribute: "ends"),
            starts.count == ends.count
        else { return ValueFacts(element, headed(shape)) }
        let axes =
            isGiven(3) || node.attributes["axes"] != nil ? integers(3, orAttribute: "axes") : Array(starts.indices)
        let steps = isGiven(4) ? integers(4) : .init(repeating: 1, count: starts.count)
        guard let axes, let steps, axes.count == starts.count, steps.count == starts.count,
            steps.allSatisfy({ $0 != 0 })
        else { return ValueFacts(element, unknownWhere(shape)) }
        var numbers = shape.count == 1 ? input(0).numbers : nil
        for (place, given) in axes.enumerated() {
            guard let axis = axis(given, shape.count) else { return ValueFacts(element) }
            let (start, end, step) = (starts[place], ends[place], steps[place])
            if start == 0, step == 1, end >= Int(Int32.max) { continue }
            guard let size = shape[axis].known else {
                shape[axis] = unknown()
                numbers = nil
                continue
            }
            let (from, count) = Self.slice(size, start, end, step)
            shape[axis] = .known(count)
            numbers = numbers.map { all in (0..<min(count, all.count)).map { all[from + $0 * step] } }
        }
        return ValueFacts(element, shape, numbers: numbers)
    }

    /// What is left of a shape by a slice of which a size is the end: from 0 on, as many as there are asked for.
    ///
    /// A call that asks for more than there are gets all; what it meets next was made for as many as it asked for.
    private mutating func headed(_ shape: [Size]) -> [Size] {
        guard let starts = integers(1), let ends = input(2).numbers, starts.count == ends.count, isGiven(3),
            let axes = integers(3), axes.count == starts.count,
            !isGiven(4) || integers(4)?.allSatisfy({ $0 == 1 }) == true
        else { return unknownWhere(shape) }
        var result = shape
        for (place, given) in axes.enumerated() {
            guard let axis = axis(given, shape.count) else { return unknownWhere(shape) }
            if case .symbol(1...) = ends[place], starts[place] == 0 {
                result[axis] = ends[place]
            } else if starts[place] != 0 || ends[place].known.map({ $0 < Int(Int32.max) }) ?? true {
                result[axis] = unknown()
            }
        }
        return result
    }

    /// The first place that a slice picks of a dimension, and how many.
    private static func slice(_ size: Int, _ start: Int, _ end: Int, _ step: Int) -> (from: Int, count: Int) {
        func bound(_ place: Int, _ range: ClosedRange<Int>) -> Int {
            let place = place < 0 ? max(place, -size - 1) + size : place
            return max(range.lowerBound, min(place, range.upperBound))
        }
        guard size > 0 else { return (0, 0) }
        let from = bound(start, step > 0 ? 0...size : 0...size - 1)
        let to = bound(end, step > 0 ? 0...size : -1...size - 1)
        guard step > 0 ? from < to : from > to else { return (from, 0) }
        return (from, Int((to - from).magnitude - 1) / Int(clamping: step.magnitude) + 1)
    }

    private mutating func unknownWhere(_ shape: [Size]) -> [Size] { shape.map { _ in unknown() } }

    private mutating func split() -> [ValueFacts] {
        let element = input(0).element
        let count = node.outputs.count
        guard let shape = shape(0), let axis = axis(integer("axis", or: 0), shape.count), count > 0 else {
            return node.outputs.map { _ in ValueFacts(element) }
        }
        var sizes: [Size] = []
        if let given = integers(1, orAttribute: "split"), given.count == count {
            sizes = given.map { .known($0) }
        } else if !isGiven(1), let size = shape[axis].known {
            let each = (size + count - 1) / count
            sizes = (0..<count).map { .known(max(0, min(each, size - $0 * each))) }
        }
        return node.outputs.indices.map { place in
            var result = shape
            result[axis] = place < sizes.count ? sizes[place] : unknown()
            return ValueFacts(element, result)
        }
    }

    private mutating func expanded() -> [Size]? {
        guard let wanted = input(1).numbers else { return nil }
        return broadcast([shape(0), wanted])
    }

    private mutating func tiled() -> [Size]? {
        guard let shape = shape(0), let repeats = integers(1), repeats.count == shape.count else { return nil }
        return zip(shape, repeats).map { size, count in
            if count == 1 { return size }
            guard let size = size.known else { return unknown() }
            let (product, overflow) = size.multipliedReportingOverflow(by: count)
            return overflow ? unknown() : .known(product)
        }
    }

    private mutating func padded() -> [Size]? {
        guard let shape = shape(0), let pads = integers(1, orAttribute: "pads"), !isGiven(3),
            pads.count == 2 * shape.count
        else { return nil }
        return shape.enumerated().map { place, size in
            let more = pads[place].addingReportingOverflow(pads[place + shape.count])
            if more == (0, false) { return size }
            guard let size = size.known, !more.overflow, abs(more.partialValue) < 1 << 40 else { return unknown() }
            return .known(max(0, size + more.partialValue))
        }
    }

    private func filled() -> ValueFacts {
        var element = TensorElement.f32
        var value: Size?
        if case .tensor(let tensor)? = node.attributes["value"] {
            element = tensor.element
            value = (try? tensor.integers())?.first.map { .known($0) }
        }
        let sizes = input(0).numbers
        var numbers: [Size]?
        if let value, let count = sizes?.product, count <= ValueFacts.numbersMax, count >= 0 {
            numbers = .init(repeating: value, count: count)
        }
        return ValueFacts(element, sizes, numbers: numbers)
    }

    private mutating func range() -> ValueFacts {
        let element = input(0).element
        guard let start = integers(0)?.first, let limit = integers(1)?.first, let step = integers(2)?.first, step != 0
        else {
            // From 0 in steps of 1: as many as the limit, which may be a size.
            if integers(0) == [0], integers(2) == [1], let limit = input(1).numbers?.first {
                return ValueFacts(element, [limit])
            }
            return ValueFacts(element, [unknown()])
        }
        let distance = limit.subtractingReportingOverflow(start)
        guard !distance.overflow, step != .min, distance.partialValue != .min else { return ValueFacts(element) }
        let count = max(0, (distance.partialValue + step + (step > 0 ? -1 : 1)) / step)
        return ValueFacts(element, [.known(count)])
    }
}
