import Kernels

/// A forest as a node's attributes say it, checked, with a layout for the kernel where that can hold it.
struct TreeModel: Sendable {
    enum Mode: UInt8, Sendable {
        case lessOrEqual, less, greaterOrEqual, greater, equal, notEqual, member
    }

    /// Children are nodes where ≥ 0, and leaves, counted from −1 down, where negative.
    struct Branch: Sendable {
        var feature: Int
        var value: Double
        var mode: Mode
        var yes: Int
        var no: Int
        var missingIsYes: Bool
        var members: [Double] = []
    }

    var branches: [Branch] = []
    var roots: [Int] = []
    /// leafWeights[leafStarts[l]..<leafStarts[l + 1]] belong to leaf l.
    var leafStarts = [0]
    var leafTargets: [Int] = []
    var leafWeights: [Double] = []
    private(set) var features = 0
    /// One more than the greatest target, and how many different ones there are.
    private(set) var targets = 0
    private(set) var targetsNamed = 0
    private(set) var hasOnlyPositiveWeights = true
    private(set) var forest: Forest?
    /// The weights in the forest's precision, where each leaf has one and all are of target 0.
    private(set) var singleWeights: [Float]?

    var leafCount: Int { leafStarts.count - 1 }

    /// Numbers of an attribute, or of its twin that holds doubles.
    static func numbers(_ call: borrowing OperatorCall, _ name: String) throws(GraphError) -> [Double] {
        if case .tensor(let tensor) = call.attributes["\(name)_as_tensor"] { return try tensor.doubles() }
        if case .tensor(let tensor) = call.attributes[name] { return try tensor.doubles() }
        return try (call.floats(name) ?? []).map(Double.init)
    }

    /// Adds a leaf and answers what a child is that leads there.
    mutating func addLeaf(_ weights: [(target: Int, weight: Double)]) -> Int {
        for (target, weight) in weights {
            leafTargets.append(target)
            leafWeights.append(weight)
        }
        leafStarts.append(leafTargets.count)
        return -leafCount
    }

    /// Checks what was read, and lays it out.
    mutating func finish() throws(GraphError) {
        var parents = [Int](repeating: 0, count: branches.count)
        for branch in branches {
            for child in [branch.yes, branch.no] {
                guard child < branches.count, -child <= leafCount else { throw .invalid("a tree has a missing node") }
                if child >= 0 { parents[child] += 1 }
            }
            guard branch.feature >= 0, branch.feature < 1 << 30 else {
                throw .invalid("a tree reads the feature \(branch.feature)")
            }
            features = max(features, branch.feature + 1)
        }
        for root in roots {
            guard root < branches.count, -root <= leafCount else { throw .invalid("a tree has no root") }
            if root >= 0 { parents[root] += 1 }
        }
        // With one way to each node there is no circle that a root leads to.
        guard parents.allSatisfy({ $0 <= 1 }), leafTargets.allSatisfy({ $0 >= 0 && $0 < 1 << 20 }) else {
            throw .invalid("two branches of a tree lead to one node, or a target is not possible")
        }
        targets = (leafTargets.max() ?? -1) + 1
        targetsNamed = Set(leafTargets).count
        hasOnlyPositiveWeights = leafWeights.allSatisfy { $0 >= 0 }
        if leafTargets.count == leafCount, targets == 1 { singleWeights = leafWeights.map(Float.init) }
        forest = laidOut()
    }

    /// All trees for the kernel; nil where a branch is no `≤` of floats, nor can be written as one.
    private func laidOut() -> Forest? {
        var trees: [[Forest.Node]] = []
        trees.reserveCapacity(roots.count)
        for root in roots {
            var nodes: [Forest.Node] = []
            var waiting = [root]
            var next = 0
            while next < waiting.count {
                let child = waiting[next]
                next += 1
                guard child >= 0 else {
                    nodes.append(.leaf(-child - 1))
                    continue
                }
                let branch = branches[child]
                guard let (threshold, isTurned) = Self.threshold(of: branch) else { return nil }
                let place = waiting.count
                waiting += isTurned ? [branch.no, branch.yes] : [branch.yes, branch.no]
                nodes.append(
                    .branch(feature: branch.feature, threshold: threshold, yes: place, no: place + 1)
                )
            }
            trees.append(nodes)
        }
        return Forest(trees, features: features)
    }

    /// The greatest float that goes one way, and whether that is the way of `no`.
    private static func threshold(of branch: Branch) -> (Float, isTurned: Bool)? {
        guard let value = Float(exactly: branch.value), value.isFinite else { return nil }
        switch branch.mode {
        case .lessOrEqual: return (value, false)
        case .less: return (value.nextDown, false)
        case .greater: return (value, true)
        case .greaterOrEqual: return (value.nextDown, true)
        case .equal, .notEqual, .member: return nil
        }
    }

    /// The leaf that a row of any numbers falls to.
    func leaf(of root: Int, _ feature: (Int) -> Double) -> Int {
        var at = root
        while at >= 0 {
            let branch = branches[at]
            let x = feature(branch.feature)
            let holds =
                switch branch.mode {
                case .lessOrEqual: x <= branch.value
                case .less: x < branch.value
                case .greaterOrEqual: x >= branch.value
                case .greater: x > branch.value
                case .equal: x == branch.value
                case .notEqual: x != branch.value
                case .member: branch.members.contains(x)
                }
            at = holds || (branch.missingIsYes && x.isNaN) ? branch.yes : branch.no
        }
        return -at - 1
    }
}

/// Rows of a call: [count, width] of any numbers.
struct TreeRows {
    let tensor: Tensor
    let count: Int
    let width: Int

    init(_ tensor: Tensor) throws(GraphError) {
        guard tensor.rank == 1 || tensor.rank == 2, tensor.element != .string else {
            throw .input("\(tensor.element) \(tensor.shape) is not rows of numbers")
        }
        self.tensor = tensor
        (count, width) = tensor.rank == 1 ? (1, tensor.count) : (tensor.shape[0], tensor.shape[1])
    }
}

/// What trees gave each row and target, and whether any gave it anything.
struct TreeScores {
    var values: [Double]
    var isGiven: [Bool]
}
