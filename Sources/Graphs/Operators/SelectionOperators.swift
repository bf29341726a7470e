/// Elements in order of size, each once, or with a margin.
enum SelectionOperators {
    static let operators: [Operator] = [
        Operator("TopK", topK),
        Operator("Unique", unique),
        Operator("Pad", versions: 2...Int.max, pad),
        Operator("CenterCropPad", centerCropPad),
    ]

    private static func topK(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let axis = try Axes.resolve(call.integer("axis", or: -1), rank: tensor.rank)
        // An attribute before operator set 10.
        let attribute = try call.integer("k")
        guard let count = try call.integers(1)?.first ?? attribute else { throw .invalid("k is missing") }
        let size = tensor.shape[axis]
        guard count >= 0, count <= size else { throw .input("\(count) of \(size) elements are not possible") }
        let isLargest = try call.integer("largest", or: 1) != 0
        let inner = tensor.shape[(axis + 1)...].reduce(1, *)
        let outer = tensor.shape[..<axis].reduce(1, *)
        let before = try order(of: tensor, isLargest: isLargest)
        var places = [Int](repeating: 0, count: outer * count * inner)
        for row in 0..<outer {
            for lane in 0..<inner {
                let start = row * size * inner + lane
                let sorted = (0..<size).sorted { before(start + $0 * inner, start + $1 * inner) }
                for rank in 0..<count { places[(row * count + rank) * inner + lane] = start + sorted[rank] * inner }
            }
        }
        var shape = tensor.shape
        shape[axis] = count
        let indices = places.map { Int64($0 / max(inner, 1) % max(size, 1)) }
        return try [
            .tensor(Blocks.gather(tensor, places, of: 1, shape: shape, call)),
            .tensor(Tensor(indices, shape: shape)),
        ]
    }

    /// Which of two places comes first: the better element, of equals the earlier; NaN is the greatest of all.
    private static func order(of tensor: Tensor, isLargest: Bool) throws(GraphError) -> (Int, Int) -> Bool {
        if tensor.element.isFloating {
            let values = try tensor.doubles()
            return { first, second in
                let (a, b) = (values[first], values[second])
                if a == b || (a.isNaN && b.isNaN) { return first < second }
                if a.isNaN || b.isNaN { return a.isNaN == isLargest }
                return isLargest ? a > b : a < b
            }
        }
        // The order of unsigned numbers is that of signed ones with the highest bit turned.
        let turn: Int64 = tensor.element == .u64 ? .min : 0
        let values = try tensor.wideIntegers().map { $0 ^ turn }
        return { first, second in
            let (a, b) = (values[first], values[second])
            return a == b ? first < second : isLargest ? a > b : a < b
        }
    }

    private static func unique(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let given = try call.tensor(0)
        let axis = try call.integer("axis")
        let tensor = axis == nil ? given.reshaped([given.count]) : given
        let resolved = try Axes.resolve(axis ?? 0, rank: tensor.rank)
        let size = tensor.shape[resolved]
        // Each slice along the axis is a row.
        let order = [resolved] + tensor.shape.indices.filter { $0 != resolved }
        let rows = try call.transposed(tensor, order)
        let length = size == 0 ? 0 : rows.count / size
        let compare = try comparison(of: rows, length: length)
        let sorted = (0..<size).sorted { (a: Int, b: Int) in
            let result = compare(a, b)
            return result == 0 ? a < b : result < 0
        }
        var groups: [[Int]] = []
        for row in sorted {
            if let last = groups.last?.first, compare(last, row) == 0 {
                groups[groups.count - 1].append(row)
            } else {
                groups.append([row])
            }
        }
        if try call.integer("sorted", or: 1) == 0 { groups.sort { $0[0] < $1[0] } }
        var inverse = [Int64](repeating: 0, count: size)
        for (place, group) in groups.enumerated() {
            for row in group { inverse[row] = Int64(place) }
        }
        var shape = rows.shape
        shape[0] = groups.count
        let firsts = groups.map { $0[0] }
        let kept = try Blocks.gather(rows, firsts, of: length, shape: shape, call)
        let back = tensor.shape.indices.map { order.firstIndex(of: $0) ?? 0 }
        return try [
            .tensor(call.transposed(kept, back)),
            .tensor(Tensor(firsts.map(Int64.init), shape: [groups.count])),
            .tensor(Tensor(inverse, shape: [size])),
            .tensor(Tensor(groups.map { Int64($0.count) }, shape: [groups.count])),
        ]
    }

    /// Compares two rows of `length` elements: negative, 0 or positive.
    private static func comparison(of rows: Tensor, length: Int) throws(GraphError) -> (Int, Int) -> Int {
        func lexical<Value>(_ values: [Value], _ isLess: @escaping (Value, Value) -> Bool) -> (Int, Int) -> Int {
            { first, second in
                for element in 0..<length {
                    let (a, b) = (values[first * length + element], values[second * length + element])
                    if isLess(a, b) { return -1 }
                    if isLess(b, a) { return 1 }
                }
                return 0
            }
        }
        switch rows.element {
        case .string: return lexical(rows.strings, <)
        case .u64: return lexical(rows.array(of: UInt64.self), <)
        case let element where element.isFloating:
            // NaN comes last.
            return try lexical(rows.doubles()) { $0 < $1 || ($1.isNaN && !$0.isNaN) }
        default: return try lexical(rows.wideIntegers(), <)
        }
    }

