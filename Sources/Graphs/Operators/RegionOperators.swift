/// Boxes in images: their pixels, and which of them to keep.
enum RegionOperators {
    static let operators: [Operator] = [
        Operator("RoiAlign", align),
        Operator("MaxRoiPool", maxPool),
        Operator("NonMaxSuppression", suppress),
    ]

    // MARK: RoiAlign

    /// What the settings of `RoiAlign` say.
    private struct Alignment {
        let height: Int
        let width: Int
        /// Samples of a bin in each direction; 0 for as many as it has pixels.
        let samples: Int
        let scale: Double
        let offset: Double
        let takesMaximum: Bool

        init(_ call: borrowing OperatorCall) throws(GraphError) {
            height = try call.integer("output_height", or: 1)
            width = try call.integer("output_width", or: 1)
            samples = try call.integer("sampling_ratio", or: 0)
            scale = Double(try call.float("spatial_scale", or: 1))
            // Before operator set 16 there were no half pixels.
            let standard = call.version < 16 ? "output_half_pixel" : "half_pixel"
            offset = try call.string("coordinate_transformation_mode", or: standard) == "half_pixel" ? 0.5 : 0
            let mode = try call.string("mode", or: "avg")
            guard mode == "avg" || mode == "max" else {
                throw .invalid("the mode \"\(mode)\" is not one of avg and max")
            }
            takesMaximum = mode == "max"
            guard (1...1 << 16).contains(height), (1...1 << 16).contains(width), (0...1 << 10).contains(samples) else {
                throw .invalid("a box of \(height) × \(width) bins with \(samples) samples is not possible")
            }
        }
    }

    private static func align(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (image, boxes, batches) = try (call.tensor(0), call.tensor(1), call.tensor(2))
        let alignment = try Alignment(call)
        guard image.rank == 4, image.element.isFloating, boxes.rank == 2, boxes.shape[1] == 4,
            batches.shape == [boxes.shape[0]]
        else { throw .input("boxes \(boxes.shape) and batches \(batches.shape) do not fit an image \(image.shape)") }
        let shape = [boxes.shape[0], image.shape[1], alignment.height, alignment.width]
        let count = try OperatorCall.elementCount(shape)
        let (pixels, corners, indices) = try (image.doubles(), boxes.doubles(), batches.integers())
        guard count == 0 || image.count > 0 else { throw .input("an image \(image.shape) without pixels has no boxes") }
        var values: [Double] = []
        values.reserveCapacity(count)
        for (box, batch) in indices.enumerated() {
            guard (0..<image.shape[0]).contains(batch) else {
                throw .input("box \(box) is of image \(batch), there are \(image.shape[0])")
            }
            let bins = try bins(
                Array(corners[box * 4..<box * 4 + 4]),
                alignment,
                height: image.shape[2],
                width: image.shape[3]
            )
            for channel in 0..<image.shape[1] {
                let first = (batch * image.shape[1] + channel) * image.shape[2] * image.shape[3]
                for bin in bins { values.append(value(of: bin, alignment, pixels, first)) }
            }
        }
        return try [.tensor(call.make(image.element, shape, doubles: values))]
    }

    private static func value(
        of bin: [[GridReader.Tap]],
        _ alignment: Alignment,
        _ pixels: [Double],
        _ first: Int
    ) -> Double {
        guard !bin.isEmpty else { return 0 }
        if alignment.takesMaximum {
            // The standard takes the greatest weighted pixel, not the greatest mixture of them.
            return bin.reduce(-.infinity) { greatest, sample in
                sample.isEmpty
                    ? max(greatest, 0) : sample.reduce(greatest) { max($0, pixels[first + $1.pixel] * $1.weight) }
            }
        }
        let sum = bin.reduce(0.0) { sum, sample in
            sample.reduce(sum) { $0 + pixels[first + $1.pixel] * $1.weight }
        }
        return sum / Double(bin.count)
    }

