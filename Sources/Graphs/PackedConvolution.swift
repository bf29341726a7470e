import Kernels

/// A convolution of one or two dimensions whose weights lie as the kernels read them.
struct PackedConvolution {
    let shape: ConvolutionShape
    let method: ConvolutionMethod
    /// Images of the batch.
    let batch: Int
    /// Channels of the result.
    let channels: Int
    /// Spatial sizes of the result, as many as the image has.
    let out: [Int]

    /// Worked out without a compiled graph: image and weights are packed for this call alone.
    static func convolveOnce(
        _ plain: PlainConvolution,
        _ image: Tensor,
        _ weights: Tensor,
        _ bias: Tensor?,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let packing = ConvolutionPacking(
            groups: plain.groups,
            channelsIn: plain.channelsIn,
            channelsOut: plain.channelsOut,
            kernel: plain.window.axes.map(\.kernel),
            method: plain.groups > 1 && plain.channelsIn == 1 && plain.channelsOut == 1 ? .depthwise : .direct,
            layout: .blocked
        )
        let packed = packing.pack(weights: try weights.floats())
        let packedBias = try bias.map { (bias) throws(GraphError) in packing.pack(bias: try bias.floats()) }
        let convolution = try PackedConvolution(packing, window: plain.window, batch: plain.batch, finish: .none)
        let blocked = try BlockedImages.block(call.cast(image, to: .f32), groups: packing.layoutGroups, call)
        let result = try convolution.run(
            blocked,
            weights: Tensor(packed, shape: [packed.count]),
            bias: packedBias.map { Tensor($0, shape: [$0.count]) },
            residual: nil,
            call
        )
        return try BlockedImages.unblock(result, channels: convolution.channels, groups: packing.layoutGroups, call)
    }

    init(_ packing: ConvolutionPacking, window: Window, batch: Int, finish: Finish) throws(GraphError) {
        let isDepthwise = packing.method == .depthwise
        let shape = ConvolutionShape(
            groups: isDepthwise ? 1 : packing.groups,
            channelsIn: isDepthwise ? packing.groups : packing.channelsIn,
            channelsOut: isDepthwise ? packing.groups : packing.channelsOut,
            y: window.y.kernelAxis,
            x: window.x.kernelAxis,
            layout: packing.layout,
            finish: finish
        )
        guard let shape, shape.allows(packing.method) else {
            throw .input("a convolution of an image of \(window.axes.map(\.size)) is too large")
        }
        self.shape = shape
        self.method = packing.method
        self.batch = batch
        channels = packing.groups * packing.channelsOut
        out = window.out
    }

    /// - Parameters:
    ///   - image: `[N, C, …]` or blocked, as the packing says.
    ///   - residual: blocked as the result is.
    /// - Returns: blocked `[N, blocks, …, 16]`.
    func run(
        _ image: Tensor,
        weights: Tensor,
        bias: Tensor?,
        residual: Tensor?,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let outShape =
            [batch, shape.outputCount / ChannelBlocks.channels / out.reduce(1, *)] + out + [ChannelBlocks.channels]
        guard image.count == batch * shape.inputCount, weights.count == shape.weightCount(method),
            (bias?.count ?? shape.biasCount) == shape.biasCount,
            (residual?.shape ?? outShape) == outShape, [image, weights].allSatisfy({ $0.element == .f32 }),
            [bias, residual].allSatisfy({ ($0?.element ?? .f32) == .f32 })
        else {
            throw .input(
                "an image \(image.shape), weights \(weights.shape), bias \(bias?.shape ?? []) and residual "
                    + "\(residual?.shape ?? []) do not fit a convolution to \(outShape)"
            )
        }
        return try call.make(Float.self, outShape) { (out) throws(GraphError) in
            try call.withScratch(of: Float.self, count: shape.scratchCount(method)) { (scratch) throws(GraphError) in
                image.withElements(as: Float.self) { image in
                    weights.withElements(as: Float.self) { weights in
                        Self.withElements(bias) { bias in
                            Self.withElements(residual) { residual in
                                KernelSet.best.convolve(
                                    shape,
                                    method,
                                    batch: batch,
                                    image,
                                    weights: weights,
                                    bias: bias,
                                    residual: residual,
                                    out: &out,
                                    scratch: &scratch
                                )
                            }
                        }
                    }
                }
            }
        }
    }

    private static func withElements(_ tensor: Tensor?, _ body: (Span<Float>?) -> Void) {
        guard let tensor else { return body(nil) }
        tensor.withElements(as: Float.self) { body($0) }
    }
}

/// Images `[N, C, …]` and the same in blocks of 16 channels, `[N, blocks, …, 16]`.
enum BlockedImages {
    /// - Parameter groups: of channels, each of which is filled up to whole blocks.
    static func block(_ image: Tensor, groups: Int, _ call: borrowing OperatorCall) throws(GraphError) -> Tensor {
        guard image.element == .f32, image.rank >= 2, groups >= 1, image.shape[1] % groups == 0 else {
            throw .input("\(image.shape) of \(image.element) is no image of floats in \(groups) groups")
        }
        let channels = image.shape[1] / groups
        let blocks = ChannelBlocks.count(channels: channels)
        let spatial = Array(image.shape[2...])
        let pixels = try OperatorCall.elementCount(spatial)
        let shape = [image.shape[0], groups * blocks] + spatial + [ChannelBlocks.channels]
        return try call.make(Float.self, shape) { out in
            guard pixels > 0, channels > 0 else { return }
            image.withElements(as: Float.self) { floats in
                let images = floats.count / (channels * pixels)
                KernelSet.best.block(floats, images: images, channels: channels, pixels: pixels, out: &out)
            }
        }
    }

    /// The other way round; `channels` of all groups.
    static func unblock(
        _ blocked: Tensor,
        channels: Int,
        groups: Int,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        guard blocked.element == .f32, blocked.rank >= 3, groups >= 1, channels >= 1, channels % groups == 0,
            blocked.shape[blocked.rank - 1] == ChannelBlocks.channels,
            blocked.shape[1] == groups * ChannelBlocks.count(channels: channels / groups)
        else { throw .input("\(blocked.shape) is no blocked image of \(channels) channels in \(groups) groups") }
        let perGroup = channels / groups
        let spatial = Array(blocked.shape[2..<blocked.rank - 1])
        let pixels = spatial.reduce(1, *)
        return try call.make(Float.self, [blocked.shape[0], channels] + spatial) { out in
            guard pixels > 0 else { return }
            blocked.withElements(as: Float.self) { floats in
                let images = blocked.shape[0] * groups
                KernelSet.best.unblock(floats, images: images, channels: perGroup, pixels: pixels, out: &out)
            }
        }
    }
}
