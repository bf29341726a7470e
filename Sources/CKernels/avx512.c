// Sixteen floats at a time, 32 registers, masked tails.
#include "blocks.h"
#include "variants.h"

#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f"))), apply_to = function)

typedef __m512 lanes;
#define LANES 16

// Two panels side by side. 12 × 2 sums, 2 weights and 1 input leave 5 of 32 registers free; 24 independent sums are
// three times what hides the latency of an FMA on two ports (4 cycles × 2).
#define TILE_ROWS 12
#define TILE_PANELS 2

// Two blocks of output channels: 14 × 2 sums, 2 weights and 1 input are 31 of 32, and images are 7, 14, 28 … wide.
#define CONVOLUTION_PIXELS 14
// 8 sums, a row of 5 weights and 1 input are 14 of 32; a map of 7 × 7 is one tile wide.
#define DEPTHWISE_PIXELS 8

static inline lanes broadcast(float x) { return _mm512_set1_ps(x); }
static inline lanes load(const float *from) { return _mm512_loadu_ps(from); }
static inline void store(float *to, lanes x) { _mm512_storeu_ps(to, x); }

// The first `count` (1…16) floats; the other lanes are zero.
static inline lanes load_first(const float *from, int64_t count) {
    return _mm512_maskz_loadu_ps((__mmask16)(0xffff >> (16 - count)), from);
}
static inline void store_first(float *to, lanes x, int64_t count) {
    _mm512_mask_storeu_ps(to, (__mmask16)(0xffff >> (16 - count)), x);
}

// a · b + c, rounded once.
static inline lanes fused(lanes a, lanes b, lanes c) { return _mm512_fmadd_ps(a, b, c); }
// The greater and the smaller; b where either is NaN.
static inline lanes greater(lanes a, lanes b) { return _mm512_max_ps(a, b); }
static inline lanes smaller(lanes a, lanes b) { return _mm512_min_ps(a, b); }
static inline float sum_of(lanes x) { return _mm512_reduce_add_ps(x); }
static inline float greatest_of(lanes x) { return _mm512_reduce_max_ps(x); }
static inline lanes rounded(lanes x) {
    return _mm512_roundscale_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC);
}
// x · 2ⁿ, also where the result is subnormal or infinite.
static inline lanes scaled(lanes x, lanes n) { return _mm512_scalef_ps(x, n); }
static inline lanes magnitude(lanes x) { return _mm512_abs_ps(x); }
static inline lanes with_sign_of(lanes x, lanes sign) {
    __m512i bit = _mm512_set1_epi32(INT32_MIN);
    return _mm512_castsi512_ps(
        _mm512_or_si512(_mm512_castps_si512(x), _mm512_and_si512(_mm512_castps_si512(sign), bit)));
}
// The first `count` (1…16) lanes of x, then those of other.
static inline lanes only_first(lanes x, lanes other, int64_t count) {
    return _mm512_mask_blend_ps((__mmask16)(0xffff >> (16 - count)), other, x);
}
// Lane by lane: a < b ? x : y.
static inline lanes where_less(lanes a, lanes b, lanes x, lanes y) {
    return _mm512_mask_blend_ps(_mm512_cmp_ps_mask(a, b, _CMP_LT_OQ), y, x);
}

#define VARIANT thaw_avx512
#define VARIANT_NAME "avx512"
#include "wide/all.h"

#pragma clang attribute pop
