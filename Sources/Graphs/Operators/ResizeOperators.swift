import Kernels

/// Images, and tensors of any rank, in another size.
enum ResizeOperators {
    static let operators: [Operator] = [
        Operator("Resize", versions: 10...10, resizeByScales),
        Operator("Resize", versions: 11...Int.max, resize),
        Operator("Upsample", versions: 1...6) { (call) throws(GraphError) in
            throw .unsupported("Upsample before operator set 7 is not supported; convert the model to a newer set")
        },
        Operator("Upsample", versions: 7...8) { (call) throws(GraphError) in
            guard let scales = try call.floats("scales") else { throw .invalid("the attribute scales is missing") }
            return try upsample(call, scales.map { Double($0) })
        },
        Operator("Upsample", versions: 9...Int.max, resizeByScales),
    ]

    private static func resizeByScales(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        try upsample(call, call.tensor(1).doubles())
    }

    /// What Upsample and the first Resize are: asymmetric, nearest by rounding down.
    private static func upsample(_ call: borrowing OperatorCall, _ scales: [Double]) throws(GraphError) -> [GraphValue]
    {
        let tensor = try call.tensor(0)
        guard scales.count == tensor.rank else { throw .input("\(scales.count) scales do not fit \(tensor.shape)") }
        var sampling = Sampling()
        sampling.coordinates = .asymmetric
        sampling.rounding = .floor
        sampling.mode = try Sampling.mode(call.string("mode", or: "nearest"))
        let sizes = try sizes(tensor.shape, scales: scales)
        let axes = zip(tensor.shape, zip(sizes, scales)).map {
            SampledAxis(size: $0, out: $1.0, scale: $1.1, roi: (0, 1))
        }
        return try [.tensor(resampled(tensor, axes, sampling, call))]
    }

    private static func resize(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let sampling = try Sampling(call)
        let picked = try Axes.resolve(call.integers("axes") ?? Array(0..<tensor.rank), rank: tensor.rank)
        let roi = try call.optionalTensor(1).map { (roi) throws(GraphError) in try roi.doubles() } ?? []
        guard roi.isEmpty || roi.count == 2 * picked.count else {
            throw .input("a roi of \(roi.count) numbers does not fit \(picked.count) axes")
        }
        guard sampling.coordinates != .crop || !roi.isEmpty else { throw .input("tf_crop_and_resize needs a roi") }
        var axes = tensor.shape.map { SampledAxis(size: $0, out: $0, scale: 1, roi: (0, 1)) }
        let (scales, out) = try scales(call, tensor.shape, picked)
        for (index, axis) in picked.enumerated() {
            let bounds = roi.isEmpty ? (0, 1) : (roi[index], roi[picked.count + index])
            axes[axis] = SampledAxis(size: tensor.shape[axis], out: out[index], scale: scales[index], roi: bounds)
        }
        return try [.tensor(resampled(tensor, axes, sampling, call))]
    }

    private static func sizes(_ shape: [Int], scales: [Double]) throws(GraphError) -> [Int] {
        guard scales.allSatisfy({ $0 > 0 && $0 <= Double(1 << 30) }) else {
            throw .input("scales \(scales) are not all positive")
        }
        return zip(shape, scales).map { Int((Double($0) * $1).rounded(.down)) }
    }

    /// Scales and sizes of the picked axes, of which the call gives one.
    private static func scales(
        _ call: borrowing OperatorCall,
        _ shape: [Int],
        _ picked: [Int]
    ) throws(GraphError) -> (scales: [Double], out: [Int]) {
        let here = picked.map { shape[$0] }
        if let scales = try call.optionalTensor(2)?.doubles(), !scales.isEmpty {
            guard scales.count == picked.count else { throw .input("\(scales.count) scales for \(picked.count) axes") }
            return try (scales, sizes(here, scales: scales))
        }
        guard let out = try call.integers(3), out.count == picked.count else {
            throw .input("neither scales nor sizes fit the \(picked.count) axes")
        }
        guard out.allSatisfy({ $0 >= 0 && $0 <= 1 << 31 }), !here.contains(0) else {
            throw .input("sizes \(out) cannot be made of \(here)")
        }
        let ratios = zip(out, here).map { Double($0) / Double($1) }
        let policy = try call.string("keep_aspect_ratio_policy", or: "stretch")
        guard policy != "stretch" else { return (ratios, out) }
        guard ["not_larger", "not_smaller"].contains(policy), let least = ratios.min(), let most = ratios.max() else {
            throw .invalid("keep_aspect_ratio_policy is \"\(policy)\", which the standard does not have")
        }
        let scale = policy == "not_larger" ? least : most
        return (ratios.map { _ in scale }, here.map { Int((scale * Double($0) + 0.5).rounded(.down)) })
    }

