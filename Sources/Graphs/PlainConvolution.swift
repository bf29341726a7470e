/// A convolution as sums over windows, in any number type: what the fast ones must agree with.
struct PlainConvolution {
    let window: Window
    let batch: Int
    let groups: Int
    /// Of a group.
    let channelsIn: Int
    let channelsOut: Int

    /// - Parameters:
    ///   - image: `[N, C, …]`.
    ///   - weights: `[M, C / groups, …]`.
    init(_ call: borrowing OperatorCall, image: [Int], weights: [Int]) throws(GraphError) {
        guard image.count >= 3, weights.count == image.count else {
            throw .input("an image \(image) and weights \(weights) make no convolution")
        }
        groups = try call.integer("group", or: 1)
        guard groups >= 1, image[1] == weights[1] * groups, weights[0] % groups == 0 else {
            throw .input("weights \(weights) in \(groups) groups do not fit an image \(image)")
        }
        if let kernel = try call.integers("kernel_shape"), kernel != Array(weights[2...]) {
            throw .invalid("kernel_shape \(kernel) is not that of the weights \(weights)")
        }
        window = try Window(call, spatial: Array(image[2...]), kernel: Array(weights[2...]))
        batch = image[0]
        channelsIn = weights[1]
        channelsOut = weights[0] / groups
    }

    var shape: [Int] { [batch, groups * channelsOut] + window.out }

    /// Refuses a bias that is not one number for each output channel.
    func check(bias: Tensor?) throws(GraphError) {
        guard let bias, bias.shape != [groups * channelsOut] else { return }
        throw .input("a bias \(bias.shape) does not fit \(groups * channelsOut) output channels")
    }

    /// The sums, `shape` long; `bias` is empty or one number for each output channel.
    func sums<Number: Numeric>(_ image: [Number], _ weights: [Number], bias: [Number]) throws(GraphError) -> [Number] {
        let count = try OperatorCall.elementCount(shape)
        var out: [Number] = []
        out.reserveCapacity(count)
        let (z, y, x) = (window.z, window.y, window.x)
        for plane in 0..<batch * groups * channelsOut {
            let channel = plane % (groups * channelsOut)
            let start = bias.isEmpty ? 0 : bias[channel]
            let firstIn = (plane / (groups * channelsOut) * groups + channel / channelsOut) * channelsIn
            for oz in 0..<z.out {
                for oy in 0..<y.out {
                    for ox in 0..<x.out {
                        var sum = start
                        for k in 0..<channelsIn {
                            let pixels = (firstIn + k) * z.size * y.size * x.size
                            let kernel = (channel * channelsIn + k) * z.kernel * y.kernel * x.kernel
                            sum += windowSum(image, pixels, weights, kernel, (oz, oy, ox))
                        }
                        out.append(sum)
                    }
                }
            }
        }
        return out
    }

    private func windowSum<Number: Numeric>(
        _ image: [Number],
        _ pixels: Int,
        _ weights: [Number],
        _ kernel: Int,
        _ place: (z: Int, y: Int, x: Int)
    ) -> Number {
        let (z, y, x) = (window.z, window.y, window.x)
        var sum: Number = 0
        for kz in z.taps(at: place.z) {
            for ky in y.taps(at: place.y) {
                let line = pixels + (z.pixel(place.z, kz) * y.size + y.pixel(place.y, ky)) * x.size
                let row = kernel + (kz * y.kernel + ky) * x.kernel
                for kx in x.taps(at: place.x) {
                    sum += image[line + x.pixel(place.x, kx)] * weights[row + kx]
                }
            }
        }
        return sum
    }
}
