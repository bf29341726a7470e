import Kernels
import Testing

@testable import Graphs

@Suite("Decision trees")
struct TreeTests {
    /// A forest of random shape whose leaves add to one of `targets`.
    private func attributes(_ numbers: inout SeededNumbers, trees: Int, targets: Int, modes: [String]) -> [String:
        Attribute]
    {
        var (treeIDs, nodeIDs, features, yes, no): ([Int], [Int], [Int], [Int], [Int]) = ([], [], [], [], [])
        var (values, kinds, missing): ([Float], [String], [Int]) = ([], [], [])
        var (leafTrees, leafNodes, leafTargets, weights): ([Int], [Int], [Int], [Float]) = ([], [], [], [])
        for tree in 0..<trees {
            var waiting = [(node: 0, depth: 0)]
            var known = 1
            while let (node, depth) = waiting.popLast() {
                let isLeaf = depth == 6 || (depth > 0 && numbers.next(below: 4) == 0)
                treeIDs.append(tree)
                nodeIDs.append(node)
                features.append(isLeaf ? 0 : numbers.next(below: 5))
                values.append(isLeaf ? 0 : Float(numbers.next(below: 9)) - 4)
                kinds.append(isLeaf ? "LEAF" : modes[numbers.next(below: modes.count)])
                missing.append(numbers.next(below: 2))
                yes.append(isLeaf ? 0 : known)
                no.append(isLeaf ? 0 : known + 1)
                if isLeaf {
                    leafTrees.append(tree)
                    leafNodes.append(node)
                    leafTargets.append(numbers.next(below: targets))
                    weights.append(Float(numbers.next(below: 64)) - 32)
                } else {
                    waiting += [(known, depth + 1), (known + 1, depth + 1)]
                    known += 2
                }
            }
        }
        return [
            "nodes_treeids": .integers(treeIDs), "nodes_nodeids": .integers(nodeIDs),
            "nodes_featureids": .integers(features), "nodes_values": .floats(values), "nodes_modes": .strings(kinds),
            "nodes_truenodeids": .integers(yes), "nodes_falsenodeids": .integers(no),
            "nodes_missing_value_tracks_true": .integers(missing), "target_treeids": .integers(leafTrees),
            "target_nodeids": .integers(leafNodes), "target_ids": .integers(leafTargets),
            "target_weights": .floats(weights), "n_targets": .integer(targets),
        ]
    }

    @Test(
        "The kernel's layout and the plain one give every row the same, at ties and with missing numbers",
        arguments: 0..<24 as Range<UInt64>
    )
    func agrees(_ seed: UInt64) throws {
        var numbers = SeededNumbers(seed: seed)
        let modes = ["BRANCH_LEQ", "BRANCH_LT", "BRANCH_GTE", "BRANCH_GT"]
        let attributes = attributes(
            &numbers,
            trees: 1 + numbers.next(below: 21),
            targets: seed % 2 == 0 ? 1 : 3,
            modes: modes
        )
        let rows = [1, 7, 8, 27][numbers.next(below: 4)]
        // Thresholds are whole numbers, so half of all rows meet one.
        let x = (0..<rows * 5).map { _ in
            seed % 3 == 0 && numbers.next(below: 9) == 0 ? Float.nan : Float(numbers.next(below: 17)) / 2 - 4
        }
        let trial = OperatorTrial(
            name: "TreeEnsembleRegressor",
            domain: "ai.onnx.ml",
            version: 3,
            attributes: attributes
        )
        let fast = try trial.tensor(Tensor(x, shape: [rows, 5]))
        // Doubles go through the plain form.
        let plain = try trial.tensor(Tensor(x.map(Double.init), shape: [rows, 5]))
        #expect(fast.array(of: Float.self) == plain.array(of: Float.self))
        #expect(fast.shape == [rows, seed % 2 == 0 ? 1 : 3])
    }

    @Test("A tree without a way in, or with two ways to one node, is refused")
    func circles() {
        let circle: [String: Attribute] = [
            "nodes_treeids": .integers([0, 0, 0]), "nodes_nodeids": .integers([0, 1, 2]),
            "nodes_featureids": .integers([0, 0, 0]), "nodes_values": .floats([1, 1, 1]),
            "nodes_modes": .strings(["BRANCH_LEQ", "BRANCH_LEQ", "LEAF"]),
            "nodes_truenodeids": .integers([1, 1, 0]), "nodes_falsenodeids": .integers([2, 2, 0]),
        ]
        let trial = OperatorTrial(name: "TreeEnsembleRegressor", domain: "ai.onnx.ml", version: 3, attributes: circle)
        #expect(throws: GraphError.self) { try trial.tensor(Tensor([1] as [Float], shape: [1, 1])) }
    }

    @Test("Rows with fewer features than the trees read are refused")
    func narrow() {
        var numbers = SeededNumbers(seed: 5)
        let attributes = attributes(&numbers, trees: 4, targets: 1, modes: ["BRANCH_LEQ"])
        let trial = OperatorTrial(
            name: "TreeEnsembleRegressor",
            domain: "ai.onnx.ml",
            version: 3,
            attributes: attributes
        )
        #expect(throws: GraphError.self) { try trial.tensor(Tensor([1] as [Float], shape: [1, 1])) }
    }
}