    private static func pad(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard let pads = try call.integers(1, orAttribute: "pads") else { throw .invalid("the pads are missing") }
        let axes = try Axes.resolve(call.integers(3) ?? Array(tensor.shape.indices), rank: tensor.rank)
        guard pads.count == axes.count * 2 else { throw .input("\(pads.count) pads for \(axes.count) axes") }
        var (before, after) = ([Int](repeating: 0, count: tensor.rank), [Int](repeating: 0, count: tensor.rank))
        for (index, axis) in axes.enumerated() {
            before[axis] = pads[index]
            after[axis] = pads[index + axes.count]
        }
        let mode = try call.string("mode", or: "constant")
        var fill = call.optionalTensor(2)
        if fill == nil, let value = try call.float("value") {
            fill = try call.make(tensor.element, [], doubles: [Double(value)])
        }
        return try [.tensor(padded(tensor, before, after, mode: mode, fill: fill, call))]
    }

    /// `tensor` with margins before and after each dimension; negative ones cut.
    private static func padded(
        _ tensor: Tensor,
        _ before: [Int],
        _ after: [Int],
        mode: String,
        fill: Tensor?,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        var shape: [Int] = []
        for axis in tensor.shape.indices {
            let (first, overflow) = tensor.shape[axis].addingReportingOverflow(before[axis])
            let (size, again) = first.addingReportingOverflow(after[axis])
            guard !overflow, !again else { throw .input("margins of \(before[axis]) and \(after[axis]) are too large") }
            shape.append(size)
        }
        _ = try OperatorCall.elementCount(shape)
        // Blocks are whole up to the last dimension that has a margin.
        let last = tensor.shape.indices.last { before[$0] != 0 || after[$0] != 0 } ?? -1
        let length = tensor.shape[(last + 1)...].reduce(1, *)
        var places = [0]
        for axis in 0..<(last + 1) {
            let sources = try sources(shape[axis], tensor.shape[axis], before[axis], mode: mode)
            places = places.flatMap { place in
                sources.map { place < 0 || $0 < 0 ? -1 : place * tensor.shape[axis] + $0 }
            }
        }
        guard shape.reduce(1, *) > 0 else {
            places = []; return try Blocks.gather(tensor, [], of: 0, shape: shape, call)
        }
        guard places.contains(-1) else { return try Blocks.gather(tensor, places, of: length, shape: shape, call) }
        // One more block holds the fill.
        let value: Tensor
        if let fill {
            guard fill.count == 1, fill.element == tensor.element else {
                throw .input("a fill of \(fill.element) \(fill.shape) is not one element of \(tensor.element)")
            }
            value = fill
        } else if tensor.element == .string {
            value = Tensor(strings: [""], shape: [])
        } else {
            value = try call.make(tensor.element, [], integers: [0])
        }
        let block = try call.expanded(value.reshaped([]), to: [1, length])
        let blocks = tensor.count / max(length, 1)
        let both = try MovementOperators.join([tensor.reshaped([blocks, length]), block], axis: 0, call)
        return try Blocks.gather(both, places.map { $0 < 0 ? blocks : $0 }, of: length, shape: shape, call)
    }

    /// Where each index of a padded dimension comes from; −1 for the fill.
    private static func sources(_ size: Int, _ own: Int, _ before: Int, mode: String) throws(GraphError) -> [Int] {
        guard mode == "constant" || own > 0 || size == 0 else { throw .input("nothing to repeat in a size of 0") }
        switch mode {
        case "constant": return (0..<size).map { $0 - before >= 0 && $0 - before < own ? $0 - before : -1 }
        case "edge": return (0..<size).map { min(max($0 - before, 0), own - 1) }
        case "wrap": return (0..<size).map { (($0 - before) % own + own) % own }
        case "reflect":
            let period = max(2 * (own - 1), 1)
            return (0..<size).map { index in
                let place = ((index - before) % period + period) % period
                return own == 1 ? 0 : place < own ? place : period - place
            }
        default: throw .invalid("the mode \"\(mode)\" is none of constant, edge, reflect and wrap")
        }
    }

    private static func centerCropPad(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard let target = try call.integers(1) else { throw .invalid("the shape is missing") }
        let axes = try Axes.resolve(call.integers("axes") ?? Array(tensor.shape.indices), rank: tensor.rank)
        guard target.count == axes.count, target.allSatisfy({ $0 >= 0 }) else {
            throw .input("the shape \(target) does not fit \(axes.count) axes")
        }
        var (before, after) = ([Int](repeating: 0, count: tensor.rank), [Int](repeating: 0, count: tensor.rank))
        for (index, axis) in axes.enumerated() {
            let (more, overflow) = target[index].subtractingReportingOverflow(tensor.shape[axis])
            guard !overflow else { throw .input("a size of \(target[index]) is not possible") }
            // What is cut starts at half, rounded down; what is added, too.
            before[axis] = more >= 0 ? more / 2 : -(-more / 2)
            after[axis] = more - before[axis]
        }
        return try [.tensor(padded(tensor, before, after, mode: "constant", fill: nil, call))]
    }
}
