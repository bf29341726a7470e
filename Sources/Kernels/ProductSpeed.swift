import CKernels

/// How fast a matrix product runs, beside the most that the same core can do, both measured in turns.
///
/// The peak moves with the clock of a shared machine, so a figure without the peak of its own run says little.
package struct ProductSpeed: Sendable {
    /// Operations a second of the product, in billions, a multiplication and an addition being two: the best of all
    /// rounds.
    package let gigaflops: Double
    /// The same of multiplications and additions in registers only: the best of all rounds.
    package let peakGigaflops: Double

    /// Measures `rounds` products of [rows, inner] · [inner, columns] with bias, each beside a round of the peak of its
    /// format.
    package static func measure(
        _ kernels: KernelSet,
        format: WeightFormat = .f32,
        rows: Int,
        inner: Int,
        columns: Int,
        rounds: Int = 20
    ) -> ProductSpeed {
        let input = FloatBuffer((0..<rows * inner).map { Float($0 % 7) - 3 })
        let numbers = (0..<inner * columns).map { Float($0 % 5) - 2 }
        let panels = Panels.pack(numbers, inner: inner, columns: columns, isColumnMajor: false, format: format)
        let weight = FloatBuffer(count: panels.count / MemoryLayout<Float>.size)
        weight.write(bytes: panels)
        let bias = FloatBuffer([Float](repeating: 1, count: columns))
        // Both buffers live to the end of this function, and nothing writes them.
        defer { withExtendedLifetime((weight, bias)) {} }
        let (weightView, biasView) = unsafe (WeightView(constant: weight), WeightView(constant: bias))
        let out = FloatBuffer(count: rows * columns)
        let scratch = FloatBuffer(count: kernels.productScratchCount(rows: rows, inner: inner))
        let flopsPerProduct = 2 * Double(rows) * Double(inner) * Double(columns)
        // A round of about the product's length, so that both see the same clock: a loop does some 1,000 operations.
        let iterations = max(Int64(flopsPerProduct / 1000) >> Int64(format.rawValue), 1000)
        var speed = (product: 0.0, peak: 0.0)
        for _ in 0..<rounds {
            let product = Self.flopsPerNanosecond {
                kernels.linear(
                    input,
                    rows: rows,
                    inner: inner,
                    weight: weightView,
                    format: format,
                    bias: biasView,
                    columns: columns,
                    activation: .none,
                    scratch: scratch,
                    out: out
                )
                return flopsPerProduct
            }
            let peak = Self.flopsPerNanosecond {
                unsafe Double(kernels.table.pointee.fma_loop(format.rawValue, iterations))
            }
            speed = (max(speed.product, product), max(speed.peak, peak))
        }
        return ProductSpeed(gigaflops: speed.product, peakGigaflops: speed.peak)
    }

    private static func flopsPerNanosecond(_ work: () -> Double) -> Double {
        var flops = 0.0
        let elapsed = ContinuousClock().measure { flops = work() }
        let nanoseconds = Double(elapsed.components.seconds) * 1e9 + Double(elapsed.components.attoseconds) / 1e9
        return flops / max(nanoseconds, 1)
    }
}
