import Foundation
import Kernels
import Testing

/// rows × inner · inner × columns.
struct ProductShape: Sendable, CustomTestStringConvertible {
    let rows: Int
    let inner: Int
    let columns: Int

    var testDescription: String { "\(rows) × \(inner) × \(columns)" }

    /// Every row count of a tile and its neighbours, odd inner sizes, columns around one and two panels.
    static let small: [ProductShape] =
        (1...14).map { ProductShape(rows: $0, inner: 2 * $0 - 1, columns: 3 * $0 - 2) }
        + [15, 16, 17, 31, 32, 33, 47, 48, 49].map { ProductShape(rows: 7, inner: 5, columns: $0) }

    /// Beyond the blocks of rows (240) and inner (384).
    static let large = [
        ProductShape(rows: 241, inner: 769, columns: 33),
        ProductShape(rows: 13, inner: 1536, columns: 40), ProductShape(rows: 1, inner: 384, columns: 200),
    ]
}

struct LinearTests {
    private func product(
        _ kernels: KernelSet,
        _ shape: ProductShape,
        activation: Activation = .none,
        hasBias: Bool = true
    ) throws -> (result: [Float], input: [Float], weight: [Float], bias: [Float]) {
        var generator = SeededGenerator(state: UInt64(shape.rows * 31 + shape.inner * 7 + shape.columns))
        let input = generator.floats(shape.rows * shape.inner)
        let weight = generator.floats(shape.inner * shape.columns)
        let bias = generator.floats(shape.columns)
        let panels = Panels.pack(weight, inner: shape.inner, columns: shape.columns, isColumnMajor: false)
        let (heldWeight, heldBias) = (try HeldWeight(panels), try HeldWeight(bias))
        let out = FloatBuffer.guarded(shape.rows * shape.columns)
        kernels.linear(
            .followedByNaN(input),
            rows: shape.rows,
            inner: shape.inner,
            weight: heldWeight.view,
            bias: hasBias ? heldBias.view : nil,
            columns: shape.columns,
            activation: activation,
            out: out
        )
        withExtendedLifetime((heldWeight, heldBias)) {}
        return (out.checked(shape.rows * shape.columns), input, weight, hasBias ? bias : bias.map { _ in 0 })
    }

    @Test(arguments: KernelSet.runnable, ProductShape.small)
    func `a product is what doubles say, to the last column`(_ kernels: KernelSet, _ shape: ProductShape) throws {
        for hasBias in [true, false] {
            let (result, input, weight, bias) = try product(kernels, shape, hasBias: hasBias)
            var expected: [Double] = []
            for row in 0..<shape.rows {
                for column in 0..<shape.columns {
                    expected.append(
                        (0..<shape.inner).reduce(Double(bias[column])) { sum, k in
                            let x = Double(input[row * shape.inner + k])
                            return sum + x * Double(weight[k * shape.columns + column])
                        }
                    )
                }
            }
            #expect(greatestDifference(result, expected) < 4e-6)
        }
    }

    @Test(arguments: KernelSet.runnable.dropFirst(), ProductShape.large)
    func `a product beyond one block is what the scalar variant says`(_ kernels: KernelSet, _ shape: ProductShape)
        throws
    {
        for activation in [Activation.none, .relu] {
            let expected = try product(KernelSet.runnable[0], shape, activation: activation).result
            #expect(expected.count == shape.rows * shape.columns)
            #expect(greatestDifference(try product(kernels, shape, activation: activation).result, expected) < 2e-4)
        }
    }

    @Test(arguments: KernelSet.runnable, Activation.allCases)
    func `the activation is applied to the finished sum`(_ kernels: KernelSet, _ activation: Activation) throws {
        // Two blocks of inner: an activation of each part would differ.
        let shape = ProductShape(rows: 14, inner: 400, columns: 35)
        let plain = FloatBuffer(try product(kernels, shape).result)
        kernels.activate(plain, activation, count: plain.count, out: plain)
        let expected = plain.read(plain.count)
        #expect(greatestDifference(try product(kernels, shape, activation: activation).result, expected) < 1e-6)
    }
}
