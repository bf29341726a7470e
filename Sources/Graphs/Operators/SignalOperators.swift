import Kernels

/// Windows, Fourier transforms and the mel scale.
enum SignalOperators {
    static let operators: [Operator] = [
        Operator("HannWindow") { (call) throws(GraphError) in try window(call, [0.5, -0.5]) },
        Operator("HammingWindow") { (call) throws(GraphError) in try window(call, [25.0 / 46, -21.0 / 46]) },
        Operator("BlackmanWindow") { (call) throws(GraphError) in try window(call, [0.42, -0.5, 0.08]) },
        Operator("MelWeightMatrix", melWeights),
        Operator("DFT", dft),
        Operator("STFT", stft),
    ]

    /// A sum of cosines over one period.
    private static func window(
        _ call: borrowing OperatorCall,
        _ coefficients: [Double]
    ) throws(GraphError) -> [GraphValue] {
        guard let size = try call.integers(0)?.first else { throw .invalid("the size is missing") }
        _ = try OperatorCall.elementCount([size])
        let isPeriodic = try call.integer("periodic", or: 1) != 0
        let period = Double(max(isPeriodic ? size : size - 1, 1))
        let values = (0..<size).map { place in
            coefficients.enumerated().reduce(0) { sum, term in
                sum + term.element * Libm.cos(2 * .pi * Double(term.offset * place) / period)
            }
        }
        let element = try CastOperators.element(call.integer("output_datatype", or: 1))
        return try [.tensor(call.make(element, [size], doubles: values))]
    }

    private static func melWeights(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        var numbers: [Double] = []
        for index in 0..<5 {
            guard let number = try call.tensor(index).doubles().first else { throw .input("input \(index) is empty") }
            numbers.append(number)
        }
        let (bins, length, rate) = (Int(exactly: numbers[0]), Int(exactly: numbers[1]), numbers[2])
        guard let bins, let length, bins >= 0, length >= 0, rate > 0, numbers[3] >= 0, numbers[4] >= numbers[3],
            numbers[4] <= rate
        else { throw .input("no mel matrix has \(numbers[0]) bins of a transform of \(numbers[1])") }
        let spectrum = length / 2 + 1
        let count = try OperatorCall.elementCount([spectrum, bins])
        let mel = { (hertz: Double) in 2595 * Libm.log(1 + hertz / 700) / Libm.log(10) }
        let (low, high) = (mel(numbers[3]), mel(numbers[4]))
        let edges = (0..<bins + 2).map { index in
            let value = Double(index) * (high - low) / Double(bins + 2) + low
            let hertz = 700 * (Libm.pow(10, value / 2595) - 1)
            return min(Int((Double(length + 1) * hertz / rate).rounded(.down)), spectrum - 1)
        }
        var matrix = [Double](repeating: 0, count: count)
        for bin in 0..<bins {
            let (lower, centre, upper) = (edges[bin], edges[bin + 1], edges[bin + 2])
            if centre == lower {
                matrix[centre * bins + bin] = 1
            } else {
                for row in lower...centre {
                    matrix[row * bins + bin] = Double(row - lower) / Double(centre - lower)
                }
            }
            for row in centre..<max(upper, centre) {
                matrix[row * bins + bin] = Double(upper - row) / Double(upper - centre)
            }
        }
        let element = try CastOperators.element(call.integer("output_datatype", or: 1))
        return try [.tensor(call.make(element, [spectrum, bins], doubles: matrix))]
    }

    private static func dft(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        let given = try call.version < 20 ? call.integer("axis", or: 1) : call.integers(2)?.first ?? -2
        let axis = try Axes.resolve(given, rank: tensor.rank)
        guard tensor.rank >= 2, axis < tensor.rank - 1, [1, 2].contains(tensor.shape[tensor.rank - 1]) else {
            throw .input("\(tensor.shape) is no signal along axis \(axis) with one or two numbers a sample")
        }
        let isInverse = try call.integer("inverse", or: 0) != 0
        let isOneSided = try call.integer("onesided", or: 0) != 0
        let isComplex = tensor.shape[tensor.rank - 1] == 2
        let size = tensor.shape[axis]
        let mirrored = isInverse && isOneSided
        let length = try call.integers(1)?.first ?? (mirrored ? 2 * (size - 1) : size)
        guard length > 0, length <= TensorLimits.elementsMax else { throw .input("a transform of \(length) samples") }
        // Each signal is a row of samples.
        let order = tensor.shape.indices.filter { $0 != axis && $0 != tensor.rank - 1 } + [axis, tensor.rank - 1]
        let values = try call.transposed(tensor, order).doubles()
        let rows = values.count / max(size * (isComplex ? 2 : 1), 1)
        let kept = isOneSided && !isInverse ? length / 2 + 1 : length
        let width = mirrored ? 1 : 2
        var shape = order.dropLast(2).map { tensor.shape[$0] } + [kept, width]
        var result = [Double](repeating: 0, count: try OperatorCall.elementCount(shape))
        for row in 0..<rows {
            var signal = Complex(count: length)
            let step = isComplex ? 2 : 1
            for place in 0..<min(size, length) {
                signal.real[place] = values[(row * size + place) * step]
                if isComplex { signal.imaginary[place] = values[(row * size + place) * step + 1] }
            }
            if mirrored {
                for place in size..<max(length, size) where length - place < size {
                    signal.real[place] = signal.real[length - place]
                    signal.imaginary[place] = -signal.imaginary[length - place]
                }
            }
            let spectrum = signal.transformed(isInverse: isInverse)
            for place in 0..<kept {
                result[(row * kept + place) * width] = spectrum.real[place]
                if width == 2 { result[(row * kept + place) * width + 1] = spectrum.imaginary[place] }
            }
        }
        let back = tensor.shape.indices.map { order.firstIndex(of: $0) ?? 0 }
        let moved = try call.make(tensor.element, shape, doubles: result)
        shape = moved.shape
        return try [.tensor(call.transposed(moved, back))]
    }

