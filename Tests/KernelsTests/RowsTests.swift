import Foundation
import Kernels
import Testing

/// Operations that work row by row, against doubles.
struct RowsTests {
    static let columnCounts = [1, 2, 7, 8, 9, 15, 16, 17, 33, 64, 100, 384]

    @Test(arguments: KernelSet.runnable, columnCounts)
    func `layer norm is what doubles say, with and without residual`(_ kernels: KernelSet, _ columns: Int) throws {
        var generator = SeededGenerator(state: UInt64(columns))
        let rows = 3
        let input = generator.floats(rows * columns, in: 2...4)
        let residual = generator.floats(rows * columns)
        let (scale, shift) = (generator.floats(columns), generator.floats(columns))
        let (heldScale, heldShift) = (try HeldWeight(scale), try HeldWeight(shift))
        for other in [nil, residual] {
            let out = FloatBuffer.guarded(rows * columns)
            kernels.layerNorm(
                .followedByNaN(input),
                residual: other.map(FloatBuffer.followedByNaN),
                scale: heldScale.view,
                shift: heldShift.view,
                epsilon: 1e-3,
                rows: rows,
                columns: columns,
                out: out
            )
            var expected: [Double] = []
            for row in 0..<rows {
                let x = (0..<columns).map { i in
                    Double(input[row * columns + i]) + Double(other?[row * columns + i] ?? 0)
                }
                let mean = x.reduce(0, +) / Double(columns)
                let variance = x.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / Double(columns)
                for i in 0..<columns {
                    expected.append(
                        (x[i] - mean) / (variance + 1e-3).squareRoot() * Double(scale[i]) + Double(shift[i])
                    )
                }
            }
            #expect(greatestDifference(out.checked(rows * columns), expected) < 2e-5)
        }
        withExtendedLifetime((heldScale, heldShift)) {}
    }

    @Test(arguments: KernelSet.runnable, columnCounts)
    func `softmax is what doubles say, and in place too`(_ kernels: KernelSet, _ columns: Int) {
        var generator = SeededGenerator(state: UInt64(columns))
        let rows = 3
        // Great numbers would overflow without the maximum taken off.
        let input = generator.floats(rows * columns, in: -20...200)
        var expected: [Double] = []
        for row in 0..<rows {
            let x = input[row * columns..<(row + 1) * columns].map(Double.init)
            let terms = x.map { exp($0 - (x.max() ?? 0)) }
            expected += terms.map { $0 / terms.reduce(0, +) }
        }
        let out = FloatBuffer.guarded(rows * columns)
        kernels.softmax(.followedByNaN(input), rows: rows, columns: columns, out: out)
        #expect(greatestDifference(out.checked(rows * columns), expected) < 1e-6)
        out.write(input)
        kernels.softmax(out, rows: rows, columns: columns, out: out)
        #expect(greatestDifference(out.checked(rows * columns), expected) < 1e-6)
    }

    @Test(arguments: KernelSet.runnable, columnCounts)
    func `normalised rows have length one, and a row of zeros stays zero`(_ kernels: KernelSet, _ columns: Int) {
        var generator = SeededGenerator(state: UInt64(columns))
        let row = generator.floats(columns)
        let length = row.reduce(0) { $0 + Double($1) * Double($1) }.squareRoot()
        let out = FloatBuffer.guarded(2 * columns)
        let zeros = [Float](repeating: 0, count: columns)
        kernels.normalize(.followedByNaN(row + zeros), rows: 2, columns: columns, out: out)
        let expected = row.map { Double($0) / length } + zeros.map(Double.init)
        #expect(greatestDifference(out.checked(2 * columns), expected) < 1e-6)
    }

    @Test(arguments: KernelSet.runnable, columnCounts)
    func `pooling puts what it takes of each sequence side by side`(_ kernels: KernelSet, _ columns: Int) {
        var generator = SeededGenerator(state: UInt64(columns))
        let lengths = [1, 5, 2]
        let input = generator.floats(8 * columns)
        var expected: [Double] = []
        var start = 0
        for length in lengths {
            let rows = (0..<columns).map { i in (start..<start + length).map { Double(input[$0 * columns + i]) } }
            for part in Pooling.allCases {
                expected += rows.map { column in
                    switch part {
                    case .mean: column.reduce(0, +) / Double(length)
                    case .rootMean: column.reduce(0, +) / Double(length).squareRoot()
                    case .greatest: column.max() ?? 0
                    case .first: column[0]
                    case .last: column[length - 1]
                    }
                }
            }
            start += length
        }
        let count = 3 * columns * Pooling.allCases.count
        let out = FloatBuffer.guarded(count)
        kernels.pool(
            .followedByNaN(input),
            sequenceLengths: lengths,
            columns: columns,
            Pooling.allCases,
            out: out
        )
        #expect(greatestDifference(out.checked(count), expected) < 1e-6)
    }

    @Test(arguments: KernelSet.runnable, columnCounts)
    func `embedding adds word, position and type`(_ kernels: KernelSet, _ columns: Int) throws {
        var generator = SeededGenerator(state: UInt64(columns))
        let (words, positions) = (generator.floats(9 * columns), generator.floats(4 * columns))
        let types = generator.floats(2 * columns)
        let held = (try HeldWeight(words), try HeldWeight(positions), try HeldWeight(types))
        let ids: [Int32] = [8, 0, 3, 3, 7]
        let out = FloatBuffer.guarded(5 * columns)
        kernels.embed(
            ids: ids,
            sequenceLengths: [2, 3],
            words: held.0.view,
            positions: held.1.view,
            types: held.2.view,
            columns: columns,
            out: out
        )
        let expected = zip(ids, [0, 1, 0, 1, 2]).flatMap { id, place in
            (0..<columns).map { i in
                Double(words[Int(id) * columns + i]) + Double(positions[place * columns + i]) + Double(types[i])
            }
        }
        #expect(greatestDifference(out.checked(5 * columns), expected) < 1e-6)
        kernels.embed(
            ids: ids,
            typeIDs: [0, 0, 0, 1, 1],
            sequenceLengths: [2, 3],
            words: held.0.view,
            positions: held.1.view,
            types: held.2.view,
            columns: columns,
            out: out
        )
        let typed = expected.enumerated().map { place, sum in
            let i = place % columns
            return place / columns < 3 ? sum : sum - Double(types[i]) + Double(types[columns + i])
        }
        #expect(greatestDifference(out.checked(5 * columns), typed) < 1e-6)
        withExtendedLifetime(held) {}
    }
}
