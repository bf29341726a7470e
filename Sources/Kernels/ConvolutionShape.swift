import CKernels

/// One convolution of one image in the layouts of `CKernels/include/convolution.h`; made only where its sizes are sane.
package struct ConvolutionShape: Sendable {
    let c: thaw_convolution

    /// The sizes of one direction of the image.
    package struct Axis: Sendable, Equatable {
        package let size: Int
        package let kernel: Int
        package let stride: Int
        package let dilation: Int
        /// Zeros before the first pixel; those behind the last follow from `out`.
        package let pad: Int
        package let out: Int

        package init(size: Int, kernel: Int, stride: Int, dilation: Int, pad: Int, out: Int) {
            (self.size, self.kernel, self.stride) = (size, kernel, stride)
            (self.dilation, self.pad, self.out) = (dilation, pad, out)
        }

        /// 2²⁰ in each number keeps every product of the kernels within 64 bits.
        var isSane: Bool {
            let numbers = [size, kernel, stride, dilation, out]
            return numbers.allSatisfy { (1...1 << 20).contains($0) } && (0...1 << 20).contains(pad)
        }
    }

    package enum Layout: Sendable {
        /// `[channel][y][x]`.
        case planar
        /// `[block][y][x][16]`.
        case blocked
    }

    /// - Parameters:
    ///   - channelsIn: of a group; where the input is blocked they are rounded up to whole blocks.
    ///   - channelsOut: of a group, rounded up likewise.
    /// - Returns: nil where a size is below 1 or beyond 2²⁰, or the buffers would have more than 2⁴⁰ floats.
    package init?(
        groups: Int = 1,
        channelsIn: Int,
        channelsOut: Int,
        y: Axis,
        x: Axis,
        layout: Layout,
        finish: Finish = .none
    ) {
        let channels = [groups, channelsIn, channelsOut]
        guard y.isSane, x.isSane, channels.allSatisfy({ (1...1 << 20).contains($0) }) else { return nil }
        c = thaw_convolution(
            groups: Int64(groups),
            in_planes: Int64(layout == .planar ? channelsIn : ChannelBlocks.count(channels: channelsIn)),
            out_blocks: Int64(ChannelBlocks.count(channels: channelsOut)),
            in_height: Int64(y.size),
            in_width: Int64(x.size),
            out_height: Int64(y.out),
            out_width: Int64(x.out),
            kernel_height: Int64(y.kernel),
            kernel_width: Int64(x.kernel),
            stride_y: Int64(y.stride),
            stride_x: Int64(x.stride),
            dilation_y: Int64(y.dilation),
            dilation_x: Int64(x.dilation),
            pad_top: Int64(y.pad),
            pad_left: Int64(x.pad),
            is_planar: layout == .planar ? 1 : 0,
            finish: finish.kind,
            low: finish.low,
            high: finish.high
        )
        let counts = [
            product(groups, Int(c.in_planes), Int(lanes), y.size, x.size),
            product(groups, Int(c.out_blocks), ChannelBlocks.channels, y.out, x.out),
            product(
                groups * Int(c.in_planes),
                Int(lanes),
                Int(c.out_blocks),
                ChannelBlocks.channels,
                y.kernel * x.kernel,
                4
            ),
            // The copy of a row with its pads.
            product(Int(c.in_planes), Int(lanes), y.kernel * y.dilation, x.out * x.stride + x.kernel * x.dilation),
        ]
        guard counts.allSatisfy({ $0 <= 1 << 40 }) else { return nil }
    }

    private var lanes: Int64 { c.is_planar == 1 ? 1 : Int64(ChannelBlocks.channels) }

    /// Floats that `convolve` reads and writes.
    package var inputCount: Int { Int(c.groups * c.in_planes * lanes * c.in_height * c.in_width) }
    package var outputCount: Int { Int(c.groups * c.out_blocks * c.out_height * c.out_width) * ChannelBlocks.channels }
    package var biasCount: Int { Int(c.groups * c.out_blocks) * ChannelBlocks.channels }

    /// Floats of packed weights, see ``PackedKernels``.
    package func weightCount(_ method: ConvolutionMethod) -> Int {
        let taps = c.kernel_height * c.kernel_width
        return switch method {
        case .direct: Int(c.groups * c.in_planes * lanes * c.out_blocks * taps) * ChannelBlocks.channels
        case .depthwise: Int(c.out_blocks * taps) * ChannelBlocks.channels
        case .winograd: Int(THAW_WINOGRAD_POINTS) * Int(c.in_planes * lanes * c.out_blocks) * ChannelBlocks.channels
        }
    }

    /// Floats of scratch; at least one, so that there is memory to point at.
    package func scratchCount(_ method: ConvolutionMethod) -> Int {
        unsafe withUnsafePointer(to: c) { shape in
            switch method {
            case .direct: unsafe max(1, Int(thaw_convolution_scratch(shape)))
            case .depthwise: 1
            case .winograd: unsafe Int(thaw_winograd_scratch(shape))
            }
        }
    }

    /// Whether `method` can work this shape out.
    package func allows(_ method: ConvolutionMethod) -> Bool {
        switch method {
        case .direct: true
        case .depthwise: c.groups == 1 && c.is_planar == 0 && c.in_planes == c.out_blocks
        case .winograd:
            c.groups == 1 && c.is_planar == 0 && c.kernel_height == 3 && c.kernel_width == 3
                && c.stride_y * c.stride_x == 1 && c.dilation_y * c.dilation_x == 1
        }
    }
}

