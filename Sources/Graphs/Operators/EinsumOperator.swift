import Kernels

/// Sums of products by Einstein's convention, two operands at a time as stacks of matrix products.
enum EinsumOperator {
    static let operators: [Operator] = [Operator("Einsum", einsum)]

    /// A tensor with a name for each dimension, each name once.
    private struct Operand {
        var tensor: Tensor
        var labels: [Int]
    }

    /// What an equation says: names of the operands' dimensions and of the result's.
    private struct Equation {
        /// Letters are their code points; the dimensions of an ellipsis are −1, −2, … from the last one on.
        var operands: [[Int]] = []
        var result: [Int] = []

        init(_ text: String, ranks: [Int]) throws(GraphError) {
            let plain = text.filter { $0 != " " }
            let sides = plain.split(separator: "->", omittingEmptySubsequences: false)
            let terms = (sides.first ?? "").split(separator: ",", omittingEmptySubsequences: false)
            guard sides.count <= 2, terms.count == ranks.count else {
                throw .invalid("the equation \"\(text)\" does not name \(ranks.count) operands")
            }
            var widest = 0
            for (term, rank) in zip(terms, ranks) {
                let labels = try Self.labels(term, rank: rank)
                widest = max(widest, labels.count { $0 < 0 })
                operands.append(labels)
            }
            if sides.count == 2 {
                let letters = sides[1].filter { $0 != "." }.count
                result = try Self.labels(sides[1], rank: sides[1].contains(".") ? letters + widest : letters)
            } else {
                let all = operands.joined()
                let once = Set(all.filter { label in label > 0 && all.count { $0 == label } == 1 })
                result = (0..<widest).map { $0 - widest } + once.sorted()
            }
            guard Set(result).count == result.count, Set(result).isSubset(of: operands.joined()) else {
                throw .invalid("the result of \"\(text)\" repeats or invents a name")
            }
        }

        private static func labels(_ term: Substring, rank: Int) throws(GraphError) -> [Int] {
            let parts = term.split(separator: "...", omittingEmptySubsequences: false)
            let letters = parts.map { $0.unicodeScalars.map { Int($0.value) } }
            let named = letters.joined().count
            guard parts.count <= 2, letters.joined().allSatisfy({ $0 != 46 }),
                parts.count == 2 ? named <= rank : named == rank
            else { throw .input("\"\(term)\" does not name \(rank) dimensions") }
            guard parts.count == 2 else { return letters[0] }
            return letters[0] + (0..<rank - named).map { $0 - (rank - named) } + letters[1]
        }
    }

    private static func einsum(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensors = try call.tensors()
        let equation = try Equation(call.string("equation", or: ""), ranks: tensors.map(\.rank))
        var operands: [Operand] = []
        for (tensor, labels) in zip(tensors, equation.operands) {
            operands.append(try diagonal(tensor, labels, call))
        }
        guard var result = operands.first else { throw .invalid("nothing to sum") }
        for index in operands.indices.dropFirst() {
            let needed = Set(equation.result).union(operands[(index + 1)...].flatMap(\.labels))
            result = try contract(result, operands[index], keeping: needed, call)
        }
        result = try summed(result, keeping: Set(equation.result), call)
        // Names that only broadcasting gave are all there by now.
        var order: [Int] = []
        for label in equation.result {
            guard let place = result.labels.firstIndex(of: label) else { throw .invalid("a name has no dimension") }
            order.append(place)
        }
        return try [.tensor(call.transposed(result.tensor, order))]
    }

    /// The elements whose indices agree where a name is repeated.
    private static func diagonal(
        _ tensor: Tensor,
        _ labels: [Int],
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Operand {
        guard Set(labels).count < labels.count else { return Operand(tensor: tensor, labels: labels) }
        let own = StridedView.strides(of: tensor.shape)
        var (names, shape, strides): ([Int], [Int], [Int]) = ([], [], [])
        for (dimension, label) in labels.enumerated() {
            if let place = names.firstIndex(of: label) {
                guard shape[place] == tensor.shape[dimension] else {
                    throw .input("\(tensor.shape) has no diagonal of one size")
                }
                strides[place] += own[dimension]
            } else {
                names.append(label)
                shape.append(tensor.shape[dimension])
                strides.append(own[dimension])
            }
        }
        let view = StridedView(shape: shape, strides: strides)
        return try Operand(tensor: call.materialise(tensor, view), labels: names)
    }

    private static func summed(
        _ operand: Operand,
        keeping needed: Set<Int>,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Operand {
        let axes = operand.labels.indices.filter { !needed.contains(operand.labels[$0]) }
        guard !axes.isEmpty else { return operand }
        let sum = try ReductionOperators.reduce(operand.tensor, .sum, axes: axes, keepsDimensions: false, call)
        return Operand(tensor: sum, labels: operand.labels.filter { needed.contains($0) })
    }

    /// The product of two operands, summed over what neither the result nor a later operand needs.
    private static func contract(
        _ first: Operand,
        _ second: Operand,
        keeping needed: Set<Int>,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Operand {
        let a = try summed(first, keeping: needed.union(second.labels), call)
        let b = try summed(second, keeping: needed.union(first.labels), call)
        var sizes: [Int: Int] = [:]
        for operand in [a, b] {
            for (label, size) in zip(operand.labels, operand.tensor.shape) {
                let known = sizes[label, default: 1]
                guard known == size || known == 1 || size == 1 else {
                    throw .input("sizes \(known) and \(size) of one name do not fit each other")
                }
                sizes[label] = known == 1 ? size : known
            }
        }
        let both = a.labels.filter { b.labels.contains($0) }
        let stack = both.filter { needed.contains($0) }
        let inner = both.filter { !needed.contains($0) }
        let rows = a.labels.filter { !b.labels.contains($0) }
        let columns = b.labels.filter { !a.labels.contains($0) }
        let left = try arranged(a, [stack, rows, inner], sizes, call)
        let right = try arranged(b, [stack, inner, columns], sizes, call)
        let labels = stack + rows + columns
        let product = try MatrixProduct.multiply(left, right, call)
        let shape = labels.map { sizes[$0] ?? 1 }
        _ = try OperatorCall.elementCount(shape)
        return Operand(tensor: product.reshaped(shape), labels: labels)
    }

    /// The operand's elements in one dimension for each group of names; a size of 1 is repeated where another has more.
    private static func arranged(
        _ operand: Operand,
        _ groups: [[Int]],
        _ sizes: [Int: Int],
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let own = StridedView.strides(of: operand.tensor.shape)
        var view = StridedView(shape: [], strides: [])
        for label in groups.joined() {
            let place = operand.labels.firstIndex(of: label) ?? 0
            view.shape.append(sizes[label] ?? 1)
            view.strides.append(operand.tensor.shape[place] == 1 ? 0 : own[place])
        }
        let shape = groups.map { $0.reduce(1) { $0 * (sizes[$1] ?? 1) } }
        return try call.materialise(operand.tensor, view, as: shape)
    }
}
