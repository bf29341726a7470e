import CKernels

// Convolutions and pools. Spans that do not fit their shape are mistakes of ours and trap.

extension KernelSet {
    /// out = finish(input ∗ weights + bias + residual) for each image of a batch, out and residual blocked.
    ///
    /// `weights` come from ``PackedKernels``; `scratch` holds ``ConvolutionShape/scratchCount(_:)`` floats.
    package func convolve(
        _ shape: ConvolutionShape,
        _ method: ConvolutionMethod,
        batch: Int = 1,
        _ input: Span<Float>,
        weights: Span<Float>,
        bias: Span<Float>?,
        residual: Span<Float>?,
        out: inout MutableSpan<Float>,
        scratch: inout MutableSpan<Float>
    ) {
        let (read, written) = (shape.inputCount, shape.outputCount)
        precondition(batch >= 0 && input.count / read >= batch && out.count / written >= batch)
        precondition(shape.allows(method) && (residual?.count ?? .max) / written >= batch)
        precondition(weights.count >= shape.weightCount(method) && scratch.count >= shape.scratchCount(method))
        precondition((bias?.count ?? .max) >= shape.biasCount)
        let images = unsafe table.pointee.convolution
        unsafe Self.withBases(input, weights, bias, residual) { input, weights, bias, residual in
            unsafe out.withUnsafeMutableBufferPointer { out in
                unsafe scratch.withUnsafeMutableBufferPointer { scratch in
                    guard let out = out.baseAddress, let scratch = scratch.baseAddress else { return }
                    unsafe withUnsafePointer(to: shape.c) { shape in
                        for index in 0..<batch {
                            let input = unsafe input + index * read
                            let residual = unsafe residual.map { unsafe $0 + index * written }
                            let out = unsafe out + index * written
                            switch method {
                            case .direct:
                                unsafe images.convolve(shape, input, weights, bias, residual, out, scratch)
                            case .depthwise:
                                unsafe images.depthwise(shape, input, weights, bias, residual, out)
                            case .winograd:
                                unsafe images.winograd(shape, input, weights, bias, residual, out, scratch)
                            }
                        }
                    }
                }
            }
        }
    }

    private static func withBases(
        _ input: Span<Float>,
        _ weights: Span<Float>,
        _ bias: Span<Float>?,
        _ residual: Span<Float>?,
        _ body: (
            UnsafePointer<Float>, UnsafePointer<Float>, UnsafePointer<Float>?, UnsafePointer<Float>?
        ) -> Void
    ) {
        let (hasBias, hasResidual) = (bias != nil, residual != nil)
        let biasSpan = if let bias { bias } else { input }
        let residualSpan = if let residual { residual } else { input }
        // A span that is not there lends the input's address, which nobody then gets to see.
        unsafe input.withUnsafeBufferPointer { input in
            unsafe weights.withUnsafeBufferPointer { weights in
                unsafe biasSpan.withUnsafeBufferPointer { biases in
                    unsafe residualSpan.withUnsafeBufferPointer { residuals in
                        guard let input = input.baseAddress, let weights = weights.baseAddress else { return }
                        unsafe body(
                            input,
                            weights,
                            hasBias ? biases.baseAddress : nil,
                            hasResidual ? residuals.baseAddress : nil
                        )
                    }
                }
            }
        }
    }

    /// planar[channels][pixels] → blocked[⌈channels / 16⌉][pixels][16], filled up with zeros.
    package func block(
        _ planar: Span<Float>,
        images: Int = 1,
        channels: Int,
        pixels: Int,
        out: inout MutableSpan<Float>
    ) {
        let (plane, block) = Self.imageCounts(channels: channels, pixels: pixels)
        precondition(images >= 0 && planar.count / plane >= images && out.count / block >= images)
        unsafe Self.withBases(planar, &out) { from, to in
            for image in 0..<images {
                unsafe table.pointee.convolution.block(
                    from + image * plane,
                    to + image * block,
                    Int64(channels),
                    Int64(pixels)
                )
            }
        }
    }

    /// Floats of an image, planar and blocked.
    private static func imageCounts(channels: Int, pixels: Int) -> (planar: Int, blocked: Int) {
        precondition(channels > 0 && pixels > 0)
        return (channels * pixels, ChannelBlocks.count(channels: channels) * ChannelBlocks.channels * pixels)
    }

    /// The other way round.
    package func unblock(
        _ blocked: Span<Float>,
        images: Int = 1,
        channels: Int,
        pixels: Int,
        out: inout MutableSpan<Float>
    ) {
        let (plane, block) = Self.imageCounts(channels: channels, pixels: pixels)
        precondition(images >= 0 && blocked.count / block >= images && out.count / plane >= images)
        unsafe Self.withBases(blocked, &out) { from, to in
            for image in 0..<images {
                unsafe table.pointee.convolution.unblock(
                    from + image * block,
                    to + image * plane,
                    Int64(channels),
                    Int64(pixels)
                )
            }
        }
    }

    /// The greatest or the mean of each window of one blocked image.
    package func pool(_ shape: PoolShape, averages: Bool, _ input: Span<Float>, out: inout MutableSpan<Float>) {
        precondition(input.count >= shape.inputCount && out.count >= shape.outputCount)
        unsafe Self.withBases(input, &out) { from, to in
            unsafe withUnsafePointer(to: shape.c) { shape in
                let images = unsafe table.pointee.convolution
                unsafe (averages ? images.average_pool : images.max_pool)(shape, from, to)
            }
        }
    }

    private static func withBases(
        _ input: Span<Float>,
        _ out: inout MutableSpan<Float>,
        _ body: (UnsafePointer<Float>, UnsafeMutablePointer<Float>) -> Void
    ) {
        unsafe input.withUnsafeBufferPointer { input in
            unsafe out.withUnsafeMutableBufferPointer { out in
                guard let input = input.baseAddress, let out = out.baseAddress else { return }
                unsafe body(input, out)
            }
        }
    }
}

/// A window over one blocked image.
package struct PoolShape: Sendable {
    let c: thaw_pool

    /// - Parameters:
    ///   - padsBehind: as many as `counts` adds to what a mean is divided by.
    /// - Returns: nil where a size is below 1 or beyond 2²⁰, or the image would have more than 2⁴⁰ floats.
    package init?(
        blocks: Int,
        y: ConvolutionShape.Axis,
        x: ConvolutionShape.Axis,
        padsBehind: (y: Int, x: Int) = (0, 0),
        countsPads: Bool = false
    ) {
        guard y.isSane, x.isSane, (1...1 << 20).contains(blocks), min(padsBehind.y, padsBehind.x) >= 0 else {
            return nil
        }
        guard max(padsBehind.y, padsBehind.x) <= 1 << 20 else { return nil }
        let pixels = max(y.size * x.size, y.out * x.out)
        guard pixels <= 1 << 40, blocks * ChannelBlocks.channels <= (1 << 40) / pixels else { return nil }
        c = thaw_pool(
            blocks: Int64(blocks),
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
            pad_bottom: Int64(padsBehind.y),
            pad_right: Int64(padsBehind.x),
            counts_pads: countsPads ? 1 : 0
        )
    }

    package var inputCount: Int { Int(c.blocks * c.in_height * c.in_width) * ChannelBlocks.channels }
    package var outputCount: Int { Int(c.blocks * c.out_height * c.out_width) * ChannelBlocks.channels }
}