    /// For each bin of a box its samples, each with the pixels around it.
    private static func bins(
        _ corners: [Double],
        _ alignment: Alignment,
        height: Int,
        width: Int
    ) throws(GraphError) -> [[[GridReader.Tap]]] {
        let scaled = corners.map { $0 * alignment.scale - alignment.offset }
        var (boxWidth, boxHeight) = (scaled[2] - scaled[0], scaled[3] - scaled[1])
        if alignment.offset == 0 { (boxWidth, boxHeight) = (max(boxWidth, 1), max(boxHeight, 1)) }
        let (binHeight, binWidth) = (boxHeight / Double(alignment.height), boxWidth / Double(alignment.width))
        guard binHeight.magnitude <= 4096, binWidth.magnitude <= 4096 else {
            throw .input("a box \(corners) is too large, or no box")
        }
        let rows = alignment.samples > 0 ? alignment.samples : max(0, Int(binHeight.rounded(.up)))
        let columns = alignment.samples > 0 ? alignment.samples : max(0, Int(binWidth.rounded(.up)))
        var bins: [[[GridReader.Tap]]] = []
        for bin in 0..<alignment.height * alignment.width {
            let top = scaled[1] + Double(bin / alignment.width) * binHeight
            let left = scaled[0] + Double(bin % alignment.width) * binWidth
            var samples: [[GridReader.Tap]] = []
            for sample in 0..<rows * columns {
                let y = top + (Double(sample / columns) + 0.5) * binHeight / Double(rows)
                let x = left + (Double(sample % columns) + 0.5) * binWidth / Double(columns)
                samples.append(taps(y, x, height: height, width: width))
            }
            bins.append(samples)
        }
        return bins
    }

    private static func taps(_ y: Double, _ x: Double, height: Int, width: Int) -> [GridReader.Tap] {
        guard y >= -1, y <= Double(height), x >= -1, x <= Double(width) else { return [] }
        let (row, column) = (min(max(y, 0), Double(height - 1)), min(max(x, 0), Double(width - 1)))
        let (top, left) = (Int(row), Int(column))
        let (bottom, right) = (min(top + 1, height - 1), min(left + 1, width - 1))
        let (down, across) = (row - Double(top), column - Double(left))
        return [
            .init(pixel: top * width + left, weight: (1 - down) * (1 - across)),
            .init(pixel: top * width + right, weight: (1 - down) * across),
            .init(pixel: bottom * width + left, weight: down * (1 - across)),
            .init(pixel: bottom * width + right, weight: down * across),
        ]
    }

    // MARK: MaxRoiPool

    private static func maxPool(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (image, boxes) = try (call.tensor(0), call.tensor(1))
        guard let bins = try call.integers("pooled_shape"), bins.count == 2,
            bins.allSatisfy({ (1...1 << 16).contains($0) })
        else { throw .invalid("the attribute pooled_shape is not two sizes") }
        guard image.rank == 4, image.element.isFloating, boxes.rank == 2, boxes.shape[1] == 5 else {
            throw .input("boxes \(boxes.shape) do not fit an image \(image.shape)")
        }
        let scale = Double(try call.float("spatial_scale", or: 1))
        let shape = [boxes.shape[0], image.shape[1]] + bins
        let count = try OperatorCall.elementCount(shape)
        let (pixels, corners) = try (image.doubles(), boxes.doubles())
        let (height, width) = (image.shape[2], image.shape[3])
        var values: [Double] = []
        values.reserveCapacity(count)
        for box in 0..<boxes.shape[0] {
            let numbers = Array(corners[box * 5..<box * 5 + 5])
            guard numbers.allSatisfy({ $0.magnitude <= 1_000_000 }), scale.magnitude <= 1_000_000,
                (0..<image.shape[0]).contains(Int(numbers[0]))
            else { throw .input("box \(numbers) is too large, or of an image that is not there") }
            let edges = numbers[1...].map { Int(($0 * scale).rounded(.toNearestOrAwayFromZero)) }
            for channel in 0..<image.shape[1] {
                let first = (Int(numbers[0]) * image.shape[1] + channel) * height * width
                for bin in 0..<bins[0] * bins[1] {
                    let rows = range(bin / bins[1], of: bins[0], edges[1], edges[3], height)
                    let columns = range(bin % bins[1], of: bins[1], edges[0], edges[2], width)
                    var greatest: Double?
                    for y in rows {
                        for x in columns {
                            greatest = max(greatest ?? -.infinity, pixels[first + y * width + x])
                        }
                    }
                    values.append(greatest ?? 0)
                }
            }
        }
        return try [.tensor(call.make(image.element, shape, doubles: values))]
    }

