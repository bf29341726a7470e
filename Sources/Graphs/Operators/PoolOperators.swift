import Kernels

/// One number for each window of each channel, and back.
enum PoolOperators {
    static let operators: [Operator] = [
        Operator("MaxPool", maxPool),
        Operator("AveragePool", averagePool),
        Operator("LpPool", lpPool),
        Operator("GlobalMaxPool") { (call) throws(GraphError) in
            try global(call) { values in values.reduce(-.infinity) { $0.isNaN || $0 > $1 ? $0 : $1 } }
        },
        Operator("GlobalAveragePool") { (call) throws(GraphError) in
            try global(call) { values in values.reduce(0, +) / Double(values.count) }
        },
        Operator("GlobalLpPool") { (call) throws(GraphError) in
            let power = try norm(call)
            return try global(call) { values in norm(of: values, power) }
        },
        Operator("MaxUnpool", maxUnpool),
        Operator("LRN", localResponse),
    ]

    /// The window of a pool over `image`, `[N, C, …]`, and how many planes that has.
    private static func window(_ call: borrowing OperatorCall, _ image: Tensor) throws(GraphError) -> (
        Window, planes: Int
    ) {
        guard image.rank >= 3 else { throw .input("\(image.shape) is no image: it has no spatial dimensions") }
        let roundsUp = try call.integer("ceil_mode", or: 0) != 0
        let window = try Window(call, spatial: Array(image.shape[2...]), roundsUp: roundsUp)
        let settings = try WindowSettings(call, rank: image.rank - 2)
        for (axis, (kernel, dilation)) in zip(window.axes, zip(settings.kernel, settings.dilations)) {
            let reach = (kernel - 1) * dilation + 1
            guard max(axis.pads.0, axis.pads.1) < reach else {
                throw .invalid("a pool's pads \(settings.pads) are as wide as its window \(settings.kernel)")
            }
        }
        return (window, image.shape[0] * image.shape[1])
    }

    // MARK: Greatest

    private static func maxPool(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let image = try call.tensor(0)
        switch image.element {
        case .f32: return try maxPool(image, of: Float.self, least: -.infinity, call)
        case .f64: return try maxPool(image, of: Double.self, least: -.infinity, call)
        case .i8: return try maxPool(image, of: Int8.self, least: .min, call)
        case .u8: return try maxPool(image, of: UInt8.self, least: .min, call)
        case .f16, .bf16:
            var values = try maxPool(call.cast(image, to: .f32), of: Float.self, least: -.infinity, call)
            if case .tensor(let greatest) = values[0] {
                values[0] = try .tensor(call.cast(greatest, to: image.element))
            }
            return values
        default: throw .unsupported("a pool of \(image.element) is not in the standard")
        }
    }

