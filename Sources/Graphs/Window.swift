import Kernels

/// One direction of what a window slides over: what ``ConvolutionShape`` calls an axis, and the pads behind it.
struct WindowAxis {
    var size: Int
    var kernel: Int
    var stride: Int
    var dilation: Int
    /// Pads before the first pixel and behind the last.
    var pads: (Int, Int)
    /// Places that the window takes.
    var out: Int

    static let single = WindowAxis(size: 1, kernel: 1, stride: 1, dilation: 1, pads: (0, 0), out: 1)

    /// Pixels from the window's first tap to its last.
    var reach: Int { (kernel - 1) * dilation + 1 }

    /// The taps of the window at `place` that lie among the pixels.
    func taps(at place: Int) -> Range<Int> {
        let start = place * stride - pads.0
        let first = start < 0 ? min(kernel, (dilation - 1 - start) / dilation) : 0
        let last = start >= size ? 0 : min(kernel, (size - 1 - start) / dilation + 1)
        return first..<max(first, last)
    }

    /// The pixel that `tap` sees from `place`.
    func pixel(_ place: Int, _ tap: Int) -> Int { place * stride + tap * dilation - pads.0 }

    var kernelAxis: ConvolutionShape.Axis {
        .init(size: size, kernel: kernel, stride: stride, dilation: dilation, pad: pads.0, out: out)
    }
}

/// The window of a convolution or pool over an image of up to three dimensions: plain bodies see z, y and x always.
struct Window {
    /// As the node has them: as many as the image has dimensions.
    let axes: [WindowAxis]

    /// More pixels, taps or steps than this in one direction are refused: products of a few stay within 64 bits.
    private static let sizeMax = 1 << 20

    /// - Parameters:
    ///   - spatial: sizes of the image, without batch and channels.
    ///   - kernel: of the weights, where there are any; else the node's own setting says it.
    ///   - roundsUp: what a pool's `ceil_mode` asks for.
    init(
        _ call: borrowing OperatorCall,
        spatial: [Int],
        kernel: [Int]? = nil,
        roundsUp: Bool = false
    ) throws(GraphError) {
        let settings = try WindowSettings(call, rank: spatial.count, kernel: kernel)
        var axes: [WindowAxis] = []
        for index in spatial.indices {
            var axis = settings.axis(index, size: spatial[index])
            try Self.place(&axis, settings.padding, roundsUp: roundsUp)
            guard axis.out >= 1 else {
                throw .input("an image of \(spatial) is smaller than the window \(settings.kernel) with its pads")
            }
            guard max(axis.size, axis.out, axis.pads.0, axis.pads.1) <= Self.sizeMax else {
                throw .input("an image of \(spatial) is larger than \(Self.sizeMax) in one direction")
            }
            axes.append(axis)
        }
        self.axes = axes
    }

    init(_ axes: [WindowAxis]) {
        self.axes = axes
    }

    private static func place(_ axis: inout WindowAxis, _ padding: WindowSettings.Padding, roundsUp: Bool)
        throws(GraphError)
    {
        switch padding {
        case .given:
            let room = axis.size + axis.pads.0 + axis.pads.1 - axis.reach
            guard room >= 0 else {
                axis.out = 0
                return
            }
            axis.out = (room + (roundsUp ? axis.stride - 1 : 0)) / axis.stride + 1
            // The last window begins in the image or in the pads before it.
            if roundsUp, (axis.out - 1) * axis.stride >= axis.size + axis.pads.0 { axis.out -= 1 }
        case .valid:
            axis.pads = (0, 0)
            axis.out = axis.size < axis.reach ? 0 : (axis.size - axis.reach) / axis.stride + 1
        case .sameUpper, .sameLower:
            axis.out = (axis.size + axis.stride - 1) / axis.stride
            let total = max(0, (axis.out - 1) * axis.stride + axis.reach - axis.size)
            axis.pads = padding == .sameUpper ? (total / 2, total - total / 2) : (total - total / 2, total / 2)
        }
    }

    var out: [Int] { axes.map(\.out) }

