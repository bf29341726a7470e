import CKernels

/// Decision trees laid out for the kernel: every branch is `feature ≤ threshold`, siblings lie side by side.
package struct Forest: Sendable {
    /// A branch or a leaf, with its children by their places in the same tree.
    package enum Node: Sendable {
        case branch(feature: Int, threshold: Float, yes: Int, no: Int)
        case leaf(Int)
    }

    /// Rows that fall together.
    package static let rowsTogether = Int(THAW_TREE_ROWS)

    /// The least number of features that a row has.
    package let features: Int
    package var trees: Int { roots.count }
    /// One more than the greatest number of a leaf.
    private var leafCount = 0
    private var nodes: [thaw_tree_node] = []
    private var roots: [Int32] = []
    private var depths: [Int32] = []

    /// Lays out trees; nil where one is too large for the layout, reads a feature beyond it, or is no tree.
    /// - Parameter trees: the root of each is its first node.
    package init?(_ trees: [[Node]], features: Int) {
        guard features < Int(UInt16.max) else { return nil }
        self.features = features
        for tree in trees {
            guard add(tree) else { return nil }
        }
    }

    /// Breadth first, so that the first steps of all rows share lines of the cache.
    private mutating func add(_ tree: [Node]) -> Bool {
        let start = nodes.count
        guard !tree.isEmpty, start + tree.count < Int(Int32.max) else { return false }
        var queue: [(node: Int, depth: Int)] = [(0, 0)]
        var deepest = 0
        var next = 0
        while next < queue.count {
            let (index, depth) = queue[next]
            deepest = max(deepest, depth)
            guard tree.indices.contains(index) else { return false }
            switch tree[index] {
            case .leaf(let number):
                guard number >= 0, number < 0x7f80_0000 else { return false }
                leafCount = max(leafCount, number + 1)
                let bits = Float(bitPattern: UInt32(number))
                nodes.append(thaw_tree_node(threshold: bits, feature: UInt16(features), step: 0))
            case .branch(let feature, let threshold, let yes, let no):
                let step = queue.count - next
                guard step <= Int(UInt16.max), feature >= 0, feature < features, threshold.isFinite,
                    queue.count + 2 <= tree.count
                else { return false }
                nodes.append(
                    thaw_tree_node(threshold: threshold, feature: UInt16(feature), step: UInt16(step))
                )
                queue.append((yes, depth + 1))
                queue.append((no, depth + 1))
            }
            next += 1
        }
        roots.append(Int32(start))
        depths.append(Int32(deepest))
        return true
    }

    /// Numbers of the leaves of ``rowsTogether`` rows: leaves[trees, rows].
    ///
    /// `x` is [features + 1, rows], no NaN among it; the last feature is −∞.
    package func leavesOfRows(_ x: borrowing Span<Float>, leaves: inout MutableSpan<Int32>) {
        precondition(x.count >= (features + 1) * Self.rowsTogether && leaves.count >= trees * Self.rowsTogether)
        for row in 0..<Self.rowsTogether { precondition(x[features * Self.rowsTogether + row] == -.infinity) }
        unsafe x.withUnsafeBufferPointer { x in
            unsafe leaves.withUnsafeMutableBufferPointer { leaves in
                guard let x = x.baseAddress, let leaves = leaves.baseAddress else { return }
                unsafe thaw_trees_of_rows(nodes, roots, depths, Int64(trees), x, leaves)
            }
        }
    }

    /// Numbers of the leaves of one row: leaves[trees]; `x` is [features + 1] as in ``leavesOfRows(_:leaves:)``.
    package func leavesOfRow(_ x: borrowing Span<Float>, leaves: inout MutableSpan<Int32>) {
        precondition(x.count > features && leaves.count >= trees && x[features] == -.infinity)
        unsafe x.withUnsafeBufferPointer { x in
            unsafe leaves.withUnsafeMutableBufferPointer { leaves in
                guard let x = x.baseAddress, let leaves = leaves.baseAddress else { return }
                unsafe thaw_trees_of_row(nodes, roots, depths, Int64(trees), x, leaves)
            }
        }
    }

    /// sums[r] += weights[leaf] over leaves[trees, rows]; the leaves are those of a forest with as many weights.
    package func sum(
        _ leaves: borrowing Span<Int32>,
        rows: Int,
        weights: borrowing Span<Float>,
        sums: inout MutableSpan<Float>,
        at first: Int
    ) {
        precondition(leaves.count >= trees * rows && first >= 0 && first + rows <= sums.count)
        precondition(weights.count >= leafCount)
        unsafe leaves.withUnsafeBufferPointer { leaves in
            unsafe weights.withUnsafeBufferPointer { weights in
                unsafe sums.withUnsafeMutableBufferPointer { sums in
                    guard let leaves = leaves.baseAddress, let weights = weights.baseAddress,
                        let sums = sums.baseAddress
                    else { return }
                    unsafe thaw_trees_sum(leaves, Int64(trees), Int64(rows), weights, sums + first)
                }
            }
        }
    }
}
