import Kernels

/// Operators of the domain `thaw` over images in blocks of 16 channels, `[N, blocks, …, 16]`; the compiler makes them.
///
/// Operators that work element by element need no others: they take a blocked image as any tensor.
enum BlockedOperators {
    /// The domain that no file can name.
    static let domain = "thaw"

    static let operators: [Operator] = [
        Operator("Block", domain: domain) { (call) throws(GraphError) in
            try [.tensor(BlockedImages.block(call.tensor(0), groups: call.integer("groups", or: 1), call))]
        },
        Operator("Unblock", domain: domain) { (call) throws(GraphError) in
            let (channels, groups) = try (call.integer("channels", or: 0), call.integer("groups", or: 1))
            return try [.tensor(BlockedImages.unblock(call.tensor(0), channels: channels, groups: groups, call))]
        },
        Operator("Conv", domain: domain, convolve),
        Operator("MaxPool", domain: domain) { (call) throws(GraphError) in try pool(call, averages: false) },
        Operator("AveragePool", domain: domain) { (call) throws(GraphError) in try pool(call, averages: true) },
        Operator("GlobalAveragePool", domain: domain, globalAverage),
    ]

    /// Inputs: image, weights and bias as ``ConvolutionPacking`` made them, and a residual as the result lies.
    private static func convolve(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (image, weights) = try (call.tensor(0), call.tensor(1))
        let packing = try ConvolutionPacking(call)
        guard
            let finish = try Finish(
                name: call.string("finish", or: "clip"),
                low: call.float("low", or: -.infinity),
                high: call.float("high", or: .infinity)
            )
        else { throw .invalid("the attribute finish is none that there is") }
        let rank = packing.kernel.count
        let isBlocked = packing.layout == .blocked
        guard image.rank == rank + (isBlocked ? 3 : 2), isBlocked || image.shape[1] == packing.channelsIn else {
            throw .input("an image \(image.shape) does not fit the weights of this convolution")
        }
        let window = try Window(call, spatial: Array(image.shape[2..<2 + rank]), kernel: packing.kernel)
        let convolution = try PackedConvolution(packing, window: window, batch: image.shape[0], finish: finish)
        let result = try convolution.run(
            image,
            weights: weights,
            bias: call.optionalTensor(2),
            residual: call.optionalTensor(3),
            call
        )
        return [.tensor(result)]
    }

    /// A blocked image of floats and its spatial sizes.
    private static func image(_ call: borrowing OperatorCall) throws(GraphError) -> (Tensor, spatial: [Int]) {
        let image = try call.tensor(0)
        guard image.element == .f32, image.rank >= 4, image.shape[image.rank - 1] == ChannelBlocks.channels else {
            throw .input("\(image.shape) of \(image.element) is no blocked image of floats")
        }
        return (image, Array(image.shape[2..<image.rank - 1]))
    }

    private static func pool(_ call: borrowing OperatorCall, averages: Bool) throws(GraphError) -> [GraphValue] {
        let (image, spatial) = try image(call)
        guard spatial.count <= 2 else { throw .unsupported("blocked images have one or two dimensions") }
        let window = try Window(call, spatial: spatial, roundsUp: call.integer("ceil_mode", or: 0) != 0)
        return try pool(call, image, window, averages: averages)
    }

    private static func globalAverage(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let (image, spatial) = try image(call)
        guard !spatial.contains(0), spatial.count <= 2, spatial.allSatisfy({ $0 <= 1 << 20 }) else {
            throw .input("a blocked image \(image.shape) has no mean")
        }
        let axes = spatial.map {
            WindowAxis(size: $0, kernel: $0, stride: 1, dilation: 1, pads: (0, 0), out: 1)
        }
        return try pool(call, image, Window(axes), averages: true)
    }

    private static func pool(
        _ call: borrowing OperatorCall,
        _ image: Tensor,
        _ window: Window,
        averages: Bool
    ) throws(GraphError) -> [GraphValue] {
        let shape = Array(image.shape[..<2]) + window.out + [ChannelBlocks.channels]
        let blocks = image.shape[0] * image.shape[1]
        guard blocks > 0 else { return try [.tensor(call.make(.f32, shape, doubles: []))] }
        let pooled = PoolShape(
            blocks: blocks,
            y: window.y.kernelAxis,
            x: window.x.kernelAxis,
            padsBehind: (window.y.pads.1, window.x.pads.1),
            countsPads: try call.integer("count_include_pad", or: 0) != 0
        )
        guard let pooled else { throw .input("an image \(image.shape) is too large for a pool") }
        let result = try call.make(Float.self, shape) { out in
            image.withElements(as: Float.self) { KernelSet.best.pool(pooled, averages: averages, $0, out: &out) }
        }
        return [.tensor(result)]
    }
}

extension ConvolutionPacking {
    /// What a node's settings say.
    fileprivate init(_ call: borrowing OperatorCall) throws(GraphError) {
        let channels = try call.integers("channels") ?? []
        let kernel = try call.integers("kernel_shape") ?? []
        let method = try ConvolutionMethod(rawValue: call.string("method", or: ""))
        guard channels.count == 2, (1...2).contains(kernel.count), let method else {
            throw .invalid("the attributes channels, kernel_shape and method do not say how the weights are packed")
        }
        self.init(
            groups: try call.integer("group", or: 1),
            channelsIn: channels[0],
            channelsOut: channels[1],
            kernel: kernel,
            method: method,
            layout: try call.integer("planar", or: 0) != 0 ? .planar : .blocked
        )
    }

    /// The same as settings of a node ``PackedConvolution`` runs.
    package var attributes: [String: Attribute] {
        [
            "channels": .integers([channelsIn, channelsOut]), "kernel_shape": .integers(kernel),
            "method": .string(method.rawValue), "group": .integer(groups),
            "planar": .integer(layout == .planar ? 1 : 0),
        ]
    }
}
