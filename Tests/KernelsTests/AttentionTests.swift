import Foundation
import Kernels
import Testing

struct AttentionTests {
    private func attended(
        _ kernels: KernelSet,
        _ fused: [Float],
        _ lengths: [Int],
        heads: Int,
        width: Int,
        places: WeightView? = nil,
        isRounded: Bool = false
    ) -> [Float] {
        let count = fused.count / 3
        let out = FloatBuffer.guarded(count)
        kernels.attention(
            .followedByNaN(fused),
            sequenceLengths: lengths,
            heads: heads,
            width: width,
            places: places,
            isRounded: isRounded,
            scratch: FloatBuffer(count: 0),
            out: out
        )
        return out.checked(count)
    }

    /// softmax(q kᵀ / √width + p) v, naive and in doubles; plain loops, for debug builds make a call of each closure.
    ///
    /// - Parameter places: p by head and distance, `reach` of them on each side; none where it is empty.
    private func oracle(
        _ fused: [Float],
        _ lengths: [Int],
        heads: Int,
        width: Int,
        places: [Float] = [],
        reach: Int = 0
    ) -> [Double] {
        let columns = heads * width
        var out = [Double](repeating: 0, count: fused.count / 3)
        var start = 0
        for length in lengths {
            for corner in stride(from: start * columns, to: (start + length) * columns, by: width) {
                let (row, column) = corner.quotientAndRemainder(dividingBy: columns)
                let middle = column / width * (2 * reach + 1) + reach - row
                let terms = (start..<start + length).map { other in
                    let place = places.isEmpty ? 0 : Double(places[middle + other])
                    return exp(
                        dot(fused, row * 3 * columns + column, (other * 3 + 1) * columns + column, width) + place
                    )
                }
                let sum = terms.reduce(0, +)
                var value = (start * 3 + 2) * columns + column
                for term in terms {
                    let share = term / sum
                    var place = 0
                    while place < width {
                        out[corner + place] += share * Double(fused[value + place])
                        place += 1
                    }
                    value += 3 * columns
                }
            }
            start += length
        }
        return out
    }

    /// A score, which is the inner product of `width` numbers from two places on, over √width.
    ///
    /// None here is too large for exp.
    private func dot(_ fused: [Float], _ first: Int, _ second: Int, _ width: Int) -> Double {
        var sum = 0.0
        var place = 0
        while place < width {
            sum += Double(fused[first + place]) * Double(fused[second + place])
            place += 1
        }
        return sum / Double(width).squareRoot()
    }

    @Test(arguments: [[1], [2, 1, 3], [16, 17], [49, 12]])
    func `attention is what doubles say, sequence by sequence`(_ lengths: [Int]) {
        for (heads, width) in [(1, 1), (2, 3), (3, 8), (2, 17), (1, 32)] {
            var generator = SeededGenerator(state: UInt64(width))
            let fused = generator.floats(lengths.reduce(0, +) * 3 * heads * width, in: -3...3)
            let expected = oracle(fused, lengths, heads: heads, width: width)
            for kernels in KernelSet.runnable {
                let result = attended(kernels, fused, lengths, heads: heads, width: width)
                #expect(greatestDifference(result, expected) < 5e-6, "\(kernels.name): \(heads) heads of \(width)")
            }
        }
    }

    @Test(arguments: KernelSet.runnable, [false, true])
    func `places add to the scores`(_ kernels: KernelSet, isRounded: Bool) throws {
        for (lengths, heads, width) in [([1], 1, 3), ([2, 5, 17], 3, 8), ([49, 12], 2, 17)] {
            var generator = SeededGenerator(state: UInt64(width))
            let fused = generator.floats(lengths.reduce(0, +) * 3 * heads * width, in: -1...1)
            let places = generator.floats(heads * 99, in: -3...3)
            let held = try HeldWeight(places)
            let result = attended(
                kernels,
                fused,
                lengths,
                heads: heads,
                width: width,
                places: held.view,
                isRounded: isRounded
            )
            let expected = oracle(fused, lengths, heads: heads, width: width, places: places, reach: 49)
            #expect(greatestDifference(result, expected) < (isRounded ? 2e-2 : 5e-6), "\(heads) heads of \(width)")
            withExtendedLifetime(held) {}
        }
    }

    @Test(arguments: KernelSet.runnable.dropFirst(), [256, 513])
    func `a long sequence is what the scalar variant says`(_ kernels: KernelSet, _ length: Int) {
        var generator = SeededGenerator(state: UInt64(length))
        let fused = generator.floats(length * 3 * 2 * 32, in: -2...2)
        let expected = attended(KernelSet.runnable[0], fused, [length], heads: 2, width: 32)
        #expect(expected.count == length * 64)
        #expect(greatestDifference(attended(kernels, fused, [length], heads: 2, width: 32), expected) < 5e-6)
    }

    /// 37, 80 and 109 are around one, two and three blocks of rows.
    @Test(arguments: [[1], [2, 1, 3], [16, 17], [37, 80], [109]])
    func `rounded attention is nearly what doubles say`(_ lengths: [Int]) {
        for (heads, width) in [(1, 1), (2, 3), (3, 8), (2, 17), (1, 32), (1, 33), (2, 64), (1, 80)] {
            var generator = SeededGenerator(state: UInt64(width))
            let fused = generator.floats(lengths.reduce(0, +) * 3 * heads * width, in: -1...1)
            let expected = oracle(fused, lengths, heads: heads, width: width)
            // A score of at most √width is off by 2⁻⁸ of itself at most, and so is a value.
            let bound = Double(width).squareRoot() / 128 + 1.0 / 256
            for kernels in KernelSet.runnable {
                let result = attended(kernels, fused, lengths, heads: heads, width: width, isRounded: true)
                #expect(greatestDifference(result, expected) < bound, "\(kernels.name): \(heads) heads of \(width)")
            }
        }
    }
}
