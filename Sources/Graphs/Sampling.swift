/// How `Resize` finds the elements of the input that an element of the output is made of.
struct Sampling {
    enum Mode {
        case nearest, linear, cubic
    }

    /// From an index of the output to a coordinate of the input.
    enum Coordinates: String {
        case halfPixel = "half_pixel"
        case halfPixelSymmetric = "half_pixel_symmetric"
        case pytorchHalfPixel = "pytorch_half_pixel"
        case alignCorners = "align_corners"
        case asymmetric
        case crop = "tf_crop_and_resize"
        /// Of operator sets 11 and 12: as ``halfPixel``, without half of it where nothing is interpolated.
        case tfHalfPixelForNearest = "tf_half_pixel_for_nn"
    }

    enum Rounding: String {
        case preferFloor = "round_prefer_floor"
        case preferCeil = "round_prefer_ceil"
        case floor
        case ceil
    }

    var mode = Mode.nearest
    var coordinates = Coordinates.halfPixel
    var rounding = Rounding.preferFloor
    var cubicA = -0.75
    /// Elements beyond the tensor weigh nothing; else those at its edge are repeated.
    var excludesOutside = false
    var extrapolation: Float = 0
    /// Weights reach as far as the output's elements lie apart.
    var antialiases = false

    init() {}

    init(_ call: borrowing OperatorCall) throws(GraphError) {
        mode = try Self.mode(call.string("mode", or: "nearest"))
        let name = try call.string("coordinate_transformation_mode", or: "half_pixel")
        guard let coordinates = Coordinates(rawValue: name) else {
            throw .invalid("coordinate_transformation_mode is \"\(name)\", which the standard does not have")
        }
        self.coordinates = coordinates
        let rounding = try call.string("nearest_mode", or: "round_prefer_floor")
        guard let known = Rounding(rawValue: rounding) else {
            throw .invalid("nearest_mode is \"\(rounding)\", which the standard does not have")
        }
        self.rounding = known
        cubicA = Double(try call.float("cubic_coeff_a", or: -0.75))
        excludesOutside = try call.integer("exclude_outside", or: 0) != 0
        extrapolation = try call.float("extrapolation_value", or: 0)
        antialiases = try call.integer("antialias", or: 0) != 0
    }

    static func mode(_ name: String) throws(GraphError) -> Mode {
        switch name {
        case "nearest": .nearest
        case "linear", "bilinear": .linear
        case "cubic": .cubic
        default: throw .invalid("the mode \"\(name)\" is not one of nearest, linear and cubic")
        }
    }

    /// The weight of an element at a distance, for scales of 1 and more.
    func weight(_ distance: Double) -> Double {
        let x = abs(distance)
        switch mode {
        case .nearest: return x < 0.5 ? 1 : 0
        case .linear: return max(0, 1 - x)
        case .cubic:
            if x <= 1 { return ((cubicA + 2) * x - (cubicA + 3)) * x * x + 1 }
            return x < 2 ? ((cubicA * x - 5 * cubicA) * x + 8 * cubicA) * x - 4 * cubicA : 0
        }
    }

    /// Elements on each side that may weigh something.
    var reach: Double { mode == .cubic ? 2 : 1 }
}

/// One axis of a tensor that gets another size.
struct SampledAxis {
    let size: Int
    let out: Int
    let scale: Double
    /// Which part of the axis is taken, in parts of its length.
    let roi: (Double, Double)

    /// The elements that one of the output is made of.
    struct Taps {
        var sources: [Int] = []
        var weights: [Double] = []
        /// Beyond the part that a crop may read.
        var isOutside = false
    }

    /// Whether the axis stays as it is.
    func isWhole(_ sampling: Sampling) -> Bool {
        size == out && scale == 1 && (sampling.coordinates != .crop || (roi.0 == 0 && roi.1 == 1))
    }

    /// Where the element `index` of the output lies.
    func coordinate(_ index: Int, _ sampling: Sampling) -> Double {
        let (x, last, length) = (Double(index), Double(size - 1), scale * Double(size))
        switch sampling.coordinates {
        case .alignCorners: return length == 1 ? 0 : x * last / (length - 1)
        case .asymmetric: return x / scale
        case .crop:
            let part = roi.1 - roi.0
            return roi.0 * last + (length == 1 ? part * last / 2 : x * part * last / (length - 1))
        case .pytorchHalfPixel: return length == 1 ? -0.5 : (x + 0.5) / scale - 0.5
        case .halfPixel: return (x + 0.5) / scale - 0.5
        case .halfPixelSymmetric:
            let offset = Double(size) / 2 * (1 - Double(out) / length)
            return offset + (x + 0.5) / scale - 0.5
        case .tfHalfPixelForNearest: return (x + 0.5) / scale
        }
    }

    /// A coordinate as an index; whatever is no index of the axis becomes its nearest end.
    private func clamped(_ coordinate: Double) -> Int {
        coordinate.isNaN ? 0 : Int(min(max(coordinate, 0), Double(size - 1)))
    }

    func nearest(_ index: Int, _ sampling: Sampling) -> Int {
        let x = coordinate(index, sampling)
        return switch sampling.rounding {
        case .preferFloor: clamped((x - 0.5).rounded(.up))
        case .preferCeil: clamped((x + 0.5).rounded(.down))
        case .floor: clamped(x.rounded(.down))
        case .ceil: clamped(x.rounded(.up))
        }
    }

    func taps(_ index: Int, _ sampling: Sampling) -> Taps {
        let x = coordinate(index, sampling)
        var taps = Taps()
        taps.isOutside = sampling.coordinates == .crop && !(x >= 0 && x <= Double(size - 1))
        guard !taps.isOutside, x.isFinite, sampling.mode != .nearest else {
            taps.sources = [nearest(index, sampling)]
            taps.weights = [1]
            return taps
        }
        let stretch = sampling.antialiases ? min(scale, 1) : 1
        let reach = min(sampling.reach / stretch, Double(1 << 30))
        // Far from the axis all taps are its end.
        let centre = min(max(x, -reach - 1), Double(size) + reach)
        let first = Int((centre - reach).rounded(.down)) + 1
        let last = max(first, Int((centre + reach).rounded(.up)) - 1)
        for source in first...last {
            let weight = sampling.weight((Double(source) - centre) * stretch)
            let isInside = (0..<size).contains(source)
            guard weight != 0, isInside || !sampling.excludesOutside else { continue }
            taps.sources.append(clamped(Double(source)))
            taps.weights.append(weight)
        }
        let sum = taps.weights.reduce(0, +)
        if sampling.antialiases || sampling.excludesOutside, sum != 0 {
            taps.weights = taps.weights.map { $0 / sum }
        }
        return taps
    }
}
