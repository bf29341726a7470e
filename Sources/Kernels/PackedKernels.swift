import CKernels

/// The kernels of a convolution in the order in which its method meets them; see `CKernels/include/convolution.h`.
package enum PackedKernels {
    /// Packs `weights[group · out][in][y][x]`, ONNX's order, whose `in` are the channels of a group.
    ///
    /// Channels that fill up a block have zeros. `layout` is the input's.
    /// - Returns: as many floats as ``ConvolutionShape/weightCount(_:)`` says.
    package static func pack(
        _ weights: [Float],
        groups: Int,
        channelsIn: Int,
        channelsOut: Int,
        kernel: (y: Int, x: Int),
        method: ConvolutionMethod,
        layout: ConvolutionShape.Layout
    ) -> [Float] {
        let taps = kernel.y * kernel.x
        precondition(weights.count == groups * channelsOut * channelsIn * taps)
        switch method {
        case .depthwise:
            precondition(channelsIn == 1 && channelsOut == 1)
            return depthwise(weights, channels: groups, taps: taps)
        case .winograd:
            precondition(groups == 1 && taps == 9 && layout == .blocked)
            return winograd(weights, channelsIn: channelsIn, channelsOut: channelsOut)
        case .direct:
            let sizes = (groups: groups, channelsIn: channelsIn, channelsOut: channelsOut, taps: taps)
            return direct(weights, sizes, layout: layout)
        }
    }

    /// Floats that ``pack(_:groups:channelsIn:channelsOut:kernel:method:layout:)`` gives.
    package static func weightCount(
        groups: Int,
        channelsIn: Int,
        channelsOut: Int,
        taps: Int,
        method: ConvolutionMethod,
        layout: ConvolutionShape.Layout
    ) -> Int {
        let inner = layout == .planar ? channelsIn : ChannelBlocks.count(channels: channelsIn) * ChannelBlocks.channels
        let columns = ChannelBlocks.count(channels: channelsOut) * ChannelBlocks.channels
        return switch method {
        case .direct: groups * inner * columns * taps
        case .depthwise: ChannelBlocks.count(channels: groups) * ChannelBlocks.channels * taps
        case .winograd: Int(THAW_WINOGRAD_POINTS) * inner * columns
        }
    }

    /// A bias of `groups` × `channelsOut`, each group filled up to whole blocks.
    package static func pack(bias: [Float], groups: Int, channelsOut: Int) -> [Float] {
        precondition(bias.count == groups * channelsOut)
        let padded = ChannelBlocks.count(channels: channelsOut) * ChannelBlocks.channels
        var packed = [Float](repeating: 0, count: groups * padded)
        for (index, value) in bias.enumerated() {
            packed[index / channelsOut * padded + index % channelsOut] = value
        }
        return packed
    }

    private static func direct(
        _ weights: [Float],
        _ sizes: (groups: Int, channelsIn: Int, channelsOut: Int, taps: Int),
        layout: ConvolutionShape.Layout
    ) -> [Float] {
        let depth = layout == .planar ? 1 : ChannelBlocks.channels
        let planes = (sizes.channelsIn + depth - 1) / depth
        let outBlocks = ChannelBlocks.count(channels: sizes.channelsOut)
        let perBlock = planes * sizes.taps * depth * ChannelBlocks.channels
        var packed = [Float](repeating: 0, count: sizes.groups * outBlocks * perBlock)
        var index = 0
        for group in 0..<sizes.groups {
            for column in 0..<sizes.channelsOut {
                let block = group * outBlocks + column / ChannelBlocks.channels
                for channel in 0..<sizes.channelsIn {
                    let (plane, lane) = channel.quotientAndRemainder(dividingBy: depth)
                    let start = block * perBlock + column % ChannelBlocks.channels
                    for tap in 0..<sizes.taps {
                        let place = (plane * sizes.taps + tap) * depth + lane
                        packed[start + place * ChannelBlocks.channels] = weights[index]
                        index += 1
                    }
                }
            }
        }
        return packed
    }

    private static func depthwise(_ weights: [Float], channels: Int, taps: Int) -> [Float] {
        let blocks = ChannelBlocks.count(channels: channels)
        var packed = [Float](repeating: 0, count: blocks * taps * ChannelBlocks.channels)
        for channel in 0..<channels {
            let (block, lane) = channel.quotientAndRemainder(dividingBy: ChannelBlocks.channels)
            for tap in 0..<taps {
                packed[(block * taps + tap) * ChannelBlocks.channels + lane] = weights[channel * taps + tap]
            }
        }
        return packed
    }

    private static func winograd(_ weights: [Float], channelsIn: Int, channelsOut: Int) -> [Float] {
        let pointCount = Int(THAW_WINOGRAD_POINTS)
        let inner = ChannelBlocks.count(channels: channelsIn) * ChannelBlocks.channels
        let outBlocks = ChannelBlocks.count(channels: channelsOut)
        var packed = [Float](repeating: 0, count: pointCount * outBlocks * inner * ChannelBlocks.channels)
        var points = [Float](repeating: 0, count: pointCount)
        for column in 0..<channelsOut {
            let (block, lane) = column.quotientAndRemainder(dividingBy: ChannelBlocks.channels)
            for channel in 0..<channelsIn {
                let kernel = Array(weights[((column * channelsIn + channel) * 9)...].prefix(9))
                unsafe thaw_winograd_weights(kernel, &points)
                for (point, value) in points.enumerated() {
                    packed[((point * outBlocks + block) * inner + channel) * ChannelBlocks.channels + lane] = value
                }
            }
        }
        return packed
    }
}
