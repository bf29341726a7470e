/// Reading forests from the attributes of nodes.
extension TreeModel {
    /// The form of operator sets 1 and 3: one list entry a node, leaves among them, weights by tree and node.
    init(nodesOf call: borrowing OperatorCall, weights prefix: String) throws(GraphError) {
        let trees = try call.integers("nodes_treeids") ?? []
        let ids = try call.integers("nodes_nodeids") ?? []
        let values = try Self.numbers(call, "nodes_values")
        let modes = try call.strings("nodes_modes") ?? []
        let featureIDs = try call.integers("nodes_featureids") ?? []
        let (yes, no) = try (call.integers("nodes_truenodeids") ?? [], call.integers("nodes_falsenodeids") ?? [])
        let missing = try call.integers("nodes_missing_value_tracks_true") ?? []
        let counts = Set([trees, ids, featureIDs, yes, no].map(\.count) + [values.count, modes.count])
        guard counts.count == 1, missing.isEmpty || missing.count == trees.count else {
            throw .invalid("the lists of nodes are of different lengths: \(counts.sorted())")
        }
        let weights = try Self.weights(call, prefix)
        var places: [NodeID: Int] = [:]
        places.reserveCapacity(trees.count)
        // Branches keep their order; leaves are counted as they come.
        for index in trees.indices {
            let id = NodeID(tree: trees[index], node: ids[index])
            let isLeaf = modes[index] == "LEAF"
            let place = isLeaf ? addLeaf(weights[id] ?? []) : branches.count
            guard places.updateValue(place, forKey: id) == nil else {
                throw .invalid("tree \(id.tree) has the node \(id.node) twice")
            }
            guard !isLeaf else { continue }
            branches.append(
                Branch(
                    feature: featureIDs[index],
                    value: values[index],
                    mode: try Self.mode(modes[index]),
                    yes: index,
                    no: index,
                    missingIsYes: missing.isEmpty ? false : missing[index] != 0
                )
            )
        }
        var children: Set<NodeID> = []
        for place in branches.indices {
            let index = branches[place].yes
            let (first, second) = (
                NodeID(tree: trees[index], node: yes[index]), NodeID(tree: trees[index], node: no[index])
            )
            guard let a = places[first], let b = places[second] else {
                throw .invalid("tree \(trees[index]) has no node \(yes[index]) or \(no[index])")
            }
            (branches[place].yes, branches[place].no) = (a, b)
            children.formUnion([first, second])
        }
        for index in trees.indices {
            let id = NodeID(tree: trees[index], node: ids[index])
            if !children.contains(id), let place = places[id] { roots.append(place) }
        }
        try finish()
    }

    private struct NodeID: Hashable {
        let tree: Int
        let node: Int
    }

    private static func mode(_ name: String) throws(GraphError) -> Mode {
        switch name {
        case "BRANCH_LEQ": .lessOrEqual
        case "BRANCH_LT": .less
        case "BRANCH_GTE": .greaterOrEqual
        case "BRANCH_GT": .greater
        case "BRANCH_EQ": .equal
        case "BRANCH_NEQ": .notEqual
        default: throw .unsupported("the mode \(name) of a tree's node is not known")
        }
    }

    /// What the lists `class_…` or `target_…` say of each leaf.
    private static func weights(
        _ call: borrowing OperatorCall,
        _ prefix: String
    ) throws(GraphError) -> [NodeID: [(target: Int, weight: Double)]] {
        let trees = try call.integers("\(prefix)_treeids") ?? []
        let nodes = try call.integers("\(prefix)_nodeids") ?? []
        let targets = try call.integers("\(prefix)_ids") ?? []
        let weights = try numbers(call, "\(prefix)_weights")
        guard Set([trees.count, nodes.count, targets.count, weights.count]).count == 1 else {
            throw .invalid("the lists \(prefix)_… are of different lengths")
        }
        var byNode: [NodeID: [(target: Int, weight: Double)]] = [:]
        byNode.reserveCapacity(trees.count)
        for index in trees.indices {
            byNode[NodeID(tree: trees[index], node: nodes[index]), default: []].append((targets[index], weights[index]))
        }
        return byNode
    }

    /// The form of operator set 5: children by index, leaves in lists of their own.
    init(ensembleOf call: borrowing OperatorCall) throws(GraphError) {
        let features = try call.integers("nodes_featureids") ?? []
        guard case .tensor(let modeTensor) = call.attributes["nodes_modes"] else {
            throw .invalid("nodes_modes is missing")
        }
        let modes = try modeTensor.integers()
        let splits = try Self.numbers(call, "nodes_splits")
        let (yes, no) = try (call.integers("nodes_truenodeids") ?? [], call.integers("nodes_falsenodeids") ?? [])
        let (yesIsLeaf, noIsLeaf) = try (
            call.integers("nodes_trueleafs") ?? [], call.integers("nodes_falseleafs") ?? []
        )
        let missing = try call.integers("nodes_missing_value_tracks_true") ?? []
        let targets = try call.integers("leaf_targetids") ?? []
        let weights = try Self.numbers(call, "leaf_weights")
        let counts = Set([features, modes, yes, no, yesIsLeaf, noIsLeaf].map(\.count) + [splits.count])
        guard counts.count == 1, targets.count == weights.count, missing.isEmpty || missing.count == features.count
        else {
            throw .invalid("the lists of nodes or leaves are of different lengths")
        }
        for (target, weight) in zip(targets, weights) { _ = addLeaf([(target, weight)]) }
        var members = try Self.numbers(call, "membership_values").runs(endingWhere: \.isNaN)[...]
        for index in features.indices {
            guard let number = UInt8(exactly: modes[index]), let mode = Mode(rawValue: number) else {
                throw .invalid("the mode \(modes[index]) of a tree's node is not known")
            }
            let count = features.count
            func child(_ place: Int, _ isLeaf: Int) throws(GraphError) -> Int {
                guard place >= 0, place < (isLeaf != 0 ? targets.count : count) else {
                    throw .invalid("a tree has no node or leaf \(place)")
                }
                return isLeaf != 0 ? -place - 1 : place
            }
            var branch = Branch(
                feature: features[index],
                value: splits[index],
                mode: mode,
                yes: try child(yes[index], yesIsLeaf[index]),
                no: try child(no[index], noIsLeaf[index]),
                missingIsYes: missing.isEmpty ? false : missing[index] != 0
            )
            if mode == .member {
                guard let set = members.popFirst() else { throw .invalid("a branch by membership has no members") }
                branch.members = set
            }
            branches.append(branch)
        }
        roots = try call.integers("tree_roots") ?? []
        for (place, root) in roots.enumerated() {
            guard branches.indices.contains(root) else { throw .invalid("a tree has no root \(root)") }
            // A tree that is one leaf is written as a branch of which both ways lead there.
            let branch = branches[root]
            if branch.yes < 0, branch.yes == branch.no { roots[place] = branch.yes }
        }
        try finish()
    }
}

extension Array where Element == Double {
    /// Runs that end with a number of which `isEnd` holds.
    fileprivate func runs(endingWhere isEnd: (Double) -> Bool) -> [[Double]] {
        var (runs, run): ([[Double]], [Double]) = ([], [])
        for value in self {
            if isEnd(value) {
                runs.append(run)
                run = []
            } else {
                run.append(value)
            }
        }
        return run.isEmpty ? runs : runs + [run]
    }
}
