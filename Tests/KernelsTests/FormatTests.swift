import Foundation
import Kernels
import Testing

/// Products whose weights are bfloat16 or integers.
struct FormatTests {
    static let reduced: [WeightFormat] = [.bf16, .int8]
    /// Every row count of both tiles, odd inner sizes, columns around one, two and three panels; then beyond one block
    /// of rows, of either format.
    static let shapes =
        ProductShape.small
        + [
            ProductShape(rows: 20, inner: 1536, columns: 96), ProductShape(rows: 523, inner: 769, columns: 49),
            ProductShape(rows: 37, inner: 6001, columns: 17),
        ]

    private struct Product {
        var shape: ProductShape
        var input: [Float]
        var weight: [Float]
        var bias: [Float]

        init(_ shape: ProductShape, seed: UInt64) {
            var generator = SeededGenerator(state: seed)
            self.shape = shape
            input = generator.floats(shape.rows * shape.inner, in: -1...2)
            weight = generator.floats(shape.inner * shape.columns)
            bias = generator.floats(shape.columns)
        }

        func result(_ kernels: KernelSet, _ format: WeightFormat, _ activation: Activation = .none) throws -> [Float] {
            let (inner, columns) = (shape.inner, shape.columns)
            let panels = Panels.pack(weight, inner: inner, columns: columns, isColumnMajor: false, format: format)
            let (heldWeight, heldBias) = (try HeldWeight(bytes: panels), try HeldWeight(bias))
            let out = FloatBuffer.guarded(shape.rows * columns)
            kernels.linear(
                .followedByNaN(input),
                rows: shape.rows,
                inner: inner,
                weight: heldWeight.view,
                format: format,
                bias: heldBias.view,
                columns: columns,
                activation: activation,
                scratch: FloatBuffer(count: 0),
                out: out
            )
            withExtendedLifetime((heldWeight, heldBias)) {}
            return out.checked(shape.rows * columns)
        }
    }

    @Test(arguments: KernelSet.runnable.dropFirst(), reduced)
    func `every variant gives what the scalar one gives`(_ kernels: KernelSet, _ format: WeightFormat) throws {
        for (seed, shape) in Self.shapes.enumerated() {
            let product = Product(shape, seed: UInt64(seed))
            for activation in [Activation.none, .gelu] {
                let expected = try product.result(KernelSet.runnable[0], format, activation)
                let result = try product.result(kernels, format, activation)
                // Integers are summed exactly; sums of floats depend on their order.
                let bound = format == .int8 ? 2e-5 : 2e-6 * Double(shape.inner).squareRoot() * 4
                #expect(expected.count == shape.rows * shape.columns)
                #expect(greatestDifference(result, expected) < bound, "\(shape.testDescription), \(activation)")
            }
        }
    }

    @Test(arguments: reduced)
    func `the scalar variant is as near to doubles as the format allows`(_ format: WeightFormat) throws {
        for (seed, shape) in Self.shapes.enumerated() where shape.rows * shape.inner * shape.columns < 1 << 20 {
            let product = Product(shape, seed: UInt64(seed) + 100)
            let result = try product.result(KernelSet.runnable[0], format)
            // Half a unit of each factor: of a bfloat16 2⁻⁹ of it; of integers half of 2/254 and of 3/255, times the
            // other factor. Errors of many products grow as the root of their number, four times that is certain.
            let unit = format == .bf16 ? 2 * 2.0 / 512 : 1.0 / 254 * 2 + 1.5 / 255
            let bound = unit * Double(shape.inner).squareRoot() * 4
            for row in 0..<shape.rows {
                for column in 0..<shape.columns {
                    let expected = (0..<shape.inner).reduce(Double(product.bias[column])) { sum, k in
                        let x = Double(product.input[row * shape.inner + k])
                        return sum + x * Double(product.weight[k * shape.columns + column])
                    }
                    #expect(abs(Double(result[row * shape.columns + column]) - expected) < bound)
                }
            }
        }
    }

    @Test(arguments: KernelSet.runnable, reduced)
    func `numbers that the format holds are multiplied exactly`(_ kernels: KernelSet, _ format: WeightFormat) throws {
        var product = Product(ProductShape(rows: 19, inner: 67, columns: 50), seed: 5)
        for i in product.input.indices { product.input[i] = Float(i % 11) - 5 }
        for i in product.weight.indices { product.weight[i] = Float(i % 7) - 3 }
        for i in product.bias.indices { product.bias[i] = 0 }
        // The ends of the ranges make both scales one.
        for row in 0..<19 { product.input.replaceSubrange(row * 67..<row * 67 + 2, with: [-100, 155]) }
        for column in 0..<50 { product.weight[5 * 50 + column] = 127 }
        let result = try product.result(kernels, format)
        for row in 0..<19 {
            for column in 0..<50 {
                let expected = (0..<67).reduce(Float(0)) {
                    $0 + product.input[row * 67 + $1] * product.weight[$1 * 50 + column]
                }
                #expect(abs(result[row * 50 + column] - expected) < 0.01)
            }
        }
    }

    @Test(arguments: KernelSet.runnable, reduced)
    func `rows of zeros, of tiny and of huge numbers give numbers`(_ kernels: KernelSet, _ format: WeightFormat) throws
    {
        var product = Product(ProductShape(rows: 4, inner: 33, columns: 18), seed: 6)
        let values: [Float] = [0, Float(bitPattern: 1000), 1e30, -1e30]
        for (row, value) in values.enumerated() {
            for k in 0..<33 { product.input[row * 33 + k] = value }
        }
        let result = try product.result(kernels, format)
        #expect(result.count == 4 * 18 && result.allSatisfy(\.isFinite))
        #expect(greatestDifference(Array(result[..<18]), product.bias) < 1e-6)
        #expect(greatestDifference(Array(result[18..<36]), product.bias) < 1e-6)
    }

    @Test func `a weight that is not a number says so in every result of its column`() throws {
        var product = Product(ProductShape(rows: 2, inner: 5, columns: 18), seed: 7)
        product.weight[2 * 18 + 3] = .nan
        for kernels in KernelSet.runnable {
            for format in Self.reduced {
                let result = try product.result(kernels, format)
                #expect(result.count == 36)
                for (index, value) in result.enumerated() { #expect(value.isNaN == (index % 18 == 3)) }
            }
        }
    }
}
