// Eight floats at a time, 16 registers.
#include "blocks.h"
#include "variants.h"

#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)

typedef __m256 lanes;
#define LANES 8

// One panel is two registers wide: 6 × 2 sums, 2 weights and 1 input are 15 of 16 registers.
#define TILE_ROWS 6
#define TILE_PANELS 1

// The same tile: one block of output channels.
#define CONVOLUTION_PIXELS 6
// 4 sums, a row of 5 weights and 1 input are 10 of 16.
#define DEPTHWISE_PIXELS 4

static inline lanes broadcast(float x) { return _mm256_set1_ps(x); }
static inline lanes load(const float *from) { return _mm256_loadu_ps(from); }
static inline void store(float *to, lanes x) { _mm256_storeu_ps(to, x); }

// All bits of the first `count` (1…8) lanes.
static inline __m256i first(int64_t count) {
    return _mm256_cmpgt_epi32(_mm256_set1_epi32((int32_t)count), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7));
}
// The first `count` (1…8) floats; the other lanes are zero.
static inline lanes load_first(const float *from, int64_t count) { return _mm256_maskload_ps(from, first(count)); }
static inline void store_first(float *to, lanes x, int64_t count) { _mm256_maskstore_ps(to, first(count), x); }

// a · b + c, rounded once.
static inline lanes fused(lanes a, lanes b, lanes c) { return _mm256_fmadd_ps(a, b, c); }
// The greater and the smaller; b where either is NaN.
static inline lanes greater(lanes a, lanes b) { return _mm256_max_ps(a, b); }
static inline lanes smaller(lanes a, lanes b) { return _mm256_min_ps(a, b); }
static inline float sum_of(lanes x) {
    __m128 four = _mm_add_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
}
static inline float greatest_of(lanes x) {
    __m128 four = _mm_max_ps(_mm256_castps256_ps128(x), _mm256_extractf128_ps(x, 1));
    __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
    return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
}
static inline lanes rounded(lanes x) { return _mm256_round_ps(x, _MM_FROUND_TO_NEAREST_INT | _MM_FROUND_NO_EXC); }
// 2ⁿ for a normal result: n becomes the exponent.
static inline lanes power(__m256i n) {
    return _mm256_castsi256_ps(_mm256_slli_epi32(_mm256_add_epi32(n, _mm256_set1_epi32(127)), 23));
}
// x · 2ⁿ in two factors, so that each is normal where the result is subnormal or infinite.
static inline lanes scaled(lanes x, lanes n) {
    __m256i whole = _mm256_cvtps_epi32(n), half = _mm256_srai_epi32(whole, 1);
    return x * power(half) * power(_mm256_sub_epi32(whole, half));
}
static inline lanes magnitude(lanes x) { return _mm256_andnot_ps(_mm256_set1_ps(-0.0f), x); }
static inline lanes with_sign_of(lanes x, lanes sign) {
    return _mm256_or_ps(x, _mm256_and_ps(sign, _mm256_set1_ps(-0.0f)));
}
// The first `count` (1…8) lanes of x, then those of other.
static inline lanes only_first(lanes x, lanes other, int64_t count) {
    return _mm256_blendv_ps(other, x, _mm256_castsi256_ps(first(count)));
}
// Lane by lane: a < b ? x : y.
static inline lanes where_less(lanes a, lanes b, lanes x, lanes y) {
    return _mm256_blendv_ps(y, x, _mm256_cmp_ps(a, b, _CMP_LT_OQ));
}

#define VARIANT thaw_avx2
#define VARIANT_NAME "avx2"
#include "wide/all.h"

#pragma clang attribute pop
