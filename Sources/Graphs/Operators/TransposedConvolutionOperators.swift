import Kernels

/// Convolutions the other way round: each pixel of the input is spread over a window of the output.
enum TransposedConvolutionOperators {
    static let operators: [Operator] = [
        Operator("ConvTranspose", transposed),
        Operator("Col2Im", columnsToImage),
    ]

    /// The window of the result: `size` and `out` change places, so that `taps` are those of the convolution back.
    private static func axes(
        _ call: borrowing OperatorCall,
        image: [Int],
        kernel: [Int]
    ) throws(GraphError) -> [WindowAxis] {
        let settings = try WindowSettings(call, rank: image.count, kernel: kernel)
        guard settings.kernel == kernel else {
            throw .invalid("kernel_shape \(settings.kernel) is not that of the weights, \(kernel)")
        }
        let added = try call.integers("output_padding") ?? image.map { _ in 0 }
        var asked = try call.integers("output_shape")
        // Some exporters write batch and channels too.
        if let sizes = asked, sizes.count == image.count + 2 { asked = Array(sizes[2...]) }
        guard added.count == image.count, asked.map({ $0.count == image.count }) ?? true,
            added.allSatisfy({ (0...1 << 20).contains($0) })
        else {
            throw .invalid(
                "output_padding \(added) or output_shape \(asked ?? []) does not fit \(image.count) dimensions"
            )
        }
        var axes: [WindowAxis] = []
        for index in image.indices {
            var axis = settings.axis(index, size: 0)
            axis.out = image[index]
            let full = (image[index] - 1) * axis.stride + axis.reach + added[index]
            let isSame = settings.padding == .sameUpper || settings.padding == .sameLower
            if let size = asked?[index] ?? (isSame ? image[index] * axis.stride : nil) {
                let total = max(0, full - size)
                axis.pads =
                    settings.padding == .sameUpper ? (total / 2, total - total / 2) : (total - total / 2, total / 2)
                axis.size = size
            } else {
                if settings.padding == .valid { axis.pads = (0, 0) }
                axis.size = full - axis.pads.0 - axis.pads.1
            }
            guard (1...1 << 20).contains(axis.size), (1...1 << 20).contains(axis.out) else {
                throw .input("an image \(image) becomes \(axis.size) pixels in one direction, which is not possible")
            }
            axes.append(axis)
        }
        return axes
    }

    private static func transposed(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (image, weights, bias) = try (call.tensor(0), call.tensor(1), call.optionalTensor(2))
        guard image.rank >= 3, weights.rank == image.rank, image.element.isFloating, weights.element == image.element
        else {
            throw .input("an image \(image.shape) and weights \(weights.shape) make no transposed convolution")
        }
        let groups = try call.integer("group", or: 1)
        let (channelsIn, channelsOut) = (image.shape[1], weights.shape[1])
        guard groups >= 1, channelsIn % groups == 0, weights.shape[0] == channelsIn else {
            throw .input("weights \(weights.shape) in \(groups) groups do not fit an image \(image.shape)")
        }
        if let bias, bias.shape != [groups * channelsOut] {
            throw .input("a bias \(bias.shape) does not fit \(groups * channelsOut) output channels")
        }
        let axes = try axes(call, image: Array(image.shape[2...]), kernel: Array(weights.shape[2...]))
        let spread = Spread(axes)
        let shape = [image.shape[0], groups * channelsOut] + axes.map(\.size)
        guard try OperatorCall.elementCount(shape) > 0 else {
            return try [.tensor(call.make(image.element, shape, doubles: []))]
        }
        let sizes = (batch: image.shape[0], groups: groups, inGroup: channelsIn / groups, outGroup: channelsOut)
        if image.element == .f64 {
            let wide = try self.transposed(image, weights, bias, of: Double.self, spread, sizes, shape, call)
            return [.tensor(wide)]
        }
        let (floats, floatWeights) = try (call.cast(image, to: .f32), call.cast(weights, to: .f32))
        let floatBias = try bias.map { (bias) throws(GraphError) in try call.cast(bias, to: .f32) }
        let result = try self.transposed(floats, floatWeights, floatBias, of: Float.self, spread, sizes, shape, call)
        return try [.tensor(call.cast(result, to: image.element))]
    }

