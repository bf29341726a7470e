/// Places in images to sample at.
enum PlacementOperators {
    static let operators: [Operator] = [
        Operator("AffineGrid", affineGrid)
    ]

    private static func affineGrid(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let theta = try call.tensor(0)
        guard let size = try call.integers(1), size.count == 4 || size.count == 5, size.allSatisfy({ $0 >= 0 }) else {
            throw .input("the size is not N, C and two or three dimensions")
        }
        let rank = size.count - 2
        guard theta.shape == [size[0], rank, rank + 1] else {
            throw .input("transformations \(theta.shape) do not fit a size of \(size)")
        }
        let isAligned = try call.integer("align_corners", or: 0) != 0
        let sizes = Array(size[2...])
        let shape = [size[0]] + sizes + [rank]
        let count = try OperatorCall.elementCount(shape)
        let values = try theta.doubles()
        let strides = StridedView.strides(of: sizes)
        let points = sizes.reduce(1, *)
        var grid = [Double](repeating: 0, count: count)
        for index in 0..<(points == 0 ? 0 : size[0] * points) {
            let (batch, point) = (index / points, index % points)
            // x first: the last dimension.
            let position = sizes.indices.reversed().map { (axis: Int) -> Double in
                let place = Double(point / strides[axis] % sizes[axis])
                guard isAligned else { return (2 * place + 1) / Double(sizes[axis]) - 1 }
                return sizes[axis] == 1 ? -1 : 2 * place / Double(sizes[axis] - 1) - 1
            }
            for row in 0..<rank {
                let start = (batch * rank + row) * (rank + 1)
                var sum = values[start + rank]
                for (column, coordinate) in position.enumerated() { sum += values[start + column] * coordinate }
                grid[index * rank + row] = sum
            }
        }
        return try [.tensor(call.make(theta.element, shape, doubles: grid))]
    }
}
