// A step is one load of a node, one of a feature, a compare and an addition; eight independent falls keep the processor
// busy while each waits for its own loads. Every instruction set has these, so there is one variant.
#include "include/trees.h"

#include <string.h>

static inline uint32_t next(const struct thaw_tree_node *nodes, uint32_t at, const float *x, int64_t spread) {
    const struct thaw_tree_node *node = nodes + at;
    return at + node->step + (uint32_t)(x[node->feature * spread] > node->threshold);
}

static inline int32_t number(const struct thaw_tree_node *leaf) {
    int32_t number;
    memcpy(&number, &leaf->threshold, sizeof number);
    return number;
}

void thaw_trees_of_rows(
    const struct thaw_tree_node *nodes, const int32_t *roots, const int32_t *depths, int64_t trees, const float *x,
    int32_t *leaves
) {
    for (int64_t tree = 0; tree < trees; tree++, leaves += THAW_TREE_ROWS) {
        const struct thaw_tree_node *base = nodes + roots[tree];
        uint32_t a = 0, b = 0, c = 0, d = 0, e = 0, f = 0, g = 0, h = 0;
        for (int32_t level = depths[tree]; level > 0; level--) {
            a = next(base, a, x, THAW_TREE_ROWS);
            b = next(base, b, x + 1, THAW_TREE_ROWS);
            c = next(base, c, x + 2, THAW_TREE_ROWS);
            d = next(base, d, x + 3, THAW_TREE_ROWS);
            e = next(base, e, x + 4, THAW_TREE_ROWS);
            f = next(base, f, x + 5, THAW_TREE_ROWS);
            g = next(base, g, x + 6, THAW_TREE_ROWS);
            h = next(base, h, x + 7, THAW_TREE_ROWS);
        }
        leaves[0] = number(base + a);
        leaves[1] = number(base + b);
        leaves[2] = number(base + c);
        leaves[3] = number(base + d);
        leaves[4] = number(base + e);
        leaves[5] = number(base + f);
        leaves[6] = number(base + g);
        leaves[7] = number(base + h);
    }
}

void thaw_trees_of_row(
    const struct thaw_tree_node *nodes, const int32_t *roots, const int32_t *depths, int64_t trees, const float *x,
    int32_t *leaves
) {
    int64_t tree = 0;
    for (; tree + 8 <= trees; tree += 8) {
        const int32_t *root = roots + tree;
        uint32_t a = (uint32_t)root[0], b = (uint32_t)root[1], c = (uint32_t)root[2], d = (uint32_t)root[3];
        uint32_t e = (uint32_t)root[4], f = (uint32_t)root[5], g = (uint32_t)root[6], h = (uint32_t)root[7];
        int32_t deepest = 0;
        for (int64_t i = 0; i < 8; i++) {
            deepest = depths[tree + i] > deepest ? depths[tree + i] : deepest;
        }
        for (int32_t level = deepest; level > 0; level--) {
            a = next(nodes, a, x, 1);
            b = next(nodes, b, x, 1);
            c = next(nodes, c, x, 1);
            d = next(nodes, d, x, 1);
            e = next(nodes, e, x, 1);
            f = next(nodes, f, x, 1);
            g = next(nodes, g, x, 1);
            h = next(nodes, h, x, 1);
        }
        leaves[tree] = number(nodes + a);
        leaves[tree + 1] = number(nodes + b);
        leaves[tree + 2] = number(nodes + c);
        leaves[tree + 3] = number(nodes + d);
        leaves[tree + 4] = number(nodes + e);
        leaves[tree + 5] = number(nodes + f);
        leaves[tree + 6] = number(nodes + g);
        leaves[tree + 7] = number(nodes + h);
    }
    for (; tree < trees; tree++) {
        uint32_t at = (uint32_t)roots[tree];
        for (int32_t level = depths[tree]; level > 0; level--) {
            at = next(nodes, at, x, 1);
        }
        leaves[tree] = number(nodes + at);
    }
}

void thaw_trees_sum(const int32_t *leaves, int64_t trees, int64_t rows, const float *weights, float *sums) {
    for (int64_t tree = 0; tree < trees; tree++, leaves += rows) {
        for (int64_t row = 0; row < rows; row++) {
            sums[row] += weights[leaves[row]];
        }
    }
}
