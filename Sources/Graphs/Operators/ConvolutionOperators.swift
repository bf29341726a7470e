import Kernels

/// Sums of windows over images.
enum ConvolutionOperators {
    static let operators: [Operator] = [
        Operator("Conv", convolve),
        Operator("ConvInteger", convolveIntegers),
        Operator("QLinearConv", convolveQuantised),
    ]

    private static func convolve(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (image, weights, bias) = try (call.tensor(0), call.tensor(1), call.optionalTensor(2))
        guard image.element.isFloating, weights.element == image.element,
            bias.map({ $0.element == image.element }) ?? true
        else {
            throw .invalid("a convolution of \(image.element) and \(weights.element) is not in the standard")
        }
        let plain = try PlainConvolution(call, image: image.shape, weights: weights.shape)
        try plain.check(bias: bias)
        let count = try OperatorCall.elementCount(plain.shape)
        guard count > 0, weights.count > 0 else {
            let values = [Double](repeating: 0, count: count)
            return try [.tensor(call.make(image.element, plain.shape, doubles: values))]
        }
        if image.element == .f64 {
            let sums = try plain.sums(image.doubles(), weights.doubles(), bias: bias?.doubles() ?? [])
            return [.tensor(Tensor(sums, shape: plain.shape))]
        }
        if plain.window.axes.count < 3 {
            let floats = try PackedConvolution.convolveOnce(plain, image, weights, bias, call)
            return try [.tensor(call.cast(floats, to: image.element))]
        }
        let sums = try plain.sums(image.floats(), weights.floats(), bias: bias?.floats() ?? [])
        return try [.tensor(call.cast(Tensor(sums, shape: plain.shape), to: image.element))]
    }

    /// The elements as 32 bits, less their zero point: one for all, or one for each index of the first dimension.
    static func centred(_ tensor: Tensor, zero: Tensor?) throws(GraphError) -> [Int32] {
        guard tensor.element == .u8 || tensor.element == .i8 else {
            throw .invalid("expected integers of 8 bits, got \(tensor.element)")
        }
        let values = try tensor.wideIntegers().map { Int32($0) }
        guard let zero, tensor.count > 0 else { return values }
        guard zero.element == tensor.element, zero.count == 1 || zero.shape == [tensor.shape.first ?? 0] else {
            throw .input("zero points \(zero.shape) of \(zero.element) do not fit \(tensor.shape) of \(tensor.element)")
        }
        let zeros = try zero.wideIntegers().map { Int32($0) }
        let perZero = tensor.count / zeros.count
        return values.indices.map { values[$0] - zeros[$0 / perZero] }
    }

    private static func convolveIntegers(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (image, weights) = try (call.tensor(0), call.tensor(1))
        let plain = try PlainConvolution(call, image: image.shape, weights: weights.shape)
        let sums = try integerSums(plain, image, call.optionalTensor(2), weights, call.optionalTensor(3), bias: [])
        return [.tensor(Tensor(sums, shape: plain.shape))]
    }

    private static func integerSums(
        _ plain: PlainConvolution,
        _ image: Tensor,
        _ imageZero: Tensor?,
        _ weights: Tensor,
        _ weightsZero: Tensor?,
        bias: [Int32]
    ) throws(GraphError) -> [Int32] {
        guard imageZero.map({ $0.count == 1 }) ?? true else { throw .input("an image has one zero point") }
        // 2³¹ is reached beyond 33,000 products of 8 bits: they wrap as the standard's 32 bits do.
        let wide = try plain.sums(
            centred(image, zero: imageZero).map { Int64($0) },
            centred(weights, zero: weightsZero).map { Int64($0) },
            bias: bias.map { Int64($0) }
        )
        return wide.map { Int32(truncatingIfNeeded: $0) }
    }

    private static func convolveQuantised(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (image, weights, outZero) = try (call.tensor(0), call.tensor(3), call.tensor(7))
        let plain = try PlainConvolution(call, image: image.shape, weights: weights.shape)
        let bias = call.optionalTensor(8)
        try plain.check(bias: bias)
        let biasIntegers = try bias?.wideIntegers().map { Int32(truncatingIfNeeded: $0) } ?? []
        let sums = try integerSums(plain, image, call.tensor(2), weights, call.tensor(5), bias: biasIntegers)
        let (imageScale, weightScales, outScale) = try (
            call.tensor(1).floats(), call.tensor(4).floats(), call.tensor(6).floats()
        )
        let channels = plain.shape[1]
        guard imageScale.count == 1, outScale.count == 1, outZero.count == 1,
            [1, channels].contains(weightScales.count)
        else { throw .input("scales of the image and the output are one number, those of weights one or \(channels)") }
        guard outZero.element == .u8 || outZero.element == .i8 else {
            throw .invalid("numbers are not quantised to \(outZero.element)")
        }
        let offset = try outZero.doubles()[0]
        let pixels = plain.window.out.reduce(1, *)
        let quantised = sums.indices.map { index in
            let scale = weightScales.count == 1 ? weightScales[0] : weightScales[index / pixels % channels]
            let value = Float(sums[index]) * (imageScale[0] * scale / outScale[0])
            return QuantizationOperators.saturated(Double(value), offset: offset, outZero.element)
        }
        return try [.tensor(call.make(outZero.element, plain.shape, doubles: quantised))]
    }
}