    /// One axis after the other: interpolation is separable.
    private static func resampled(
        _ tensor: Tensor,
        _ axes: [SampledAxis],
        _ sampling: Sampling,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        let shape = axes.map(\.out)
        guard try OperatorCall.elementCount(shape) > 0 else { return try call.make(tensor.element, shape, doubles: []) }
        guard tensor.count > 0 else { throw .input("a tensor \(tensor.shape) without elements has no other sizes") }
        let changed = axes.indices.filter { !axes[$0].isWhole(sampling) }
        if sampling.mode == .nearest, sampling.coordinates != .crop {
            return try picked(tensor, axes, changed, sampling, call)
        }
        var current = try call.cast(tensor, to: tensor.element == .f64 ? .f64 : .f32)
        var outside: [[Bool]] = axes.map { [Bool](repeating: false, count: $0.out) }
        for axis in changed {
            let taps = (0..<axes[axis].out).map { axes[axis].taps($0, sampling) }
            outside[axis] = taps.map(\.isOutside)
            if current.element == .f64 {
                current = try mixed(current, along: axis, taps, of: Double.self, call)
            } else {
                current = try mixed(current, along: axis, taps, of: Float.self, call)
            }
        }
        if outside.contains(where: { $0.contains(true) }) {
            current = try filled(current, outside, Double(sampling.extrapolation), call)
        }
        guard !tensor.element.isFloating else { return try call.cast(current, to: tensor.element) }
        let rounded = try current.doubles().map { QuantizationOperators.saturated($0, offset: 0, tensor.element) }
        return try call.make(tensor.element, shape, doubles: rounded)
    }

    /// Every element is one of the tensor: bytes are moved, of any type.
    private static func picked(
        _ tensor: Tensor,
        _ axes: [SampledAxis],
        _ changed: [Int],
        _ sampling: Sampling,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        var current = tensor
        for axis in changed {
            let sources = (0..<axes[axis].out).map { axes[axis].nearest($0, sampling) }
            let outer = current.shape[..<axis].reduce(1, *)
            let places = (0..<outer).flatMap { stack in sources.map { stack * axes[axis].size + $0 } }
            var shape = current.shape
            shape[axis] = axes[axis].out
            _ = try OperatorCall.elementCount(shape)
            let length = current.shape[(axis + 1)...].reduce(1, *)
            current = try Blocks.gather(current, places, of: length, shape: shape, call)
        }
        return current
    }

    /// Sums of weighted elements along one axis.
    private static func mixed<Number: TensorScalar & BinaryFloatingPoint>(
        _ tensor: Tensor,
        along axis: Int,
        _ taps: [SampledAxis.Taps],
        of _: Number.Type,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        var shape = tensor.shape
        let size = shape[axis]
        shape[axis] = taps.count
        let (outer, inner) = (shape[..<axis].reduce(1, *), shape[(axis + 1)...].reduce(1, *))
        return try call.make(Number.self, shape) { out in
            tensor.withElements(as: Number.self) { values in
                for stack in 0..<outer {
                    for (place, taps) in taps.enumerated() {
                        let to = (stack * shape[axis] + place) * inner
                        for index in 0..<inner { out[to + index] = 0 }
                        for (source, weight) in zip(taps.sources, taps.weights) {
                            let (from, factor) = ((stack * size + source) * inner, Number(weight))
                            for index in 0..<inner { out[to + index] += values[from + index] * factor }
                        }
                    }
                }
            }
        }
    }

    /// `value` where an index lies outside along any axis.
    private static func filled(
        _ tensor: Tensor,
        _ outside: [[Bool]],
        _ value: Double,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> Tensor {
        var values = try tensor.doubles()
        for index in values.indices {
            var rest = index
            for axis in tensor.shape.indices.reversed() {
                if outside[axis][rest % tensor.shape[axis]] { values[index] = value }
                rest /= tensor.shape[axis]
            }
        }
        return try call.make(tensor.element, tensor.shape, doubles: values)
    }
}
