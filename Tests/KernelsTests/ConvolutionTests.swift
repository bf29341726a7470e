import Kernels
import Testing

/// A convolution of one image; channels are those of a group.
struct ConvolutionCase: Sendable, CustomTestStringConvertible {
    var groups = 1
    var channels: (in: Int, out: Int)
    var size: (y: Int, x: Int)
    var kernel: (y: Int, x: Int)
    var stride = 1
    var dilation = 1
    /// Above, left, below, right.
    var pads = [0, 0, 0, 0]
    var method = ConvolutionMethod.direct
    var layout = ConvolutionShape.Layout.blocked

    var testDescription: String {
        "\(groups) × \(channels.in) → \(channels.out), \(size), kernel \(kernel), stride \(stride), "
            + "dilation \(dilation), pads \(pads), \(method), \(layout)"
    }

    private func axis(_ size: Int, _ kernel: Int, _ pads: (Int, Int)) -> ConvolutionShape.Axis {
        let out = (size + pads.0 + pads.1 - (kernel - 1) * dilation - 1) / stride + 1
        return .init(size: size, kernel: kernel, stride: stride, dilation: dilation, pad: pads.0, out: out)
    }

    var axes: (y: ConvolutionShape.Axis, x: ConvolutionShape.Axis) {
        (axis(size.y, kernel.y, (pads[0], pads[2])), axis(size.x, kernel.x, (pads[1], pads[3])))
    }

    func shape(_ finish: Finish = .none) throws -> ConvolutionShape {
        let channels = method == .depthwise ? (in: groups, out: groups) : channels
        return try #require(
            ConvolutionShape(
                groups: method == .depthwise ? 1 : groups,
                channelsIn: channels.in,
                channelsOut: channels.out,
                y: axes.y,
                x: axes.x,
                layout: layout,
                finish: finish
            )
        )
    }

    /// Every tile's width and its neighbours, one to three blocks, rows beyond the image, dilations, skips.
    static let all: [ConvolutionCase] =
        (1...16).map { width in
            ConvolutionCase(channels: (16, 3 * width), size: (2, width), kernel: (1, 1))
        }
        + [
            ConvolutionCase(channels: (20, 33), size: (9, 17), kernel: (1, 1), stride: 2),
            ConvolutionCase(channels: (5, 50), size: (7, 31), kernel: (3, 3), pads: [1, 1, 1, 1]),
            ConvolutionCase(channels: (33, 16), size: (8, 29), kernel: (3, 2), stride: 2, pads: [0, 1, 1, 0]),
            ConvolutionCase(channels: (17, 40), size: (13, 9), kernel: (2, 3), dilation: 2, pads: [3, 2, 1, 4]),
            ConvolutionCase(channels: (16, 16), size: (3, 3), kernel: (5, 5), stride: 3, pads: [4, 4, 4, 4]),
            ConvolutionCase(groups: 3, channels: (16, 32), size: (6, 15), kernel: (3, 3), pads: [1, 1, 1, 1]),
            ConvolutionCase(groups: 2, channels: (5, 7), size: (5, 5), kernel: (1, 1)),
            // Beyond the floats that are worked on at a time.
            ConvolutionCase(channels: (130, 18), size: (15, 31), kernel: (3, 3), pads: [1, 1, 1, 1]),
            ConvolutionCase(channels: (600, 17), size: (1, 401), kernel: (1, 1)),
            ConvolutionCase(
                channels: (3, 40),
                size: (19, 23),
                kernel: (7, 7),
                stride: 2,
                pads: [3, 3, 3, 3],
                layout: .planar
            ),
            ConvolutionCase(channels: (1, 9), size: (1, 33), kernel: (1, 5), dilation: 3, layout: .planar),
            ConvolutionCase(channels: (4, 16), size: (5, 6), kernel: (1, 1), layout: .planar),
        ]
        + [(3, 1), (3, 2), (5, 1), (5, 2), (4, 1), (3, 3)].flatMap { kernel, stride in
            [5, 8, 17].map { width in
                ConvolutionCase(
                    groups: 19,
                    channels: (1, 1),
                    size: (7, width),
                    kernel: (kernel, kernel),
                    stride: stride,
                    pads: [kernel / 2, kernel / 2, 1, 2],
                    method: .depthwise
                )
            }
        }
        + [
            ConvolutionCase(
                groups: 16,
                channels: (1, 1),
                size: (9, 9),
                kernel: (3, 3),
                dilation: 2,
                pads: [2, 2, 2, 2],
                method: .depthwise
            )
        ]
        + [(4, 4), (7, 7), (9, 14), (3, 3), (61, 5)].map { size in
            ConvolutionCase(
                channels: (20, 35),
                size: size,
                kernel: (3, 3),
                pads: [1, 1, 1, 1],
                method: .winograd
            )
        }
        + [ConvolutionCase(channels: (16, 16), size: (8, 11), kernel: (3, 3), pads: [0, 2, 1, 0], method: .winograd)]
}

