// The tables of all variants, and what their files share.
#ifndef THAW_VARIANTS_H
#define THAW_VARIANTS_H

#include "include/kernels.h"

#include <math.h>

extern const struct thaw_kernels thaw_scalar;
extern const struct thaw_kernels thaw_avx2;
extern const struct thaw_kernels thaw_avx512;
extern const struct thaw_kernels thaw_avx512_vnni;
extern const struct thaw_kernels thaw_avx512_bf16;
extern const struct thaw_kernels thaw_neon;
extern const struct thaw_kernels thaw_neon_dot;
extern const struct thaw_kernels thaw_neon_bf16;

static inline int64_t thaw_padded(int64_t count) {
    return (count + THAW_PANEL_COLUMNS - 1) / THAW_PANEL_COLUMNS * THAW_PANEL_COLUMNS;
}

// How a row of floats was made integers: x ≈ scale · (integer − zero).
struct thaw_row {
    float scale;
    int32_t zero;
};

// least ≤ 0 ≤ most are the row's bounds. Zero itself is always an integer, so that nothing stays nothing.
static inline struct thaw_row thaw_row_of(float least, float most) {
    float scale = (most - least) / 255.0f;
    // Of a row of zeros, or of numbers so small that one over them is infinite, nothing is left.
    if (scale < 1e-37f) {
        return (struct thaw_row){.scale = 0.0f, .zero = 0};
    }
    // Where the row is not finite its integers mean nothing, and its scale says so in every result.
    float zero = scale <= 3.4e38f ? rintf((0.0f - least) * (1.0f / scale)) : 0.0f;
    return (struct thaw_row){.scale = scale, .zero = (int32_t)zero};
}

// To the nearest bfloat16, ties to even; NaN stays NaN.
static inline uint16_t thaw_nearest_bf16(float x) {
    uint32_t bits;
    __builtin_memcpy(&bits, &x, sizeof bits);
    if (x != x) {
        return (uint16_t)(bits >> 16 | 0x40);
    }
    return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

// A row shorter than this has no direction: torch.nn.functional.normalize uses the same bound.
#define THAW_NORM_MIN 1e-12f

#endif
