/// Reads an image of up to three dimensions between its pixels.
struct GridReader {
    enum Padding: String {
        case zeros, border, reflection
    }

    private let sizes: [Int]
    private let mode: Sampling.Mode
    private let padding: Padding
    private let alignsCorners: Bool

    /// A pixel of the image, counted row by row, and how much of it is read.
    struct Tap {
        let pixel: Int
        let weight: Double
    }

    /// Linear, with zeros around the image.
    init(sizes: [Int]) {
        (self.sizes, mode, padding, alignsCorners) = (sizes, .linear, .zeros, true)
    }

    init(_ call: borrowing OperatorCall, sizes: [Int]) throws(GraphError) {
        let name = try call.string("mode", or: "linear")
        mode = try name == "bicubic" ? .cubic : Sampling.mode(name)
        let padding = try call.string("padding_mode", or: "zeros")
        guard let known = Padding(rawValue: padding) else {
            throw .invalid("padding_mode is \"\(padding)\", which the standard does not have")
        }
        self.padding = known
        alignsCorners = try call.integer("align_corners", or: 0) != 0
        self.sizes = sizes
    }

    /// The coordinate in pixels of one from -1 to 1, padded where it lies outside.
    func coordinate(_ normalised: Double, along axis: Int) -> Double {
        let size = Double(sizes[axis])
        let x = alignsCorners ? (normalised + 1) / 2 * (size - 1) : ((normalised + 1) * size - 1) / 2
        // As the standard's own implementation, which keeps coordinates in 32 bits.
        let single = Double(Float(x))
        let rounded = mode == .nearest ? single.rounded(.toNearestOrEven) : single
        let (first, last) = bounds(axis)
        guard rounded < first || rounded > last else { return rounded }
        switch padding {
        case .zeros: return rounded
        case .border: return min(max(rounded, 0), size - 1)
        case .reflection: return reflected(rounded, axis)
        }
    }

    /// Where the image ends: at the centres of its outer pixels, or at their edges.
    private func bounds(_ axis: Int) -> (Double, Double) {
        alignsCorners ? (0, Double(sizes[axis] - 1)) : (-0.5, Double(sizes[axis]) - 0.5)
    }

    private func reflected(_ x: Double, _ axis: Int) -> Double {
        let (first, last) = bounds(axis)
        let range = last - first
        guard range > 0, x.isFinite else { return first }
        let distance = x < first ? first - x : x - last
        guard distance > 0 else { return x }
        let turns = (distance / range).rounded(.towardZero)
        let rest = distance - turns * range
        let isBack = turns.truncatingRemainder(dividingBy: 2) == 0
        return (x < first) == isBack ? first + rest : last - rest
    }

    /// The pixels around a place, each inside the image.
    func taps(_ coordinates: [Double]) -> [Tap] {
        var taps = [Tap(pixel: 0, weight: 1)]
        for (axis, x) in coordinates.enumerated() {
            let here = self.taps(at: x, along: axis)
            taps = taps.flatMap { outer in
                here.map { Tap(pixel: outer.pixel * sizes[axis] + $0.pixel, weight: outer.weight * $0.weight) }
            }
        }
        return taps
    }

    private func taps(at x: Double, along axis: Int) -> [Tap] {
        // Far beyond the image there is nothing, or its edge; beyond 2³⁰ it does not matter where.
        guard x.isFinite else { return [] }
        let limit = Double(1 << 30)
        let place = min(max(x, -limit), limit)
        let floor = Int(place.rounded(.down))
        var weighting = Sampling()
        weighting.mode = mode
        let around: ClosedRange<Int> =
            switch mode {
            case .nearest: floor...floor
            case .linear: floor...floor + 1
            case .cubic: floor - 1...floor + 2
            }
        return around.compactMap { source in
            let weight = mode == .nearest ? 1 : weighting.weight(Double(source) - place)
            guard let pixel = padded(source, axis) else { return nil }
            return Tap(pixel: pixel, weight: weight)
        }
    }

    /// The pixel that stands for `index`; nil where zeros do.
    private func padded(_ index: Int, _ axis: Int) -> Int? {
        let last = sizes[axis] - 1
        switch padding {
        case .zeros: return (0...last).contains(index) ? index : nil
        case .border: return min(max(index, 0), last)
        case .reflection: return min(max(Int(reflected(Double(index), axis)), 0), last)
        }
    }
}
