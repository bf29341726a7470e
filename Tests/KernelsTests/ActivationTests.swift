import Foundation
import Kernels
import Testing

struct ActivationTests {
    /// Floats of both signs from 2⁻³⁰ to 128, evenly over their bit patterns, and an odd count of them.
    private static let samples: [Float] =
        stride(from: Float(0x1p-30).bitPattern, to: Float(128).bitPattern, by: 30_011)
        .flatMap { [Float(bitPattern: $0), -Float(bitPattern: $0)] } + [0]

    private func activated(_ kernels: KernelSet, _ activation: Activation, _ input: [Float]) -> [Float] {
        let out = FloatBuffer.guarded(input.count)
        kernels.activate(.followedByNaN(input), activation, count: input.count, out: out)
        return out.checked(input.count)
    }

    /// Greatest error in units of the last place of the true value.
    private func greatestError(_ result: [Float], _ truth: (Double) -> Double) -> Double {
        guard result.count == Self.samples.count else { return .infinity }
        return zip(Self.samples, result).reduce(0) { greatest, pair in
            let expected = truth(Double(pair.0))
            return max(
                greatest,
                abs(Double(pair.1) - expected) / Double(max(Float(expected).ulp, .leastNormalMagnitude))
            )
        }
    }

    @Test(arguments: KernelSet.runnable)
    func `tanh and the logistic function are right to the last places`(_ kernels: KernelSet) {
        #expect(greatestError(activated(kernels, .tanh, Self.samples)) { tanh($0) } < 2)
        // Down to results around 2⁻¹²⁶; below, results are subnormal and have no places.
        #expect(greatestError(activated(kernels, .sigmoid, Self.samples)) { 1 / (1 + exp(-$0)) } < 4)
    }

    @Test(arguments: KernelSet.runnable)
    func `gelu uses the exact error function`(_ kernels: KernelSet) {
        let result = activated(kernels, .gelu, Self.samples)
        #expect(result.count == Self.samples.count)
        for (x, y) in zip(Self.samples, result) {
            let expected = 0.5 * Double(x) * erfc(-Double(x) / 2.0.squareRoot())
            // For negative x, ½ and the rest cancel: an error of half a place of 1 is unavoidable in this form, as in torch;
            // the polynomial adds a quarter.
            #expect(abs(Double(y) - expected) <= 1.5e-7 * Double(abs(x)), "gelu(\(x)) = \(y), expected \(expected)")
        }
    }

    @Test(arguments: KernelSet.runnable)
    func `relu keeps what is positive, none keeps everything`(_ kernels: KernelSet) {
        #expect(activated(kernels, .relu, Self.samples) == Self.samples.map { max($0, 0) })
        #expect(activated(kernels, .none, Self.samples) == Self.samples)
    }

    @Test(arguments: KernelSet.runnable)
    func `extremes saturate and NaN stays NaN`(_ kernels: KernelSet) {
        // The whole register and the tail: 17 of each.
        for x in [Float.infinity, -.infinity, .greatestFiniteMagnitude, -.greatestFiniteMagnitude] {
            let many = [Float](repeating: x, count: 17)
            #expect(activated(kernels, .tanh, many) == many.map { $0 > 0 ? 1 : -1 })
            #expect(activated(kernels, .sigmoid, many) == many.map { $0 > 0 ? 1 : 0 })
        }
        for activation in Activation.allCases {
            #expect(activated(kernels, activation, [Float](repeating: .nan, count: 17)).allSatisfy { $0.isNaN })
        }
    }
}