    private static func maxPool<Scalar: TensorScalar & Comparable>(
        _ image: Tensor,
        of _: Scalar.Type,
        least: Scalar,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> [GraphValue] {
        let (window, planes) = try window(call, image)
        let shape = Array(image.shape[..<2]) + window.out
        let wantsPlaces = call.outputCount > 1
        let isColumnMajor = try call.integer("storage_order", or: 0) != 0
        var places: [Int64] = []
        if wantsPlaces { places.reserveCapacity(try OperatorCall.elementCount(shape)) }
        let greatest = try call.make(Scalar.self, shape) { out in
            image.withElements(as: Scalar.self) { pixels in
                var index = 0
                window.forEachPlace(planes: planes) { first, place in
                    var best = least
                    var bestPixel = -1
                    window.forEachPixel(of: place) { pixel in
                        let value = pixels[first + pixel]
                        // A NaN is greater than anything, as in the standard's own implementation.
                        if bestPixel < 0 || value > best || value != value {
                            (best, bestPixel) = (value, pixel)
                        }
                    }
                    out[index] = best
                    index += 1
                    if wantsPlaces {
                        let pixel = isColumnMajor ? columnMajor(max(bestPixel, 0), window) : max(bestPixel, 0)
                        places.append(Int64(first + pixel))
                    }
                }
            }
        }
        guard wantsPlaces else { return [.tensor(greatest)] }
        return [.tensor(greatest), .tensor(Tensor(places, shape: shape))]
    }

    /// The place of a pixel where the first direction is the fastest.
    private static func columnMajor(_ pixel: Int, _ window: Window) -> Int {
        let (z, y, x) = (window.z.size, window.y.size, window.x.size)
        let (row, column) = (pixel / x % y, pixel % x)
        return window.axes.count == 3 ? (column * y + row) * z + pixel / (x * y) : column * y + row
    }

    // MARK: Means

    /// How many pixels a mean counts from `place`: those of the image, or with pads those of both.
    private static func count(_ window: Window, _ place: WindowPlace, pads: Bool) -> Int {
        func count(_ axis: WindowAxis, _ place: Int) -> Int {
            guard pads else { return axis.taps(at: place).count }
            // A window that was rounded up may reach beyond the pads too; it always begins before their end.
            let room = axis.size + axis.pads.1 - 1 - axis.pixel(place, 0)
            return min(axis.kernel, max(room, 0) / axis.dilation + 1)
        }
        return count(window.z, place.z) * count(window.y, place.y) * count(window.x, place.x)
    }

    private static func averagePool(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let image = try call.tensor(0)
        guard image.element.isFloating else { throw .invalid("a mean of \(image.element) is not in the standard") }
        guard image.element == .f64 else {
            let mean = try averages(call.cast(image, to: .f32), of: Float.self, call)
            return try [.tensor(call.cast(mean, to: image.element))]
        }
        return try [.tensor(averages(image, of: Double.self, call))]
    }

    private static func averages<Scalar: TensorScalar & BinaryFloatingPoint>(
        _ image: Tensor,
        of _: Scalar.Type,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let (window, planes) = try window(call, image)
        let countsPads = try call.integer("count_include_pad", or: 0) != 0
        return try call.make(Scalar.self, Array(image.shape[..<2]) + window.out) { out in
            image.withElements(as: Scalar.self) { pixels in
                var index = 0
                window.forEachPlace(planes: planes) { first, place in
                    var sum: Scalar = 0
                    window.forEachPixel(of: place) { sum += pixels[first + $0] }
                    out[index] = sum / Scalar(max(1, count(window, place, pads: countsPads)))
                    index += 1
                }
            }
        }
    }

    // MARK: Norms

    private static func norm(_ call: borrowing OperatorCall) throws(GraphError) -> Int {
        let power = try call.integer("p", or: 2)
        guard power >= 1 else { throw .invalid("there is no norm with p = \(power)") }
        return power
    }

    private static func norm(of values: ArraySlice<Double>, _ power: Int) -> Double {
        Libm.pow(values.reduce(0) { $0 + Libm.pow(abs($1), Double(power)) }, 1 / Double(power))
    }

    private static func lpPool(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let image = try call.tensor(0)
        guard image.element.isFloating else { throw .invalid("a norm of \(image.element) is not in the standard") }
        let (window, planes) = try window(call, image)
        let power = try norm(call)
        let shape = Array(image.shape[..<2]) + window.out
        _ = try OperatorCall.elementCount(shape)
        let powers = try image.doubles().map { Libm.pow(abs($0), Double(power)) }
        var norms: [Double] = []
        window.forEachPlace(planes: planes) { first, place in
            var sum = 0.0
            window.forEachPixel(of: place) { sum += powers[first + $0] }
            norms.append(Libm.pow(sum, 1 / Double(power)))
        }
        return try [.tensor(call.make(image.element, shape, doubles: norms))]
    }

    /// `reduce` of all pixels of each channel.
    private static func global(
        _ call: borrowing OperatorCall,
        _ reduce: (ArraySlice<Double>) -> Double
    ) throws(GraphError) -> [GraphValue] {
        let image = try call.tensor(0)
        guard image.element.isFloating, image.rank >= 2 else {
            throw .input("\(image.shape) of \(image.element) is no image of floating-point numbers")
        }
        let pixels = image.shape[2...].reduce(1, *)
        guard pixels > 0 else { throw .input("an image \(image.shape) without pixels has no mean and no greatest") }
        let values = try image.doubles()
        let planes = image.shape[0] * image.shape[1]
        let reduced = (0..<planes).map { reduce(values[$0 * pixels..<($0 + 1) * pixels]) }
        let shape = Array(image.shape[..<2]) + image.shape[2...].map { _ in 1 }
        return try [.tensor(call.make(image.element, shape, doubles: reduced))]
    }

    // MARK: The way back, and neighbours

    private static func maxUnpool(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (image, places) = try (call.tensor(0), call.tensor(1))
        guard image.rank >= 3, places.shape == image.shape, places.element == .i64 else {
            throw .input("places \(places.shape) do not fit an image \(image.shape)")
        }
        let settings = try WindowSettings(call, rank: image.rank - 2)
        var inferred = Array(image.shape[..<2])
        for index in settings.kernel.indices {
            let axis = settings.axis(index, size: image.shape[index + 2])
            inferred.append((axis.size - 1) * axis.stride - axis.pads.0 - axis.pads.1 + axis.kernel)
        }
        let count = try OperatorCall.elementCount(inferred)
        let shape = try call.integers(2) ?? inferred
        guard shape.count == inferred.count, zip(shape, inferred).allSatisfy(>=) else {
            throw .input("the output_shape \(shape) does not hold an image \(inferred)")
        }
        var values = [Double](repeating: 0, count: count)
        for (place, value) in try zip(places.integers(), image.doubles()) {
            guard values.indices.contains(place) else { throw .input("there is no place \(place) among \(count)") }
            values[place] = value
        }
        guard shape != inferred else { return try [.tensor(call.make(image.element, shape, doubles: values))] }
        var larger = [Double](repeating: 0, count: try OperatorCall.elementCount(shape))
        for (index, value) in values.enumerated() {
            // Row-major in one shape to row-major in the other.
            var (rest, place, step) = (index, 0, 1)
            for dimension in shape.indices.reversed() {
                place += rest % inferred[dimension] * step
                rest /= inferred[dimension]
                step *= shape[dimension]
            }
            larger[place] = value
        }
        return try [.tensor(call.make(image.element, shape, doubles: larger))]
    }

    /// x / (bias + alpha / size · Σ x²)^beta, over `size` neighbouring channels.
    private static func localResponse(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let image = try call.tensor(0)
        guard image.element.isFloating, image.rank >= 2 else {
            throw .input("\(image.shape) of \(image.element) is no image of floating-point numbers")
        }
        guard let size = try call.integer("size"), (1...1 << 20).contains(size) else {
            throw .invalid("the attribute size is missing or no number of channels")
        }
        let alpha = Double(try call.float("alpha", or: 1e-4)) / Double(size)
        let (beta, bias) = try (Double(call.float("beta", or: 0.75)), Double(call.float("bias", or: 1)))
        let (channels, pixels) = (image.shape[1], image.shape[2...].reduce(1, *))
        let values = try image.doubles()
        let normalised = values.indices.map { index in
            let channel = index / max(pixels, 1) % channels
            let first = max(0, channel - (size - 1) / 2)
            let last = min(channels - 1, channel + size / 2)
            let squares = (first...last).reduce(0.0) { sum, neighbour in
                let value = values[index + (neighbour - channel) * pixels]
                return sum + value * value
            }
            return values[index] / Libm.pow(bias + alpha * squares, beta)
        }
        return try [.tensor(call.make(image.element, image.shape, doubles: normalised))]
    }
}