    /// The pixels of one of `count` bins between two edges, both of them inside the box.
    private static func range(_ bin: Int, of count: Int, _ first: Int, _ last: Int, _ size: Int) -> Range<Int> {
        let length = Double(max(last - first + 1, 1)) / Double(count)
        let start = min(max(Int((Double(bin) * length).rounded(.down)) + first, 0), size)
        let end = min(max(Int((Double(bin + 1) * length).rounded(.up)) + first, 0), size)
        return start..<max(start, end)
    }

    // MARK: NonMaxSuppression

    private static func suppress(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (boxes, scores) = try (call.tensor(0), call.tensor(1))
        guard boxes.rank == 3, scores.rank == 3, boxes.shape[2] == 4, boxes.shape[0] == scores.shape[0],
            boxes.shape[1] == scores.shape[2]
        else { throw .input("scores \(scores.shape) do not fit boxes \(boxes.shape)") }
        let keepsMax = try call.integers(2)?.first ?? 0
        let overlapMax = try call.optionalTensor(3)?.floats().first ?? 0
        let leastScore = try call.optionalTensor(4)?.floats().first
        let isCentred = try call.integer("center_point_box", or: 0) != 0
        let (corners, points) = try (boxes.floats(), scores.floats())
        let count = boxes.shape[1]
        var picked: [Int64] = []
        for stack in 0..<scores.shape[0] * scores.shape[1] {
            let (batch, kind) = stack.quotientAndRemainder(dividingBy: scores.shape[1])
            let ours = points[stack * count..<(stack + 1) * count]
            var order = Array(ours.indices)
            if let leastScore { order = order.filter { points[$0] > leastScore } }
            // Equal scores in the order of the boxes; a NaN is no score.
            order = order.filter { !points[$0].isNaN }.sorted { (points[$0], $1) > (points[$1], $0) }
            var kept: [Box] = []
            for index in order where kept.count < keepsMax {
                let box = index - stack * count
                let start = (batch * count + box) * 4
                let candidate = Box(corners[start..<start + 4], isCentred: isCentred)
                guard !kept.contains(where: { $0.overlap(candidate) > overlapMax }) else { continue }
                kept.append(candidate)
                picked += [Int64(batch), Int64(kind), Int64(box)]
            }
        }
        return [.tensor(Tensor(picked, shape: [picked.count / 3, 3]))]
    }
}

/// A box with its edges in order.
private struct Box {
    let top: Float
    let left: Float
    let bottom: Float
    let right: Float

    /// - Parameter numbers: two corners as y, x, y, x; or the centre as x, y with width and height.
    init(_ numbers: ArraySlice<Float>, isCentred: Bool) {
        let n = Array(numbers)
        if isCentred {
            (left, right) = (n[0] - n[2] / 2, n[0] + n[2] / 2)
            (top, bottom) = (n[1] - n[3] / 2, n[1] + n[3] / 2)
        } else {
            (top, bottom) = (min(n[0], n[2]), max(n[0], n[2]))
            (left, right) = (min(n[1], n[3]), max(n[1], n[3]))
        }
    }

    private var area: Float { (bottom - top) * (right - left) }

    /// The part of both that they share.
    func overlap(_ other: Box) -> Float {
        let height = min(bottom, other.bottom) - max(top, other.top)
        let width = min(right, other.right) - max(left, other.left)
        guard height > 0, width > 0, area > 0, other.area > 0 else { return 0 }
        let shared = height * width
        return shared / (area + other.area - shared)
    }
}
