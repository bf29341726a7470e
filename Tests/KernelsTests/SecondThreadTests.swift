import Foundation
import Kernels
import Testing

/// Two threads must give what one gives, bit for bit; a helper that sleeps or comes late must change nothing.
@Suite(.serialized)
struct SecondThreadTests {
    private func withHelp<Result>(_ body: (SecondThread) throws -> Result) rethrows -> Result {
        let second = SecondThread()
        let thread = Thread { second.help() }
        thread.start()
        defer { second.end() }
        return try body(second)
    }

    @Test(arguments: WeightFormat.allCases)
    func `a product on two threads is that of one, bit for bit`(_ format: WeightFormat) throws {
        var generator = SeededGenerator(state: 1)
        try withHelp { second in
            for (rows, inner, columns) in [(1, 384, 384), (7, 96, 700), (40, 130, 97), (73, 384, 200), (3, 5, 7)] {
                let input = FloatBuffer.followedByNaN(generator.floats(rows * inner))
                let bias = try HeldWeight(generator.floats(columns))
                let numbers = generator.floats(inner * columns)
                let packed = Panels.pack(
                    numbers,
                    inner: inner,
                    columns: columns,
                    isColumnMajor: false,
                    format: format
                )
                let weight = try HeldWeight(bytes: packed)
                let results = [KernelSet.best, KernelSet.best.with(second)].map { kernels in
                    let out = FloatBuffer.guarded(rows * columns)
                    kernels.linear(
                        input,
                        rows: rows,
                        inner: inner,
                        weight: weight.view,
                        format: format,
                        bias: bias.view,
                        columns: columns,
                        activation: .gelu,
                        scratch: FloatBuffer(count: 0),
                        out: out
                    )
                    return out.checked(rows * columns)
                }
                #expect(results[0].count == rows * columns && results[0] == results[1], "\(rows) × \(columns)")
            }
        }
    }

    @Test(arguments: [false, true])
    func `attention and norms on two threads are those of one, bit for bit`(_ isRounded: Bool) throws {
        var generator = SeededGenerator(state: 2)
        try withHelp { second in
            let (heads, width, lengths) = (5, 32, [3, 70, 41])
            let (columns, tokens) = (5 * 32, 114)
            let fused = FloatBuffer(generator.floats(tokens * 3 * columns))
            let scale = try HeldWeight(generator.floats(columns))
            let results = [KernelSet.best, KernelSet.best.with(second)].map { kernels in
                let (out, normed) = (FloatBuffer.guarded(tokens * columns), FloatBuffer.guarded(tokens * columns))
                kernels.attention(
                    fused,
                    sequenceLengths: lengths,
                    heads: heads,
                    width: width,
                    isRounded: isRounded,
                    scratch: FloatBuffer(count: 0),
                    out: out
                )
                kernels.layerNorm(
                    out,
                    residual: fused,
                    scale: scale.view,
                    shift: scale.view,
                    epsilon: 1e-5,
                    rows: tokens,
                    columns: columns,
                    out: normed
                )
                return normed.checked(tokens * columns)
            }
            #expect(results[0].count == tokens * columns && results[0] == results[1])
        }
    }

    @Test func `thousands of jobs lose no part, also where the helper is asleep or has not come yet`() throws {
        let second = SecondThread()
        let thread = Thread { second.help() }
        let ones = [Float](repeating: 1, count: 384 * 96)
        let packed = Panels.pack(ones, inner: 384, columns: 96, isColumnMajor: false, format: .f32)
        let weight = try HeldWeight(bytes: packed)
        let (input, out) = (FloatBuffer([Float](repeating: 1, count: 4 * 384)), FloatBuffer(count: 4 * 96))
        let kernels = KernelSet.best.with(second)
        var wrong = 0
        for job in 0..<3000 {
            if job == 100 { thread.start() }
            if job == 200 { second.awaitHelp() }
            // Every so often for long enough that it goes to sleep.
            if job > 200, job % 500 == 0 {
                let until = DispatchTime.now() + .microseconds(300)
                while DispatchTime.now() < until {}
                second.wake()
            }
            out.write([Float](repeating: -1, count: 4 * 96))
            kernels.linear(
                input,
                rows: 4,
                inner: 384,
                weight: weight.view,
                bias: nil,
                columns: 96,
                activation: .none,
                out: out
            )
            if out.read(4 * 96).contains(where: { $0 != 384 }) { wrong += 1 }
        }
        second.end()
        #expect(wrong == 0)
    }
}
