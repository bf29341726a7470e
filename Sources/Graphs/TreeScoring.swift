import Kernels

extension TreeModel {
    /// What the trees give, aggregated: [rows, targets].
    ///
    /// Rows of floats without NaN fall through the kernel's layout, all others through the plain one.
    func scores(
        _ rows: TreeRows,
        targets: Int,
        aggregate: String,
        _ call: borrowing OperatorCall
    ) throws(GraphError) -> TreeScores {
        guard rows.width >= features else {
            throw .input("rows have \(rows.width) features, the trees read \(features)")
        }
        guard ["SUM", "AVERAGE", "MIN", "MAX"].contains(aggregate), targets < 1 << 20 else {
            throw .invalid("the aggregate function \(aggregate) is not known")
        }
        let count = try OperatorCall.elementCount([rows.count, targets])
        var scores = TreeScores(
            values: [Double](repeating: 0, count: count),
            isGiven: [Bool](repeating: false, count: count)
        )
        let isFast = [.f32, .i32, .i64].contains(rows.tensor.element)
        if let forest, isFast {
            let floats = try call.cast(rows.tensor, to: .f32)
            floats.withElements(as: Float.self) { values in
                fall(forest, values, rows, targets: targets, aggregate, &scores)
            }
        } else {
            let values = try rows.tensor.doubles()
            for row in 0..<rows.count {
                fallPlainly(row, { values[row * rows.width + $0] }, targets: targets, aggregate, &scores)
            }
        }
        if aggregate == "AVERAGE" {
            for index in scores.values.indices { scores.values[index] /= Double(max(roots.count, 1)) }
        }
        return scores
    }

    private func fall(
        _ forest: Forest,
        _ values: borrowing Span<Float>,
        _ rows: TreeRows,
        targets: Int,
        _ aggregate: String,
        _ scores: inout TreeScores
    ) {
        let together = Forest.rowsTogether
        var leaves = [Int32](repeating: 0, count: forest.trees * together)
        var x = [Float](repeating: -.infinity, count: (features + 1) * together)
        var sums = [Float](repeating: 0, count: together)
        let isSum = aggregate == "SUM" || aggregate == "AVERAGE"
        var row = 0
        while row < rows.count {
            let count = rows.count - row >= together ? together : 1
            guard Self.spread(values, rows, from: row, count: count, features, into: &x) else {
                for index in row..<row + count {
                    let start = index * rows.width
                    fallPlainly(index, { Double(values[start + $0]) }, targets: targets, aggregate, &scores)
                }
                row += count
                continue
            }
            var out = leaves.mutableSpan
            if count == 1 {
                forest.leavesOfRow(x.span, leaves: &out)
            } else {
                forest.leavesOfRows(x.span, leaves: &out)
            }
            if let singleWeights, isSum, targets == 1 {
                for index in 0..<count { sums[index] = 0 }
                var total = sums.mutableSpan
                forest.sum(leaves.span, rows: count, weights: singleWeights.span, sums: &total, at: 0)
                for index in 0..<count {
                    scores.values[row + index] = Double(sums[index])
                    scores.isGiven[row + index] = true
                }
            } else {
                for index in 0..<count {
                    for tree in 0..<forest.trees {
                        let leaf = Int(leaves[tree * count + index])
                        add(leaf, to: (row + index) * targets, aggregate, &scores)
                    }
                }
            }
            row += count
        }
    }

    /// Rows feature by feature, with −∞ behind the last; false where one holds a NaN.
    private static func spread(
        _ values: borrowing Span<Float>,
        _ rows: TreeRows,
        from first: Int,
        count: Int,
        _ features: Int,
        into x: inout [Float]
    ) -> Bool {
        for row in 0..<count {
            let start = (first + row) * rows.width
            for feature in 0..<features {
                let value = values[start + feature]
                guard !value.isNaN else { return false }
                x[feature * count + row] = value
            }
            x[features * count + row] = -.infinity
        }
        return true
    }

    private func fallPlainly(
        _ row: Int,
        _ feature: (Int) -> Double,
        targets: Int,
        _ aggregate: String,
        _ scores: inout TreeScores
    ) {
        for root in roots { add(leaf(of: root, feature), to: row * targets, aggregate, &scores) }
    }

    /// A leaf's weights to the scores from `start` on.
    private func add(_ leaf: Int, to start: Int, _ aggregate: String, _ scores: inout TreeScores) {
        for index in leafStarts[leaf]..<leafStarts[leaf + 1] {
            let (place, weight) = (start + leafTargets[index], leafWeights[index])
            let old = scores.values[place]
            switch aggregate {
            case "MIN": scores.values[place] = scores.isGiven[place] ? min(old, weight) : weight
            case "MAX": scores.values[place] = scores.isGiven[place] ? max(old, weight) : weight
            default: scores.values[place] = old + weight
            }
            scores.isGiven[place] = true
        }
    }
}
