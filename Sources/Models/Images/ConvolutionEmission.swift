import Graphs
import Kernels

// Chains as nodes of the domain `thaw`.
extension ImageBlocking {
    /// Above so many pairs of channels the transformed weights, four times as many, cost more to read than they save:
    /// networks have that many channels where their images are small.
    private static let winogradPairsMax = 256 * 256
    /// Fewer channels than this are read as they lie: a block would hold mostly zeros.
    private static let blockedChannelsMin = 16

    /// How the weights of a convolution are packed; nil where its settings are not those of the standard.
    func packing(_ node: Graph.Node, isBlocked: Bool) -> ConvolutionPacking? {
        guard let shape = source(of: input(node, 1))?.shape else { return nil }
        let groups = node.integer("group") ?? 1
        guard groups >= 1, shape[0] % groups == 0 else { return nil }
        let (channelsIn, channelsOut) = (shape[1], shape[0] / groups)
        let kernel = Array(shape[2...])
        guard node.integers("kernel_shape") ?? kernel == kernel else { return nil }
        func packing(_ method: ConvolutionMethod, planar: Bool = false) -> ConvolutionPacking {
            ConvolutionPacking(
                groups: groups,
                channelsIn: channelsIn,
                channelsOut: channelsOut,
                kernel: kernel,
                method: method,
                layout: planar ? .planar : .blocked
            )
        }
        if groups > 1 {
            return packing(channelsIn == 1 && channelsOut == 1 ? .depthwise : .direct)
        }
        if !isBlocked, channelsIn < Self.blockedChannelsMin { return packing(.direct, planar: true) }
        let isOne = { (values: [Int]?) in (values ?? []).allSatisfy { $0 == 1 } }
        let isDense =
            kernel == [3, 3] && isOne(node.integers("strides"))
            && isOne(node.integers("dilations"))
        let isWide = min(channelsIn, channelsOut) >= Self.blockedChannelsMin
        return packing(isDense && isWide && channelsIn * channelsOut <= Self.winogradPairsMax ? .winograd : .direct)
    }

    mutating func emit(_ chain: ConvolutionChain, in archive: borrowing RawSpan) {
        let node = chain.convolution
        guard let image = node.inputs[0], let sums = chain.sums, let output = chain.output,
            let packing = packing(node, isBlocked: blocked[image] != nil)
        else { return }
        let rank = packing.kernel.count
        let channels = packing.groups * packing.channelsOut
        var extent = Extent(root: image)
        var inputs: [Graph.ValueIndex?] = []
        if packing.layout == .planar {
            unblock(image)
            inputs = [image]
        } else {
            let form = block(
                image,
                channels: packing.groups * packing.channelsIn,
                groups: groups(packing.layoutGroups, packing.channelsIn),
                rank: rank
            )
            inputs = [form.value]
            extent = form.extent
        }
        if let step = step(node, kernel: packing.kernel) { extent.steps.append(step) }
        let form = Blocked(
            value: newValue(),
            channels: channels,
            groups: groups(packing.layoutGroups, packing.channelsOut),
            rank: rank,
            extent: extent
        )
        inputs += packedWeights(chain, packing)
        // Sums of images whose sizes may differ are not for the kernel.
        let residual = chain.sum.flatMap { blocked[$0.residual] }
        let fits = residual.map {
            $0.channels == channels && $0.groups == form.groups && $0.extent == extent && $0.rank == rank
        }
        let isWhole = chain.sum == nil || fits == true
        if isWhole, let residual { inputs.append(residual.value) }
        var attributes = node.attributes.filter { ["strides", "dilations", "pads", "auto_pad"].contains($0.key) }
        attributes.merge(packing.attributes) { $1 }
        if isWhole, let finish = chain.finish {
            attributes["finish"] = .string(finish.name)
            attributes["low"] = .float(finish.low)
            attributes["high"] = .float(finish.high)
        }
        append(
            Graph.Node(
                "Conv",
                domain: "thaw",
                version: 1,
                title: node.title,
                inputs: inputs,
                outputs: [form.value],
                attributes: attributes
            )
        )
        wrote(isWhole ? output : sums, form)
        guard !isWhole, let sum = chain.sum else { return }
        emit(sum.node, in: archive)
        for node in chain.finish?.nodes ?? [] { emit(node, in: archive) }
    }

    /// Groups of whole blocks are blocked as one.
    private func groups(_ groups: Int, _ channels: Int) -> Int {
        channels % ChannelBlocks.channels == 0 ? 1 : groups
    }

    /// What a window makes of an image's sizes: nil for nothing.
    func step(_ node: Graph.Node, kernel: [Int]) -> [Int]? {
        let ones = kernel.map { _ in 1 }
        let (strides, dilations) = (
            node.integers("strides") ?? ones, node.integers("dilations") ?? ones
        )
        let pads = node.integers("pads") ?? (kernel + kernel).map { _ in 0 }
        guard strides.count == kernel.count, dilations.count == kernel.count, pads.count == 2 * kernel.count else {
            return [-1]
        }
        var step: [Int] = []
        for axis in kernel.indices {
            var slack = pads[axis] + pads[kernel.count + axis] - (kernel[axis] - 1) * dilations[axis]
            switch node.attributes["auto_pad"] {
            case .string("SAME_UPPER"), .string("SAME_LOWER"): slack = 0
            case .string("VALID"): slack = -(kernel[axis] - 1) * dilations[axis]
            default: break
            }
            step += [strides[axis], slack]
        }
        if node.integer("ceil_mode") == 1 { step.append(1) }
        return zip(step, kernel.flatMap { _ in [1, 0] }).allSatisfy(==) && step.count == 2 * kernel.count ? nil : step
    }

    /// Weights and bias, packed.
    private mutating func packedWeights(
        _ chain: ConvolutionChain,
        _ packing: ConvolutionPacking
    ) -> [Graph.ValueIndex?] {
        let node = chain.convolution
        guard let weights = source(of: input(node, 1)) else { return [] }
        let packed = TensorSource(
            .f32,
            shape: [packing.weightCount],
            .made([weights]) { parts in
                Tensor(packing.pack(weights: parts[0].array(of: Float.self)), shape: [packing.weightCount])
            }
        )
        let value = newConstant("weights of \(node.title)", packed)
        guard let bias = source(of: input(node, 2)) else { return [value, nil] }
        let packedBias = TensorSource(
            .f32,
            shape: [packing.biasCount],
            .made([bias]) { parts in
                Tensor(packing.pack(bias: parts[0].array(of: Float.self)), shape: [packing.biasCount])
            }
        )
        return [value, newConstant("bias of \(node.title)", packedBias)]
    }
}