    private static func stft(_ call: borrowing OperatorCall) throws(GraphError) -> [GraphValue] {
        let tensor = try call.tensor(0)
        guard tensor.rank == 3 || tensor.rank == 2, let step = try call.integers(1)?.first, step > 0 else {
            throw .input("\(tensor.shape) is no batch of signals, or the step is not possible")
        }
        let (batches, size) = (tensor.shape[0], tensor.shape[1])
        let width = tensor.rank == 3 ? tensor.shape[2] : 1
        let window = try call.optionalTensor(2)?.doubles()
        let length = try call.integers(3)?.first ?? window?.count ?? size
        guard length > 0, length <= size, window?.count ?? length == length, [1, 2].contains(width) else {
            throw .input("frames of \(length) samples do not fit signals of \(size)")
        }
        let kept = try call.integer("onesided", or: 1) != 0 ? length / 2 + 1 : length
        let frames = 1 + (size - length) / step
        let values = try tensor.doubles()
        let shape = [batches, frames, kept, 2]
        var result = [Double](repeating: 0, count: try OperatorCall.elementCount(shape))
        for batch in 0..<batches {
            for frame in 0..<frames {
                var signal = Complex(count: length)
                for place in 0..<length {
                    let source = (batch * size + frame * step + place) * width
                    let weight = window?[place] ?? 1
                    signal.real[place] = values[source] * weight
                    if width == 2 { signal.imaginary[place] = values[source + 1] * weight }
                }
                let spectrum = signal.transformed(isInverse: false)
                for place in 0..<kept {
                    let target = ((batch * frames + frame) * kept + place) * 2
                    (result[target], result[target + 1]) = (spectrum.real[place], spectrum.imaginary[place])
                }
            }
        }
        return try [.tensor(call.make(tensor.element, shape, doubles: result))]
    }
}

/// A signal of complex numbers.
private struct Complex {
    var real: [Double]
    var imaginary: [Double]

    init(count: Int) {
        real = [Double](repeating: 0, count: count)
        imaginary = real
    }

    /// The discrete Fourier transform; lengths halve while they are even, and the rest is summed as it stands.
    func transformed(isInverse: Bool) -> Complex {
        var result = halved(sign: isInverse ? 1 : -1)
        guard isInverse else { return result }
        let count = Double(real.count)
        for place in real.indices {
            result.real[place] /= count
            result.imaginary[place] /= count
        }
        return result
    }

    private func halved(sign: Double) -> Complex {
        let count = real.count
        guard count > 1, count % 2 == 0 else { return summed(sign: sign) }
        let half = count / 2
        var (even, odd) = (Complex(count: half), Complex(count: half))
        for place in 0..<half {
            (even.real[place], even.imaginary[place]) = (real[2 * place], imaginary[2 * place])
            (odd.real[place], odd.imaginary[place]) = (real[2 * place + 1], imaginary[2 * place + 1])
        }
        (even, odd) = (even.halved(sign: sign), odd.halved(sign: sign))
        var result = Complex(count: count)
        for place in 0..<half {
            let angle = sign * 2 * .pi * Double(place) / Double(count)
            let (cosine, sine) = (Libm.cos(angle), Libm.sin(angle))
            let real = odd.real[place] * cosine - odd.imaginary[place] * sine
            let imaginary = odd.real[place] * sine + odd.imaginary[place] * cosine
            (result.real[place], result.real[place + half]) = (even.real[place] + real, even.real[place] - real)
            result.imaginary[place] = even.imaginary[place] + imaginary
            result.imaginary[place + half] = even.imaginary[place] - imaginary
        }
        return result
    }

    private func summed(sign: Double) -> Complex {
        let count = real.count
        let angles = (0..<count).map { sign * 2 * .pi * Double($0) / Double(max(count, 1)) }
        let (cosines, sines) = (angles.map(Libm.cos), angles.map(Libm.sin))
        var result = Complex(count: count)
        for place in 0..<count {
            for source in 0..<count {
                let turn = place * source % count
                result.real[place] += real[source] * cosines[turn] - imaginary[source] * sines[turn]
                result.imaginary[place] += real[source] * sines[turn] + imaginary[source] * cosines[turn]
            }
        }
        return result
    }
}
