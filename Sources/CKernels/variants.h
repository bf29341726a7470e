// The tables of all variants, and what their files share.
#ifndef THAW_VARIANTS_H
#define THAW_VARIANTS_H

#include "include/kernels.h"

extern const struct thaw_kernels thaw_scalar;
extern const struct thaw_kernels thaw_avx2;
extern const struct thaw_kernels thaw_avx512;

static inline int64_t thaw_padded(int64_t count) {
    return (count + THAW_PANEL_COLUMNS - 1) / THAW_PANEL_COLUMNS * THAW_PANEL_COLUMNS;
}

// A row shorter than this has no direction: torch.nn.functional.normalize uses the same bound.
#define THAW_NORM_MIN 1e-12f

#endif
