import Foundation

/// What ``Plan/encoder`` computes, naively and in doubles.
struct EncoderOracle {
    typealias Matrix = [[Double]]

    let weights: [String: [Float]]

    private func vector(_ name: String) -> [Double] {
        (weights[name] ?? []).map(Double.init)
    }

    private func rows(_ name: String, _ columns: Int) -> Matrix {
        let all = vector(name)
        return stride(from: 0, to: all.count, by: columns).map { Array(all[$0..<$0 + columns]) }
    }

    private func product(_ x: Matrix, _ name: String, _ columns: Int, bias: String? = nil) -> Matrix {
        let weight = rows(name, columns)
        let bias = bias.map(vector) ?? [Double](repeating: 0, count: columns)
        return x.map { row in
            (0..<columns).map { column in zip(row, weight).reduce(bias[column]) { $0 + $1.0 * $1.1[column] } }
        }
    }

    private func layerNorm(_ x: Matrix, _ residual: Matrix) -> Matrix {
        let (scale, shift) = (vector("scale"), vector("shift"))
        return zip(x, residual).map { row, other in
            let sum = zip(row, other).map(+)
            let mean = sum.reduce(0, +) / 8
            let variance = sum.reduce(0) { $0 + ($1 - mean) * ($1 - mean) } / 8
            return sum.indices.map { (sum[$0] - mean) / (variance + 1e-5).squareRoot() * scale[$0] + shift[$0] }
        }
    }

    private func attention(_ fused: Matrix) -> Matrix {
        fused.map { row in
            (0..<2).flatMap { head -> [Double] in
                let terms = fused.map { other in
                    exp((0..<4).reduce(0) { $0 + row[head * 4 + $1] * other[8 + head * 4 + $1] } / 2)
                }
                let sum = terms.reduce(0, +)
                return (0..<4).map { i in zip(terms, fused).reduce(0) { $0 + $1.0 / sum * $1.1[16 + head * 4 + i] } }
            }
        }
    }

    func embedding(_ ids: [Int32]) -> [Double] {
        let (words, positions, types) = (rows("words", 8), rows("positions", 8), rows("types", 8))
        let embedded = ids.enumerated().map { place, id in
            (0..<8).map { words[Int(id)][$0] + positions[place][$0] + types[0][$0] }
        }
        let attended = attention(product(embedded, "qkv", 24, bias: "qkv.bias"))
        let middle = layerNorm(product(attended, "proj", 8), embedded)
        let up = product(middle, "up", 11, bias: "up.bias").map { row in
            row.map { 0.5 * $0 * (1 + erf($0 / 2.0.squareRoot())) }
        }
        let last = layerNorm(product(up, "down", 8), middle)
        let mean = (0..<8).map { column in last.reduce(0) { $0 + $1[column] } / Double(last.count) }
        let length = mean.reduce(0) { $0 + $1 * $1 }.squareRoot()
        return mean.map { $0 / length }
    }
}
