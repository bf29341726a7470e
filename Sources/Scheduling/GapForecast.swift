/// The chance that the present gap ends in each bin, and that it ends in none.
struct GapForecast: Sendable {
    var chances = InlineArray<312, Float>(repeating: 0)
    /// Of no end within what the bins hold.
    var never: Float = 0

    mutating func add(_ other: borrowing GapForecast, weight: Float) {
        let more = other.chances.span
        var values = chances.mutableSpan
        for index in 0..<GapBins.count { values[index] += more[index] * weight }
        never += other.never * weight
    }

    /// The function's long gaps vote for the next one.
    ///
    /// A vote is for the bin of a gap that was, and in a triangle about it; the triangle is as wide as the votes lie
    /// apart and narrower the more of them are near. So a timer's forecast is narrow after few gaps, though a stray
    /// call comes between, and one of calls that come at random is wide.
    ///
    /// - Returns: the weight of all votes, at most the number of gaps.
    mutating func vote(_ history: borrowing ArrivalHistory, _ tuning: KeepAlivePolicy.Tuning) -> Float {
        let count = history.longGapsKept
        guard count > 0 else { return 0 }
        let logarithms = GapBins.middleLogarithms.span
        let votes = Votes(history, count, tuning)
        var (mean, square) = (Float(0), Float(0))
        for slot in 0..<votes.count {
            let logarithm = logarithms[votes.bins[slot]]
            mean += votes.weights[slot] * logarithm
            square += votes.weights[slot] * logarithm * logarithm
        }
        mean /= votes.sum
        let effective = min(Float(count), votes.sum)
        let norm = effective / votes.sum
        let spread = max(0, square / votes.sum - mean * mean)
        let prior = tuning.priorDeviation * tuning.priorDeviation * tuning.priorDeviationWeight
        let variance =
            tuning.kernelScale * tuning.kernelScale * (effective * spread + prior)
            / (effective + tuning.priorDeviationWeight)
        for slot in 0..<votes.count {
            let mass = votes.weights[slot] * norm
            let near = votes.weightNear(slot, logarithms) * norm
            chances[votes.bins[slot]] += mass * tuning.exactShare
            // A triangle that falls to 0 at this distance, in octaves, has a sixth of its square as variance.
            let reach = min(Self.reachMax, (6 * variance / near).squareRoot())
            addTriangle(mass * (1 - tuning.exactShare), at: votes.bins[slot], reach: reach)
        }
        return effective
    }

    /// Past a factor of four a gap says nothing.
    private static let reachMax: Float = 2

    private mutating func addTriangle(_ mass: Float, at middle: Int, reach: Float) {
        let edges = GapBins.edgeLogarithms.span
        let peak = GapBins.middleLogarithms[middle]
        var values = chances.mutableSpan
        var first = middle
        while first > GapBins.shortCount, edges[first] > peak - reach { first -= 1 }
        // What would lie among the short gaps counts in the first of the long ones.
        var below: Float = 0
        var index = first
        while index < GapBins.count {
            let offset = (edges[index + 1] - peak) / reach
            if offset >= 1 { break }
            let upTo =
                offset <= -1 ? 0 : offset < 0 ? (1 + offset) * (1 + offset) / 2 : 1 - (1 - offset) * (1 - offset) / 2
            values[index] += mass * (upTo - below)
            below = upTo
            index += 1
        }
        values[min(index, GapBins.count - 1)] += mass * (1 - below)
    }
}

/// The bins that a function's long gaps vote for, each once, with the weight of its votes.
private struct Votes {
    var bins = InlineArray<48, Int>(repeating: 0)
    var weights = InlineArray<48, Float>(repeating: 0)
    var count = 0
    var sum: Float = 0

    /// A newer gap counts more than an older, and one that followed what came last much more than another.
    init(_ history: borrowing ArrivalHistory, _ kept: Int, _ tuning: KeepAlivePolicy.Tuning) {
        // The slot of each bin, plus one; 0 of none.
        var slots = InlineArray<312, UInt8>(repeating: 0)
        let last = history.longGap(age: 0)
        let secondLast = kept > 1 ? history.longGap(age: 1) : -1
        var (gap, before) = (last, secondLast)
        var recency: Float = 1
        for age in 0..<kept {
            let beforeThat = age + 2 < kept ? history.longGap(age: age + 2) : -1
            var weight = recency
            if Self.isAlike(before, last) {
                weight *= tuning.sequelWeight
                if Self.isAlike(beforeThat, secondLast) { weight *= tuning.longSequelWeight }
            }
            add(weight, to: gap, &slots)
            recency *= tuning.recency
            (gap, before) = (before, beforeThat)
        }
    }

    private mutating func add(_ weight: Float, to bin: Int, _ slots: inout InlineArray<312, UInt8>) {
        sum += weight
        if slots[bin] == 0 {
            bins[count] = bin
            count += 1
            slots[bin] = UInt8(count)
        }
        weights[Int(slots[bin]) - 1] += weight
    }

    /// A minute more or less is no other gap from forty minutes on, where a clock that drifts by 2 % makes one.
    private static func isAlike(_ one: Int, _ other: Int) -> Bool {
        if one == other { return one >= 0 }
        return abs(one - other) == 1 && min(one, other) >= GapBins.shortCount + 40
    }

    /// The votes for a bin and half of those within an eighth of an octave.
    func weightNear(_ slot: Int, _ logarithms: borrowing Span<Float>) -> Float {
        var near: Float = 0
        let middle = logarithms[bins[slot]]
        for other in 0..<count where abs(logarithms[bins[other]] - middle) <= 0.125 { near += weights[other] }
        return (near + weights[slot]) / 2
    }
}
