/// Images read between their pixels: at the places that a grid says, and in convolutions whose taps move.
enum GridOperators {
    static let operators: [Operator] = [
        Operator("GridSample", gridSample),
        Operator("DeformConv", deformed),
    ]

    private static func gridSample(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (image, grid) = try (call.tensor(0), call.tensor(1))
        let rank = image.rank - 2
        guard (1...3).contains(rank), grid.rank == image.rank, grid.shape[0] == image.shape[0],
            grid.shape[rank + 1] == rank
        else { throw .input("a grid \(grid.shape) does not fit an image \(image.shape)") }
        let spatial = Array(image.shape[2...])
        let out = Array(grid.shape[1...rank])
        let shape = Array(image.shape[..<2]) + out
        let count = try OperatorCall.elementCount(shape)
        guard count > 0 else { return try [.tensor(call.make(image.element, shape, doubles: []))] }
        guard !spatial.contains(0) else { throw .input("an image \(image.shape) without pixels cannot be sampled") }
        let reader = try GridReader(call, sizes: spatial)
        let (pixels, places) = try (image.doubles(), grid.doubles())
        let (perImage, placeCount) = (spatial.reduce(1, *), out.reduce(1, *))
        var values = [Double](repeating: 0, count: count)
        for index in 0..<image.shape[0] * placeCount {
            let (batch, place) = index.quotientAndRemainder(dividingBy: placeCount)
            // The last direction comes first in the grid.
            let coordinates = (0..<rank).map { reader.coordinate(places[index * rank + rank - 1 - $0], along: $0) }
            let taps = reader.taps(coordinates)
            for channel in 0..<image.shape[1] {
                let plane = batch * image.shape[1] + channel
                values[plane * placeCount + place] = taps.reduce(0) { sum, tap in
                    sum + pixels[plane * perImage + tap.pixel] * tap.weight
                }
            }
        }
        if !image.element.isFloating {
            values = values.map { QuantizationOperators.saturated($0, offset: 0, image.element) }
        }
        return try [.tensor(call.make(image.element, shape, doubles: values))]
    }

    private static func deformed(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (image, weights, offsets) = try (call.tensor(0), call.tensor(1), call.tensor(2))
        let (bias, mask) = (call.optionalTensor(3), call.optionalTensor(4))
        guard image.rank == 4, image.element.isFloating else {
            throw .unsupported(
                "DeformConv works on images of two dimensions, not on \(image.shape) of \(image.element)"
            )
        }
        let plain = try PlainConvolution(call, image: image.shape, weights: weights.shape)
        try plain.check(bias: bias)
        let offsetGroups = try call.integer("offset_group", or: 1)
        let taps = weights.shape[2] * weights.shape[3]
        let channels = image.shape[1]
        guard offsetGroups >= 1, channels % offsetGroups == 0,
            offsets.shape == [image.shape[0], 2 * offsetGroups * taps] + plain.window.out,
            mask.map({ $0.shape == [image.shape[0], offsetGroups * taps] + plain.window.out }) ?? true
        else {
            throw .input(
                "offsets \(offsets.shape) or mask \(mask?.shape ?? []) do not fit \(offsetGroups) groups of taps"
            )
        }
        // Each tap of each place becomes a pixel of its own; a convolution without pads follows.
        let columns = try moved(plain, image, offsets, mask, offsetGroups)
        var values = [Double](repeating: 0, count: try OperatorCall.elementCount(plain.shape))
        let (kernel, biases) = try (weights.doubles(), bias?.doubles() ?? [])
        let places = plain.window.placeCount
        for index in values.indices {
            let (plane, place) = index.quotientAndRemainder(dividingBy: places)
            let (batch, channel) = plane.quotientAndRemainder(dividingBy: plain.shape[1])
            let first = batch * channels + channel / plain.channelsOut * plain.channelsIn
            var sum = biases.isEmpty ? 0 : biases[channel]
            for k in 0..<plain.channelsIn * taps {
                sum += kernel[channel * plain.channelsIn * taps + k] * columns[(first * taps + k) * places + place]
            }
            values[index] = sum
        }
        return try [.tensor(call.make(image.element, plain.shape, doubles: values))]
    }

    /// What each tap sees: `[N, C, tap, place]`.
    private static func moved(
        _ plain: PlainConvolution,
        _ image: Tensor,
        _ offsets: Tensor,
        _ mask: Tensor?,
        _ offsetGroups: Int
    ) throws(GraphError) -> [Double] {
        let (y, x) = (plain.window.y, plain.window.x)
        let (taps, places, channels) = (y.kernel * x.kernel, y.out * x.out, image.shape[1])
        let count = try OperatorCall.elementCount([image.shape[0] * channels, taps, places])
        let reader = GridReader(sizes: [y.size, x.size])
        let (pixels, moves, factors) = try (image.doubles(), offsets.doubles(), mask?.doubles() ?? [])
        var columns = [Double](repeating: 0, count: count)
        let perGroup = channels / offsetGroups
        for index in 0..<image.shape[0] * offsetGroups * taps * places {
            let (stack, place) = index.quotientAndRemainder(dividingBy: places)
            let (group, tap) = stack.quotientAndRemainder(dividingBy: taps)
            let row = Double(y.pixel(place / x.out, tap / x.kernel)) + moves[2 * stack * places + place]
            let column = Double(x.pixel(place % x.out, tap % x.kernel)) + moves[(2 * stack + 1) * places + place]
            let seen = reader.taps([row, column])
            for channel in 0..<perGroup {
                let plane = group * perGroup + channel
                let sum = seen.reduce(0) { $0 + pixels[plane * y.size * x.size + $1.pixel] * $1.weight }
                columns[(plane * taps + tap) * places + place] = sum * (factors.isEmpty ? 1 : factors[index])
            }
        }
        return columns
    }
}