/// How a convolution is worked out; the weights are packed for it.
package enum ConvolutionMethod: String, CaseIterable, Sendable {
    /// Sums of windows, any shape.
    case direct
    /// Each channel by itself.
    case depthwise
    /// 36 products where 144 are due; 3 × 3 of stride 1, with four times the weights.
    case winograd
}

/// What is applied to a finished sum.
package struct Finish: Sendable, Equatable {
    let kind: Int32
    package let low: Float
    package let high: Float

    private init(_ kind: thaw_finish, low: Float = 0, high: Float = 0) {
        self.kind = Int32(bitPattern: kind.rawValue)
        (self.low, self.high) = (low, high)
    }

    package static func clip(_ low: Float, _ high: Float) -> Finish {
        Finish(THAW_FINISH_CLIP, low: low, high: high)
    }
    package static let none = clip(-.infinity, .infinity)
    package static let relu = clip(0, .infinity)
    package static let silu = Finish(THAW_FINISH_SILU)
    package static let hardSwish = Finish(THAW_FINISH_HARD_SWISH)
    /// min(max(slope · x + shift, 0), 1).
    package static func hardSigmoid(slope: Float, shift: Float) -> Finish {
        Finish(THAW_FINISH_HARD_SIGMOID, low: slope, high: shift)
    }
    package static func leakyRelu(_ slope: Float) -> Finish { Finish(THAW_FINISH_LEAKY_RELU, low: slope) }
    package static let sigmoid = Finish(THAW_FINISH_SIGMOID)
    package static let tanh = Finish(THAW_FINISH_TANH)
    package static let gelu = Finish(THAW_FINISH_GELU)

    /// The finish of that name, as a node's setting has it; nil where there is none.
    package init?(name: String, low: Float, high: Float) {
        switch name {
        case "clip": self = .clip(low, high)
        case "silu": self = .silu
        case "hard_swish": self = .hardSwish
        case "hard_sigmoid": self = .hardSigmoid(slope: low, shift: high)
        case "leaky_relu": self = .leakyRelu(low)
        case "sigmoid": self = .sigmoid
        case "tanh": self = .tanh
        case "gelu": self = .gelu
        default: return nil
        }
    }
}

/// Images in blocks of 16 channels, side by side in each pixel.
package enum ChannelBlocks {
    package static let channels = Int(THAW_BLOCK)

    /// Blocks of so many channels, the last one filled up.
    package static func count(channels: Int) -> Int { (channels + Self.channels - 1) / Self.channels }
}

/// The product of sizes ≥ 0, `Int.max` where it is more.
private func product(_ sizes: Int...) -> Int {
    sizes.reduce(1) { product, size in
        let (result, overflow) = product.multipliedReportingOverflow(by: size)
        return overflow ? .max : result
    }
}
