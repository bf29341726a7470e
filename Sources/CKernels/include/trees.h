// Forests of decision trees: each row falls through all trees, a few falls at a time.
#ifndef THAW_TREES_H
#define THAW_TREES_H

#include <stdint.h>

// A branch goes on to the node `step` ahead where the row's feature is ≤ threshold, and to the one after that where
// not. A leaf has the step 0, the feature that is one past the row's own, and its number as the threshold's bits.
struct thaw_tree_node {
    float threshold;
    uint16_t feature;
    uint16_t step;
};

// Rows that fall through a tree together: chains of loads that wait for nothing but their own last step.
#define THAW_TREE_ROWS 8

// Leaves' numbers [trees, THAW_TREE_ROWS] of THAW_TREE_ROWS rows, which lie feature by feature:
// x[(features + 1) · THAW_TREE_ROWS], the last feature −∞ everywhere; NaN is nowhere. A tree is at roots[t] and no
// deeper than depths[t].
void thaw_trees_of_rows(
    const struct thaw_tree_node *_Nonnull nodes, const int32_t *_Nonnull roots, const int32_t *_Nonnull depths,
    int64_t trees, const float *_Nonnull x, int32_t *_Nonnull leaves);

// The same of one row x[features + 1]: leaves[trees].
void thaw_trees_of_row(
    const struct thaw_tree_node *_Nonnull nodes, const int32_t *_Nonnull roots, const int32_t *_Nonnull depths,
    int64_t trees, const float *_Nonnull x, int32_t *_Nonnull leaves);

// sums[r] += weights[leaf] of every tree, in the trees' order; leaves [trees, rows] as above.
void thaw_trees_sum(
    const int32_t *_Nonnull leaves, int64_t trees, int64_t rows, const float *_Nonnull weights, float *_Nonnull sums);

#endif
