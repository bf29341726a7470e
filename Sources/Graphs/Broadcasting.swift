/// Shapes that meet as NumPy's do: aligned at the end, a size of 1 repeated.
enum Broadcasting {
    static func shape(_ shapes: [[Int]]) throws(GraphError) -> [Int] {
        var result = [Int](repeating: 1, count: shapes.map(\.count).max() ?? 0)
        for shape in shapes {
            let offset = result.count - shape.count
            for (dimension, size) in shape.enumerated() where size != 1 {
                let known = result[offset + dimension]
                guard known == 1 || known == size else {
                    let list = shapes.map(\.description).joined(separator: " and ")
                    throw .input("the shapes \(list) do not fit each other")
                }
                result[offset + dimension] = size
            }
        }
        return result
    }

    /// How far apart neighbours of a tensor of `shape` lie along each dimension of `result`, 0 where it is repeated.
    static func strides(of shape: [Int], in result: [Int]) -> [Int] {
        let own = StridedView.strides(of: shape)
        var strides = [Int](repeating: 0, count: result.count)
        let offset = result.count - shape.count
        for dimension in shape.indices where shape[dimension] != 1 { strides[offset + dimension] = own[dimension] }
        return strides
    }

    /// The same walk in as few dimensions as possible, at least one; `strides` is changed alongside.
    static func collapsed(_ shape: [Int], _ strides: inout [[Int]]) -> [Int] {
        var sizes: [Int] = []
        var kept = [[Int]](repeating: [], count: strides.count)
        for dimension in shape.indices where shape[dimension] != 1 {
            let merges =
                !sizes.isEmpty
                && strides.indices.allSatisfy { operand in
                    kept[operand][sizes.count - 1] == strides[operand][dimension] * shape[dimension]
                }
            if merges {
                sizes[sizes.count - 1] *= shape[dimension]
                for operand in strides.indices { kept[operand][sizes.count - 1] = strides[operand][dimension] }
            } else {
                sizes.append(shape[dimension])
                for operand in strides.indices { kept[operand].append(strides[operand][dimension]) }
            }
        }
        if sizes.isEmpty {
            sizes = [1]
            kept = kept.map { _ in [1] }
        }
        strides = kept
        return sizes
    }
}