    /// z, y and x; directions that the image does not have hold one pixel.
    var z: WindowAxis { axes.count > 2 ? axes[axes.count - 3] : .single }
    var y: WindowAxis { axes.count > 1 ? axes[axes.count - 2] : .single }
    var x: WindowAxis { axes.last ?? .single }
}

/// What a node says about its window, before an image is there.
struct WindowSettings {
    enum Padding: String {
        case given = "NOTSET"
        case sameUpper = "SAME_UPPER"
        case sameLower = "SAME_LOWER"
        case valid = "VALID"
    }

    let kernel: [Int]
    let strides: [Int]
    let dilations: [Int]
    /// All before, then all behind.
    let pads: [Int]
    let padding: Padding

    init(_ call: borrowing OperatorCall, rank: Int, kernel: [Int]? = nil) throws(GraphError) {
        guard (1...3).contains(rank) else {
            throw .unsupported("windows slide over 1, 2 or 3 dimensions, not over \(rank)")
        }
        guard let kernel = try call.integers("kernel_shape") ?? kernel else {
            throw .invalid("the attribute kernel_shape is missing")
        }
        self.kernel = kernel
        strides = try call.integers("strides") ?? [Int](repeating: 1, count: rank)
        dilations = try call.integers("dilations") ?? [Int](repeating: 1, count: rank)
        pads = try call.integers("pads") ?? [Int](repeating: 0, count: 2 * rank)
        let name = try call.string("auto_pad", or: "NOTSET")
        guard let padding = Padding(rawValue: name.isEmpty ? "NOTSET" : name) else {
            throw .invalid("auto_pad is \"\(name)\", which the standard does not have")
        }
        self.padding = padding
        guard [kernel, strides, dilations].allSatisfy({ $0.count == rank }), pads.count == 2 * rank else {
            throw .invalid(
                "kernel_shape \(kernel), strides \(strides), dilations \(dilations) and pads \(pads) do not fit \(rank) "
                    + "dimensions"
            )
        }
        let limit = 1 << 20
        let isSane = [kernel, strides, dilations].joined().allSatisfy { (1...limit).contains($0) }
        guard isSane, pads.allSatisfy({ (0...limit).contains($0) }) else {
            throw .unsupported(
                "kernel_shape \(kernel), strides \(strides) and dilations \(dilations) begin at 1, pads \(pads) at 0, "
                    + "and all end at \(limit)"
            )
        }
    }

    func axis(_ index: Int, size: Int) -> WindowAxis {
        WindowAxis(
            size: size,
            kernel: kernel[index],
            stride: strides[index],
            dilation: dilations[index],
            pads: (pads[index], pads[kernel.count + index]),
            out: 0
        )
    }
}

// The windows of an image, one after the other; images lie as `[plane][z][y][x]`.
extension Window {
    /// Pixels of one plane.
    var pixelCount: Int { z.size * y.size * x.size }

    /// Places of one plane.
    var placeCount: Int { z.out * y.out * x.out }

    /// Calls `body` for each place of `planes` planes, in order, with the plane's first pixel.
    func forEachPlace(planes: Int, _ body: (_ firstPixel: Int, _ place: WindowPlace) -> Void) {
        for plane in 0..<planes {
            for oz in 0..<z.out {
                for oy in 0..<y.out {
                    for ox in 0..<x.out {
                        body(plane * pixelCount, WindowPlace(z: oz, y: oy, x: ox))
                    }
                }
            }
        }
    }

    /// Calls `body` with each pixel that the window sees from `place`, in a plane of `pixelCount`.
    func forEachPixel(of place: WindowPlace, _ body: (_ pixel: Int) -> Void) {
        for kz in z.taps(at: place.z) {
            for ky in y.taps(at: place.y) {
                let line = (z.pixel(place.z, kz) * y.size + y.pixel(place.y, ky)) * x.size
                for kx in x.taps(at: place.x) {
                    body(line + x.pixel(place.x, kx))
                }
            }
        }
    }
}

/// Where a window stands.
struct WindowPlace {
    let z: Int
    let y: Int
    let x: Int
}