/// What one convolution reads, in ONNX's order, and what it must give.
struct ConvolutionNumbers {
    let shape: ConvolutionCase
    let input: [Float]
    let weights: [Float]
    let bias: [Float]
    let residual: [Float]

    init(_ shape: ConvolutionCase) {
        var generator = SeededGenerator(state: UInt64(shape.size.x * 31 + shape.channels.out))
        self.shape = shape
        let (y, x) = shape.axes
        let (channelsIn, channelsOut) = (shape.groups * shape.channels.in, shape.groups * shape.channels.out)
        input = generator.floats(channelsIn * y.size * x.size)
        weights = generator.floats(channelsOut * shape.channels.in * y.kernel * x.kernel)
        bias = generator.floats(channelsOut)
        residual = generator.floats(channelsOut * y.out * x.out)
    }

    /// The sums in doubles, planar, without the residual: the dearest part of these tests in a debug build, so worked
    /// out once for all kernels, a weight at a time over the rows and columns that it reaches.
    func sums() -> [Double] {
        let (y, x) = shape.axes
        var sums: [Double] = []
        for channel in 0..<shape.groups * shape.channels.out {
            var plane = [Double](repeating: Double(bias[channel]), count: y.out * x.out)
            let first = channel / shape.channels.out * shape.channels.in
            var place = channel * shape.channels.in * y.kernel * x.kernel
            for k in 0..<shape.channels.in {
                for ky in 0..<y.kernel {
                    for kx in 0..<x.kernel {
                        add(Double(weights[place]), at: (ky, kx), of: first + k, to: &plane)
                        place += 1
                    }
                }
            }
            sums += plane
        }
        return sums
    }

    /// One weight times all pixels of an input channel that it meets.
    private func add(_ weight: Double, at kernel: (y: Int, x: Int), of channel: Int, to plane: inout [Double]) {
        let (y, x) = shape.axes
        for row in 0..<y.out {
            let top = row * y.stride + kernel.y * y.dilation - y.pad
            if top < 0 || top >= y.size { continue }
            let start = (channel * y.size + top) * x.size
            var left = kernel.x * x.dilation - x.pad
            var at = row * x.out
            while at < (row + 1) * x.out {
                if left >= 0, left < x.size { plane[at] += Double(input[start + left]) * weight }
                left += x.stride
                at += 1
            }
        }
    }
}

struct ConvolutionTests {
    /// Groups' channels side by side, each filled up to whole blocks.
    private func blocked(_ planar: [Float], groups: Int, pixels: Int, kernels: KernelSet) -> [Float] {
        let perGroup = planar.count / groups
        return (0..<groups).flatMap { group in
            let channels = perGroup / pixels
            var out = [Float](repeating: canary, count: ChannelBlocks.count(channels: channels) * 16 * pixels)
            var span = out.mutableSpan
            let part = Array(planar[group * perGroup..<(group + 1) * perGroup])
            kernels.block(part.span, channels: channels, pixels: pixels, out: &span)
            return out
        }
    }

    private func result(
        _ kernels: KernelSet,
        _ numbers: ConvolutionNumbers,
        finish: Finish = .none,
        hasResidual: Bool
    ) throws -> [Float] {
        let convolution = numbers.shape
        let shape = try convolution.shape(finish)
        let (y, x) = convolution.axes
        let weights = PackedKernels.pack(
            numbers.weights,
            groups: convolution.groups,
            channelsIn: convolution.channels.in,
            channelsOut: convolution.channels.out,
            kernel: convolution.kernel,
            method: convolution.method,
            layout: convolution.layout
        )
        #expect(weights.count == shape.weightCount(convolution.method))
        let isDepthwise = convolution.method == .depthwise
        let groups = isDepthwise ? 1 : convolution.groups
        let channelsOut = isDepthwise ? convolution.groups : convolution.channels.out
        let bias = PackedKernels.pack(bias: numbers.bias, groups: groups, channelsOut: channelsOut)
        let isPlanar = convolution.layout == .planar
        let input =
            isPlanar
            ? numbers.input : blocked(numbers.input, groups: groups, pixels: y.size * x.size, kernels: kernels)
        let residual = blocked(numbers.residual, groups: groups, pixels: y.out * x.out, kernels: kernels)
        var out = [Float](repeating: canary, count: shape.outputCount + 32)
        var scratch = [Float](repeating: .nan, count: shape.scratchCount(convolution.method))
        var outSpan = out.mutableSpan
        var scratchSpan = scratch.mutableSpan
        kernels.convolve(
            shape,
            convolution.method,
            input.span,
            weights: weights.span,
            bias: bias.span,
            residual: hasResidual ? residual.span : nil,
            out: &outSpan,
            scratch: &scratchSpan
        )
        #expect(out[shape.outputCount...].allSatisfy { $0 == canary })
        let perGroup = shape.outputCount / groups
        return (0..<groups).flatMap { group in
            let part = Array(out[group * perGroup..<(group + 1) * perGroup])
            var planar = [Float](repeating: canary, count: channelsOut * y.out * x.out)
            var span = planar.mutableSpan
            kernels.unblock(part.span, channels: channelsOut, pixels: y.out * x.out, out: &span)
            return planar
        }
    }

