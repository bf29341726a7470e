// Eight floats at a time, 16 registers.
#ifdef __x86_64__
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
#define TILE_REGISTERS 2

// The same tile: one block of output channels.
#define CONVOLUTION_PIXELS 6
// 4 sums, a row of 5 weights and 1 input are 10 of 16.
#define DEPTHWISE_PIXELS 4

// The compiler may not see what becomes of x.
static inline void hide(lanes *x) { __asm__ volatile("" : "+x"(*x)); }

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

// x[i, j] becomes x[j, i].
static inline void transpose(lanes x[LANES]) {
    lanes y[LANES];
    for (int i = 0; i < LANES; i += 4) {
        lanes a = _mm256_unpacklo_ps(x[i], x[i + 1]), b = _mm256_unpackhi_ps(x[i], x[i + 1]);
        lanes c = _mm256_unpacklo_ps(x[i + 2], x[i + 3]), d = _mm256_unpackhi_ps(x[i + 2], x[i + 3]);
        y[i] = _mm256_shuffle_ps(a, c, 0x44);
        y[i + 1] = _mm256_shuffle_ps(a, c, 0xee);
        y[i + 2] = _mm256_shuffle_ps(b, d, 0x44);
        y[i + 3] = _mm256_shuffle_ps(b, d, 0xee);
    }
    // Now the half h of y[4 · g + j] is column 4 · h + j of the rows 4 · g to 4 · g + 3.
    for (int j = 0; j < 4; j++) {
        x[j] = _mm256_permute2f128_ps(y[j], y[4 + j], 0x20);
        x[4 + j] = _mm256_permute2f128_ps(y[j], y[4 + j], 0x31);
    }
}

// The products of the formats. A lane of `x` and `w` holds two bfloat16 or four bytes.
static inline lanes sum_of_pairs(lanes sum, lanes x, lanes w) {
    __m256i high = _mm256_set1_epi32((int32_t)0xffff0000);
    __m256i a = _mm256_castps_si256(x), b = _mm256_castps_si256(w);
    lanes even = _mm256_castsi256_ps(_mm256_slli_epi32(a, 16)), odd = _mm256_castsi256_ps(_mm256_and_si256(a, high));
    sum = fused(even, _mm256_castsi256_ps(_mm256_slli_epi32(b, 16)), sum);
    return fused(odd, _mm256_castsi256_ps(_mm256_and_si256(b, high)), sum);
}
// Sums are integers in the bits of lanes: x without signs, w with signs. Widened to 16 bits, bytes 0 and 2, then 1 and
// 3: `vpmaddubsw` would saturate.
static inline lanes sum_of_fours(lanes sum, lanes x, lanes w) {
    __m256i total = _mm256_castps_si256(sum), a = _mm256_castps_si256(x), b = _mm256_castps_si256(w);
    __m256i x_even = _mm256_and_si256(a, _mm256_set1_epi16(0xff)), x_odd = _mm256_srli_epi16(a, 8);
    __m256i w_even = _mm256_srai_epi16(_mm256_slli_epi16(b, 8), 8), w_odd = _mm256_srai_epi16(b, 8);
    total = _mm256_add_epi32(total, _mm256_madd_epi16(x_even, w_even));
    return _mm256_castsi256_ps(_mm256_add_epi32(total, _mm256_madd_epi16(x_odd, w_odd)));
}
// sum − zero · total, all of them integers; the difference as floats.
static inline lanes without(lanes sum, int32_t zero, lanes total) {
    __m256i part = _mm256_mullo_epi32(_mm256_set1_epi32(zero), _mm256_castps_si256(total));
    return _mm256_cvtepi32_ps(_mm256_sub_epi32(_mm256_castps_si256(sum), part));
}
// Eight bfloat16, to the nearest.
static inline void store_bf16(char *to, lanes x) {
    __m256i bits = _mm256_castps_si256(x), high = _mm256_srli_epi32(bits, 16);
    __m256i last = _mm256_and_si256(high, _mm256_set1_epi32(1));
    __m256i nearest = _mm256_add_epi32(_mm256_add_epi32(bits, _mm256_set1_epi32(0x7fff)), last);
    __m256i nan = _mm256_or_si256(high, _mm256_set1_epi32(0x40));
    __m256i is_nan = _mm256_castps_si256(_mm256_cmp_ps(x, x, _CMP_UNORD_Q));
    nearest = _mm256_blendv_epi8(_mm256_srli_epi32(nearest, 16), nan, is_nan);
    __m128i low = _mm256_castsi256_si128(nearest), upper = _mm256_extracti128_si256(nearest, 1);
    _mm_storeu_si128((__m128i *)to, _mm_packus_epi32(low, upper));
}
// Eight whole numbers as bytes, those out of 0…255 as the nearest end.
static inline void store_bytes(char *to, lanes x) {
    __m256i whole = _mm256_cvtps_epi32(smaller(greater(x, broadcast(0.0f)), broadcast(255.0f)));
    __m128i words = _mm_packus_epi32(_mm256_castsi256_si128(whole), _mm256_extracti128_si256(whole, 1));
    _mm_storel_epi64((__m128i *)to, _mm_packus_epi16(words, words));
}

#define VARIANT thaw_avx2
#define VARIANT_NAME "avx2"
#include "wide/all.h"

#pragma clang attribute pop

#endif
