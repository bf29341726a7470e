/// Places in images: grids to sample at, and columns put back where they were cut out.
enum GridOperators {
    static let operators: [Operator] = [
        Operator("AffineGrid", affineGrid),
        Operator("Col2Im", columnsToImage),
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

    private static func columnsToImage(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard let image = try call.integers(1), let block = try call.integers(2), tensor.rank == 3,
            image.count == block.count, !image.isEmpty, image.count <= 6, (image + block).allSatisfy({ $0 > 0 })
        else { throw .input("\(tensor.shape) is not columns of blocks of an image") }
        let rank = image.count
        let dilations = try call.integers("dilations") ?? [Int](repeating: 1, count: rank)
        let strides = try call.integers("strides") ?? [Int](repeating: 1, count: rank)
        let pads = try call.integers("pads") ?? [Int](repeating: 0, count: 2 * rank)
        guard dilations.count == rank, strides.count == rank, pads.count == 2 * rank,
            (dilations + strides).allSatisfy({ $0 > 0 && $0 < 1 << 20 }), pads.allSatisfy({ $0 >= 0 && $0 < 1 << 20 }),
            (image + block).allSatisfy({ $0 < 1 << 20 })
        else { throw .invalid("dilations, strides or pads do not fit \(rank) dimensions") }
        let blocks = (0..<rank).map { (axis: Int) -> Int in
            let room = image[axis] + pads[axis] + pads[axis + rank]
            let reach = dilations[axis] * (block[axis] - 1) + 1
            return room < reach ? 0 : (room - reach) / strides[axis] + 1
        }
        let blockSize = try OperatorCall.elementCount(block)
        guard blocks.allSatisfy({ $0 > 0 }), tensor.shape[1] % blockSize == 0,
            try OperatorCall.elementCount(blocks) == tensor.shape[2]
        else { throw .input("\(tensor.shape) does not hold blocks \(block) of an image \(image)") }
        let channels = tensor.shape[1] / blockSize
        let shape = [tensor.shape[0], channels] + image
        var result = [Double](repeating: 0, count: try OperatorCall.elementCount(shape))
        let values = try tensor.doubles()
        let (imageStrides, blockStrides) = (StridedView.strides(of: image), StridedView.strides(of: block))
        let placeStrides = StridedView.strides(of: blocks)
        for (index, value) in values.enumerated() {
            let (column, place) = (index / tensor.shape[2], index % tensor.shape[2])
            let (plane, within) = (column / blockSize, column % blockSize)
            var target = plane * image.reduce(1, *)
            var isInside = true
            for axis in 0..<rank {
                let first = place / placeStrides[axis] % blocks[axis] * strides[axis] - pads[axis]
                let position = first + within / blockStrides[axis] % block[axis] * dilations[axis]
                isInside = isInside && position >= 0 && position < image[axis]
                target += position * imageStrides[axis]
            }
            if isInside { result[target] += value }
        }
        return try [.tensor(call.make(tensor.element, shape, doubles: result))]
    }
}
