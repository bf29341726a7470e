// Sixteen floats at a time, 32 registers, masked tails. HAS_VNNI and HAS_BF16 say what the including file may use.
typedef __m512 lanes;
#define LANES 16

// Three panels side by side: 9 × 3 sums, 3 weights and 1 input are 31 of 32 registers. For 27 multiplications a tile
// loads 12 times; 12 × 2 would load 14 times for 24. The widths of encoders (384, 768, 1,024 × 3) are whole groups.
#define TILE_ROWS 9
#define TILE_REGISTERS 3

// Two blocks of output channels: 14 × 2 sums, 2 weights and 1 input are 31 of 32, and images are 7, 14, 28 … wide.
#define CONVOLUTION_PIXELS 14
// 8 sums, a row of 5 weights and 1 input are 14 of 32; a map of 7 × 7 is one tile wide.
#define DEPTHWISE_PIXELS 8

// The compiler may not see what becomes of x.
static inline void hide(lanes *x) { __asm__ volatile("" : "+v"(*x)); }

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

// x[i, j] becomes x[j, i].
static inline void transpose(lanes x[LANES]) {
    lanes y[LANES];
    for (int i = 0; i < LANES; i += 4) {
        lanes a = _mm512_unpacklo_ps(x[i], x[i + 1]), b = _mm512_unpackhi_ps(x[i], x[i + 1]);
        lanes c = _mm512_unpacklo_ps(x[i + 2], x[i + 3]), d = _mm512_unpackhi_ps(x[i + 2], x[i + 3]);
        y[i] = _mm512_shuffle_ps(a, c, 0x44);
        y[i + 1] = _mm512_shuffle_ps(a, c, 0xee);
        y[i + 2] = _mm512_shuffle_ps(b, d, 0x44);
        y[i + 3] = _mm512_shuffle_ps(b, d, 0xee);
    }
    // Now the quarter q of y[4 · g + j] is column 4 · q + j of the rows 4 · g to 4 · g + 3.
    for (int j = 0; j < 4; j++) {
        lanes a = _mm512_shuffle_f32x4(y[j], y[4 + j], 0x44), b = _mm512_shuffle_f32x4(y[j], y[4 + j], 0xee);
        lanes c = _mm512_shuffle_f32x4(y[8 + j], y[12 + j], 0x44), d = _mm512_shuffle_f32x4(y[8 + j], y[12 + j], 0xee);
        x[j] = _mm512_shuffle_f32x4(a, c, 0x88);
        x[4 + j] = _mm512_shuffle_f32x4(a, c, 0xdd);
        x[8 + j] = _mm512_shuffle_f32x4(b, d, 0x88);
        x[12 + j] = _mm512_shuffle_f32x4(b, d, 0xdd);
    }
}

// The products of the formats. A lane of `x` and `w` holds two bfloat16 or four bytes.
static inline lanes sum_of_pairs(lanes sum, lanes x, lanes w) {
#ifdef HAS_BF16
    return _mm512_dpbf16_ps(sum, (__m512bh)x, (__m512bh)w);
#else
    __m512i high = _mm512_set1_epi32((int32_t)0xffff0000);
    __m512i a = _mm512_castps_si512(x), b = _mm512_castps_si512(w);
    lanes even = _mm512_castsi512_ps(_mm512_slli_epi32(a, 16)), odd = _mm512_castsi512_ps(_mm512_and_si512(a, high));
    sum = fused(even, _mm512_castsi512_ps(_mm512_slli_epi32(b, 16)), sum);
    return fused(odd, _mm512_castsi512_ps(_mm512_and_si512(b, high)), sum);
#endif
}
// Sums are integers in the bits of lanes: x without signs, w with signs.
static inline lanes sum_of_fours(lanes sum, lanes x, lanes w) {
    __m512i total = _mm512_castps_si512(sum), a = _mm512_castps_si512(x), b = _mm512_castps_si512(w);
#ifdef HAS_VNNI
    return _mm512_castsi512_ps(_mm512_dpbusd_epi32(total, a, b));
#else
    // Widened to 16 bits, bytes 0 and 2, then 1 and 3: `vpmaddubsw` would saturate.
    __m512i x_even = _mm512_and_si512(a, _mm512_set1_epi16(0xff)), x_odd = _mm512_srli_epi16(a, 8);
    __m512i w_even = _mm512_srai_epi16(_mm512_slli_epi16(b, 8), 8), w_odd = _mm512_srai_epi16(b, 8);
    total = _mm512_add_epi32(total, _mm512_madd_epi16(x_even, w_even));
    return _mm512_castsi512_ps(_mm512_add_epi32(total, _mm512_madd_epi16(x_odd, w_odd)));
#endif
}
// sum − zero · total, all of them integers; the difference as floats.
static inline lanes without(lanes sum, int32_t zero, lanes total) {
    __m512i part = _mm512_mullo_epi32(_mm512_set1_epi32(zero), _mm512_castps_si512(total));
    return _mm512_cvtepi32_ps(_mm512_sub_epi32(_mm512_castps_si512(sum), part));
}
// Sixteen bfloat16, to the nearest.
static inline void store_bf16(char *to, lanes x) {
#ifdef HAS_BF16
    _mm256_storeu_si256((__m256i *)to, (__m256i)_mm512_cvtneps_pbh(x));
#else
    __m512i bits = _mm512_castps_si512(x), high = _mm512_srli_epi32(bits, 16);
    __m512i last = _mm512_and_si512(high, _mm512_set1_epi32(1));
    __m512i nearest = _mm512_add_epi32(_mm512_add_epi32(bits, _mm512_set1_epi32(0x7fff)), last);
    __m512i nan = _mm512_or_si512(high, _mm512_set1_epi32(0x40));
    nearest = _mm512_srli_epi32(nearest, 16);
    nearest = _mm512_mask_mov_epi32(nearest, _mm512_cmp_ps_mask(x, x, _CMP_UNORD_Q), nan);
    _mm256_storeu_si256((__m256i *)to, _mm512_cvtepi32_epi16(nearest));
#endif
}
#ifdef HAS_BF16
// Thirty-two bfloat16 in the bits of sixteen lanes: low, then high.
static inline lanes rounded_pairs(lanes low, lanes high) { return (lanes)_mm512_cvtne2ps_pbh(high, low); }
// The same, each of even before its neighbour of odd.
static inline lanes rounded_side_by_side(lanes even, lanes odd) {
    __m512i turns = _mm512_set_epi16(
        31, 15, 30, 14, 29, 13, 28, 12, 27, 11, 26, 10, 25, 9, 24, 8, 23, 7, 22, 6, 21, 5, 20, 4, 19, 3, 18, 2, 17, 1,
        16, 0);
    return (lanes)_mm512_permutexvar_epi16(turns, (__m512i)rounded_pairs(even, odd));
}
#endif
// Sixteen whole numbers as bytes, those out of 0…255 as the nearest end.
static inline void store_bytes(char *to, lanes x) {
    __m512i whole = _mm512_cvtps_epi32(greater(x, broadcast(0.0f)));
    _mm_storeu_si128((__m128i *)to, _mm512_cvtusepi32_epi8(whole));
}
