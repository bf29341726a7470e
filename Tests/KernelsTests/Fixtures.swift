import Kernels

/// SplitMix64: the same numbers in every run.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func floats(_ count: Int, in range: ClosedRange<Float> = -1...1) -> [Float] {
        (0..<count).map { _ in Float.random(in: range, using: &self) }
    }
}

/// A weight and the memory that it views.
final class HeldWeight {
    private let memory: UnsafeMutableBufferPointer<Float>
    let view: WeightView

    init(_ floats: [Float]) throws {
        memory = .allocate(capacity: floats.count)
        _ = memory.initialize(from: floats)
        guard let view = WeightView(unsafe: UnsafeRawBufferPointer(memory)) else { throw Unusable() }
        self.view = view
    }

    /// Panels of any format.
    convenience init(bytes: [UInt8]) throws {
        try self.init(
            stride(from: 0, to: bytes.count, by: 4).map { place in
                Float(bitPattern: (0..<4).reduce(0) { $0 | UInt32(bytes[place + $1]) << ($1 * 8) })
            }
        )
    }

    deinit {
        memory.deallocate()
    }

    struct Unusable: Error {}
}

/// Stands after the end of a result: a kernel that writes too far is caught.
let canary: Float = 12345

extension FloatBuffer {
    /// A result of `count` floats and a canary behind it.
    static func guarded(_ count: Int) -> FloatBuffer {
        FloatBuffer([Float](repeating: canary, count: count + 32))
    }

    /// The result, empty where the canary is gone.
    func checked(_ count: Int) -> [Float] {
        let all = read(count + 32)
        return all[count...].allSatisfy { $0 == canary } ? Array(all[..<count]) : []
    }

    /// Floats with NaN behind them: a kernel that reads too far and uses it is caught.
    static func followedByNaN(_ floats: [Float]) -> FloatBuffer {
        FloatBuffer(floats + [Float](repeating: .nan, count: 32))
    }
}

/// The greatest |difference|; infinite where counts differ or a value is NaN.
func greatestDifference(_ result: [Float], _ expected: [Double]) -> Double {
    guard result.count == expected.count else { return .infinity }
    return zip(result, expected).reduce(0) { greatest, pair in
        let difference = abs(Double(pair.0) - pair.1)
        return difference.isNaN ? .infinity : max(greatest, difference)
    }
}

func greatestDifference(_ result: [Float], _ expected: [Float]) -> Double {
    greatestDifference(result, expected.map(Double.init))
}