    private static func transposed<Number: TensorScalar & BinaryFloatingPoint>(
        _ image: Tensor,
        _ weights: Tensor,
        _ bias: Tensor?,
        of _: Number.Type,
        _ spread: Spread,
        _ sizes: (batch: Int, groups: Int, inGroup: Int, outGroup: Int),
        _ shape: [Int],
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let biases = bias?.array(of: Number.self) ?? [Number](repeating: 0, count: sizes.groups * sizes.outGroup)
        let (inPixels, outPixels, taps) = (spread.placeCount, spread.pixelCount, spread.tapCount)
        return try call.make(Number.self, shape) { (out) throws(GraphError) in
            for index in out.indices { out[index] = biases[index / outPixels % biases.count] }
            // columns[outGroup · taps][places] of one image and group: a product of matrices, then a spread.
            let (rows, columns) = (sizes.outGroup * taps, inPixels)
            for index in 0..<sizes.batch * sizes.groups {
                let group = index % sizes.groups
                let pixels = try call.part(of: image, at: index * sizes.inGroup * inPixels, [sizes.inGroup, columns])
                let kernel = try call.part(of: weights, at: group * sizes.inGroup * rows, [sizes.inGroup, rows])
                let product = try MatrixProduct.multiply(call.transposed(kernel, [1, 0]), pixels, call)
                product.withElements(as: Number.self) { product in
                    for channel in 0..<sizes.outGroup {
                        spread.add(
                            product,
                            at: channel * taps * columns,
                            to: &out,
                            at: (index * sizes.outGroup + channel) * outPixels
                        )
                    }
                }
            }
        }
    }

    private static func columnsToImage(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let columns = try call.tensor(0)
        guard let image = try call.integers(1), let block = try call.integers(2) else {
            throw .invalid("the inputs image_shape and block_shape are missing")
        }
        guard columns.rank == 3, image.count == block.count else {
            throw .input("columns \(columns.shape) do not fit an image \(image) in blocks \(block)")
        }
        let settings = try WindowSettings(call, rank: image.count, kernel: block)
        var axes: [WindowAxis] = []
        for index in image.indices {
            var axis = settings.axis(index, size: image[index])
            let room = axis.size + axis.pads.0 + axis.pads.1 - axis.reach
            guard (1...1 << 20).contains(axis.size), room >= 0 else {
                throw .input("an image \(image) is smaller than a block \(block) with its pads")
            }
            axis.out = room / axis.stride + 1
            axes.append(axis)
        }
        let spread = Spread(axes)
        guard columns.shape[1] % spread.tapCount == 0, columns.shape[2] == spread.placeCount else {
            throw .input("columns \(columns.shape) do not fit an image \(image) in blocks \(block)")
        }
        let channels = columns.shape[1] / spread.tapCount
        let shape = [columns.shape[0], channels] + image
        let values = try columns.doubles()
        var pixels = [Double](repeating: 0, count: try OperatorCall.elementCount(shape))
        var span = pixels.mutableSpan
        for plane in 0..<columns.shape[0] * channels {
            spread.add(
                values.span,
                at: plane * spread.tapCount * spread.placeCount,
                to: &span,
                at: plane * spread.pixelCount
            )
        }
        return try [.tensor(call.make(columns.element, shape, doubles: pixels))]
    }
}

/// Columns `[tap][place]` that are added up to the pixels which a window's taps see from its places.
private struct Spread {
    private let z: WindowAxis
    private let y: WindowAxis
    private let x: WindowAxis

    init(_ axes: [WindowAxis]) {
        z = axes.count > 2 ? axes[axes.count - 3] : .single
        y = axes.count > 1 ? axes[axes.count - 2] : .single
        x = axes.last ?? .single
    }

    var tapCount: Int { z.kernel * y.kernel * x.kernel }
    var placeCount: Int { z.out * y.out * x.out }
    var pixelCount: Int { z.size * y.size * x.size }

    /// Adds one channel.
    func add<Number: AdditiveArithmetic & BitwiseCopyable>(
        _ columns: borrowing Span<Number>,
        at first: Int,
        to image: inout MutableSpan<Number>,
        at pixels: Int
    ) {
        for tap in 0..<tapCount {
            let (kz, ky, kx) = (tap / (y.kernel * x.kernel), tap / x.kernel % y.kernel, tap % x.kernel)
            let column = first + tap * placeCount
            for oz in 0..<z.out where (0..<z.size).contains(z.pixel(oz, kz)) {
                for oy in 0..<y.out where (0..<y.size).contains(y.pixel(oy, ky)) {
                    let line = pixels + (z.pixel(oz, kz) * y.size + y.pixel(oy, ky)) * x.size
                    let row = column + (oz * y.out + oy) * x.out
                    for ox in 0..<x.out where (0..<x.size).contains(x.pixel(ox, kx)) {
                        image[line + x.pixel(ox, kx)] += columns[row + ox]
                    }
                }
            }
        }
    }
}

extension OperatorCall {
    /// A copy of the elements of `shape` from `first` on.
    fileprivate func part(of tensor: Tensor, at first: Int, _ shape: [Int]) throws(GraphError) -> Tensor {
        let size = tensor.element.byteCount
        return try makeBytes(tensor.element, shape) { out in
            tensor.withElements(as: UInt8.self) { bytes in
                Blocks.copy(bytes, from: first * size, count: out.count, to: &out, at: 0)
            }
        }
    }
}
