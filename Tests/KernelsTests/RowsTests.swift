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
    func `pooling takes the mean or the first row of each sequence`(_ kernels: KernelSet, _ columns: Int) {
        var generator = SeededGenerator(state: UInt64(columns))
        let lengths = [1, 5, 2]
        let input = generator.floats(8 * columns)
        var (means, firsts): ([Double], [Double]) = ([], [])
        var start = 0
        for length in lengths {
            for i in 0..<columns {
                let column = (start..<start + length).map { Double(input[$0 * columns + i]) }
                means.append(column.reduce(0, +) / Double(length))
                firsts.append(column[0])
            }
            start += length
        }
        let out = FloatBuffer.guarded(3 * columns)
        kernels.meanPool(.followedByNaN(input), sequenceLengths: lengths, columns: columns, out: out)
        #expect(greatestDifference(out.checked(3 * columns), means) < 1e-6)
        kernels.firstPool(.followedByNaN(input), sequenceLengths: lengths, columns: columns, out: out)
        #expect(greatestDifference(out.checked(3 * columns), firsts) == 0)
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
        withExtendedLifetime(held) {}
    }

    @Test(arguments: KernelSet.runnable, Arithmetic.allCases)
    func `arithmetic meets a matrix, a row or one number`(_ kernels: KernelSet, _ arithmetic: Arithmetic) throws {
        for columns in Self.columnCounts {
            var generator = SeededGenerator(state: UInt64(columns))
            let (left, right) = (generator.floats(3 * columns), generator.floats(3 * columns, in: 1...2))
            let (row, one) = (try HeldWeight(Array(right[..<columns])), try HeldWeight([right[0]]))
            let out = FloatBuffer.guarded(3 * columns)
            func expect(_ other: (Int) -> Float) {
                let expected = left.indices.map { i in
                    switch arithmetic {
                    case .add: left[i] + other(i)
                    case .subtract: left[i] - other(i)
                    case .multiply: left[i] * other(i)
                    case .divide: left[i] / other(i)
                    }
                }
                #expect(out.checked(3 * columns) == expected)
            }
            let (l, r) = (FloatBuffer.followedByNaN(left), FloatBuffer.followedByNaN(right))
            kernels.combine(l, arithmetic, r, count: 3 * columns, out: out)
            expect { right[$0] }
            kernels.combine(l, arithmetic, constant: row.view, rows: 3, columns: columns, out: out)
            expect { right[$0 % columns] }
            kernels.combine(l, arithmetic, constant: one.view, rows: 3, columns: columns, out: out)
            expect { _ in right[0] }
            withExtendedLifetime((row, one)) {}
        }
    }
}
