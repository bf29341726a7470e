package import Kernels

/// How the weights of a convolution are packed, whatever the size of its images.
package struct ConvolutionPacking: Equatable, Sendable {
    package let groups: Int
    /// Of a group.
    package let channelsIn: Int
    package let channelsOut: Int
    /// One or two sizes.
    package let kernel: [Int]
    package let method: ConvolutionMethod
    package let layout: ConvolutionShape.Layout

    package init(
        groups: Int,
        channelsIn: Int,
        channelsOut: Int,
        kernel: [Int],
        method: ConvolutionMethod,
        layout: ConvolutionShape.Layout
    ) {
        self.groups = groups
        self.channelsIn = channelsIn
        self.channelsOut = channelsOut
        self.kernel = kernel
        self.method = method
        self.layout = layout
    }

    /// Groups that are blocked each by itself; channels that never mix lie in blocks together.
    package var layoutGroups: Int { method == .depthwise ? 1 : groups }

    /// Floats of packed weights.
    package var weightCount: Int {
        PackedKernels.weightCount(
            groups: groups,
            channelsIn: channelsIn,
            channelsOut: channelsOut,
            taps: kernel.reduce(1, *),
            method: method,
            layout: layout
        )
    }

    /// Floats of a packed bias.
    package var biasCount: Int {
        let channels = method == .depthwise ? groups : channelsOut
        return layoutGroups * ChannelBlocks.count(channels: channels) * ChannelBlocks.channels
    }

    package func pack(weights: [Float]) -> [Float] {
        PackedKernels.pack(
            weights,
            groups: groups,
            channelsIn: channelsIn,
            channelsOut: channelsOut,
            kernel: (kernel.count > 1 ? kernel[0] : 1, kernel[kernel.count - 1]),
            method: method,
            layout: layout
        )
    }

    package func pack(bias: [Float]) -> [Float] {
        PackedKernels.pack(
            bias: bias,
            groups: layoutGroups,
            channelsOut: method == .depthwise ? groups : channelsOut
        )
    }
}