    @Test(arguments: ConvolutionCase.all)
    func `a convolution is what doubles say`(_ shape: ConvolutionCase) throws {
        let numbers = ConvolutionNumbers(shape)
        let plain = numbers.sums()
        let withResidual = zip(plain, numbers.residual).map { $0 + Double($1) }
        for kernels in KernelSet.runnable {
            for (hasResidual, sums) in [(false, plain), (true, withResidual)] {
                let result = try result(kernels, numbers, hasResidual: hasResidual)
                // Winograd's sums are of greater numbers than its result.
                #expect(greatestDifference(result, sums) < 1e-4, "\(kernels.name)")
            }
        }
    }

    @Test(arguments: KernelSet.runnable, ConvolutionMethod.allCases)
    func `what finishes a sum sees bias and residual`(_ kernels: KernelSet, _ method: ConvolutionMethod) throws {
        var shape = ConvolutionCase(
            channels: (17, 21),
            size: (6, 7),
            kernel: (3, 3),
            pads: [1, 1, 1, 1],
            method: method
        )
        if method == .depthwise { (shape.groups, shape.channels) = (20, (1, 1)) }
        let numbers = ConvolutionNumbers(shape)
        let plain = try result(kernels, numbers, hasResidual: true)
        func logistic(_ x: Float) -> Float { expected(x, kernels, .sigmoid) }
        let finishes: [(Finish, (Float) -> Float)] = [
            (.relu, { max($0, 0) }), (.clip(-0.5, 0.75), { min(max($0, -0.5), 0.75) }),
            (.silu, { $0 * logistic($0) }), (.sigmoid, logistic),
            (.hardSwish, { $0 * min(max($0 / 6 + 0.5, 0), 1) }),
            (.hardSigmoid(slope: 0.3, shift: 0.4), { min(max($0 * 0.3 + 0.4, 0), 1) }),
            (.leakyRelu(0.1), { $0 < 0 ? $0 * 0.1 : $0 }),
            (.tanh, { expected($0, kernels, .tanh) }), (.gelu, { expected($0, kernels, .gelu) }),
        ]
        for (finish, function) in finishes {
            let result = try result(kernels, numbers, finish: finish, hasResidual: true)
            #expect(greatestDifference(result, plain.map(function)) < 1e-5, "\(finish)")
        }
    }

    /// One number through an activation that has tests of its own.
    private func expected(_ x: Float, _ kernels: KernelSet, _ activation: Activation) -> Float {
        let buffer = FloatBuffer([x])
        kernels.activate(buffer, activation, count: 1, out: buffer)
        return buffer.read(1)[0]
    }

    @Test(arguments: KernelSet.runnable, [false, true])
    func `a pool sees the pixels inside the image`(_ kernels: KernelSet, _ averages: Bool) throws {
        var generator = SeededGenerator(state: 5)
        let y = ConvolutionShape.Axis(size: 9, kernel: 3, stride: 2, dilation: 1, pad: 1, out: 5)
        let x = ConvolutionShape.Axis(size: 7, kernel: 2, stride: 1, dilation: 2, pad: 1, out: 7)
        let shape = try #require(PoolShape(blocks: 2, y: y, x: x))
        let input = generator.floats(shape.inputCount)
        var out = [Float](repeating: canary, count: shape.outputCount)
        var span = out.mutableSpan
        kernels.pool(shape, averages: averages, input.span, out: &span)
        for index in out.indices {
            let (pixel, lane) = index.quotientAndRemainder(dividingBy: 16)
            let (block, row, column) = (pixel / 35, pixel / 7 % 5, pixel % 7)
            var seen: [Float] = []
            for top in (0..<3).map({ row * 2 - 1 + $0 }) where (0..<9).contains(top) {
                for left in (0..<2).map({ column - 1 + $0 * 2 }) where (0..<7).contains(left) {
                    seen.append(input[((block * 9 + top) * 7 + left) * 16 + lane])
                }
            }
            let expected = averages ? seen.reduce(0, +) / Float(seen.count) : seen.reduce(-.infinity, max)
            #expect(abs(out[index] - expected) < 1e-5)
        }
    }

    @Test func `a shape beyond its bounds is refused`() {
        func axis(_ size: Int, _ out: Int = 1) -> ConvolutionShape.Axis {
            .init(size: size, kernel: 1, stride: 1, dilation: 1, pad: 0, out: out)
        }
        func shape(_ y: ConvolutionShape.Axis, channels: Int = 1) -> ConvolutionShape? {
            ConvolutionShape(channelsIn: channels, channelsOut: 1, y: y, x: axis(1), layout: .blocked)
        }
        #expect(shape(axis(1)) != nil)
        #expect(shape(axis(0)) == nil)
        #expect(shape(axis(1, 0)) == nil)
        #expect(shape(axis(1 << 21)) == nil)
        #expect(shape(axis(1 << 20), channels: 1 << 20) != nil)
        #expect(shape(axis(1), channels: 0) == nil)
    }
}
