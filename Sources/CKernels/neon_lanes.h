// Eight floats at a time in two of 32 registers; tails by single floats. HAS_DOT and HAS_BF_DOT say what the including
// file may use.
typedef float lanes __attribute__((vector_size(32)));
typedef int32_t lane_bits __attribute__((vector_size(32)));
#define LANES 8

// One panel is four registers wide: 6 × 4 sums, 4 weights and an input are 29 of 32 registers.
#define TILE_ROWS 6
#define TILE_REGISTERS 2

// The same tile: one block of output channels.
#define CONVOLUTION_PIXELS 6
// 8 sums, a row of 5 weights in 10, and 2 of input are 20 of 32.
#define DEPTHWISE_PIXELS 4

static inline lanes broadcast(float x) { return (lanes){x, x, x, x, x, x, x, x}; }
static inline lanes halves(float32x4_t low, float32x4_t high) {
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}
static inline float32x4_t low_half(lanes x) { return __builtin_shufflevector(x, x, 0, 1, 2, 3); }
static inline float32x4_t high_half(lanes x) { return __builtin_shufflevector(x, x, 4, 5, 6, 7); }
static inline lanes load(const float *from) { return halves(vld1q_f32(from), vld1q_f32(from + 4)); }
static inline void store(float *to, lanes x) {
    vst1q_f32(to, low_half(x));
    vst1q_f32(to + 4, high_half(x));
}

// The first `count` (0…4) floats; the other lanes are zero.
static inline float32x4_t load_first_half(const float *from, int64_t count) {
    float32x4_t x = vdupq_n_f32(0.0f);
    switch (count) {
    case 4: return vld1q_f32(from);
    case 3: x = vld1q_lane_f32(from + 2, x, 2); __attribute__((fallthrough));
    case 2: return vcombine_f32(vld1_f32(from), vget_high_f32(x));
    case 1: return vld1q_lane_f32(from, x, 0);
    default: return x;
    }
}
static inline void store_first_half(float *to, float32x4_t x, int64_t count) {
    switch (count) {
    case 4: vst1q_f32(to, x); break;
    case 3: vst1q_lane_f32(to + 2, x, 2); __attribute__((fallthrough));
    case 2: vst1_f32(to, vget_low_f32(x)); break;
    case 1: vst1q_lane_f32(to, x, 0); break;
    default: break;
    }
}
// The first `count` (1…8) floats; the other lanes are zero.
static inline lanes load_first(const float *from, int64_t count) {
    if (count >= 4) {
        return halves(vld1q_f32(from), load_first_half(from + 4, count - 4));
    }
    return halves(load_first_half(from, count), vdupq_n_f32(0.0f));
}
static inline void store_first(float *to, lanes x, int64_t count) {
    if (count >= 4) {
        vst1q_f32(to, low_half(x));
        store_first_half(to + 4, high_half(x), count - 4);
    } else {
        store_first_half(to, low_half(x), count);
    }
}

static inline lane_bits bits_of(lanes x) { return (lane_bits)x; }
static inline lane_bits all_bits(int32_t x) { return (lane_bits){x, x, x, x, x, x, x, x}; }
static inline lanes chosen(lane_bits mask, lanes x, lanes y) {
    return (lanes)((mask & bits_of(x)) | (~mask & bits_of(y)));
}

// a · b + c, rounded once.
static inline lanes fused(lanes a, lanes b, lanes c) { return __builtin_elementwise_fma(a, b, c); }
// The greater and the smaller; b where either is NaN.
static inline lanes greater(lanes a, lanes b) { return chosen(a > b, a, b); }
static inline lanes smaller(lanes a, lanes b) { return chosen(a < b, a, b); }
static inline float sum_of(lanes x) { return vaddvq_f32(vaddq_f32(low_half(x), high_half(x))); }
static inline float greatest_of(lanes x) { return vmaxvq_f32(vmaxq_f32(low_half(x), high_half(x))); }
static inline lanes rounded(lanes x) { return __builtin_elementwise_roundeven(x); }
// To the nearest integers, ties to even; the nearest end where there is none.
static inline lane_bits whole(lanes x) {
    int32x4_t low = vcvtnq_s32_f32(low_half(x)), high = vcvtnq_s32_f32(high_half(x));
    return __builtin_shufflevector(low, high, 0, 1, 2, 3, 4, 5, 6, 7);
}
// 2ⁿ for a normal result: n becomes the exponent.
static inline lanes power(lane_bits n) { return (lanes)((n + 127) << 23); }
// x · 2ⁿ in two factors, so that each is normal where the result is subnormal or infinite.
static inline lanes scaled(lanes x, lanes n) {
    lane_bits all = whole(n), half = all >> 1;
    return x * power(half) * power(all - half);
}
static inline lanes magnitude(lanes x) { return (lanes)(bits_of(x) & all_bits(INT32_MAX)); }
static inline lanes with_sign_of(lanes x, lanes sign) {
    return (lanes)(bits_of(x) | (bits_of(sign) & all_bits(INT32_MIN)));
}
// The first `count` (1…8) lanes of x, then those of other.
static inline lanes only_first(lanes x, lanes other, int64_t count) {
    return chosen((lane_bits){0, 1, 2, 3, 4, 5, 6, 7} < all_bits((int32_t)count), x, other);
}
// Lane by lane: a < b ? x : y.
static inline lanes where_less(lanes a, lanes b, lanes x, lanes y) { return chosen(a < b, x, y); }

// x[i, j] becomes x[j, i].
static inline void transpose_four(float32x4_t x[4]) {
    float32x4_t a = vzip1q_f32(x[0], x[2]), b = vzip2q_f32(x[0], x[2]);
    float32x4_t c = vzip1q_f32(x[1], x[3]), d = vzip2q_f32(x[1], x[3]);
    x[0] = vzip1q_f32(a, c);
    x[1] = vzip2q_f32(a, c);
    x[2] = vzip1q_f32(b, d);
    x[3] = vzip2q_f32(b, d);
}
static inline void transpose(lanes x[LANES]) {
    float32x4_t corners[4][4];
    for (int i = 0; i < 4; i++) {
        corners[0][i] = low_half(x[i]);
        corners[1][i] = high_half(x[i]);
        corners[2][i] = low_half(x[4 + i]);
        corners[3][i] = high_half(x[4 + i]);
    }
    for (int corner = 0; corner < 4; corner++) {
        transpose_four(corners[corner]);
    }
    for (int i = 0; i < 4; i++) {
        x[i] = halves(corners[0][i], corners[2][i]);
        x[4 + i] = halves(corners[1][i], corners[3][i]);
    }
}

// The products of the formats. A lane of `x` and `w` holds two bfloat16 or four bytes.
static inline lanes sum_of_pairs(lanes sum, lanes x, lanes w) {
#ifdef HAS_BF_DOT
    // Its two products are rounded before they are added: within what bfloat16 itself leaves open.
    float32x4_t low = vbfdotq_f32(low_half(sum), (bfloat16x8_t)low_half(x), (bfloat16x8_t)low_half(w));
    return halves(low, vbfdotq_f32(high_half(sum), (bfloat16x8_t)high_half(x), (bfloat16x8_t)high_half(w)));
#else
    lane_bits upper = all_bits((int32_t)0xffff0000), a = bits_of(x), b = bits_of(w);
    sum = fused((lanes)(a << 16), (lanes)(b << 16), sum);
    return fused((lanes)(a & upper), (lanes)(b & upper), sum);
#endif
}

static inline int32x4_t sum_of_fours_half(int32x4_t sum, int8x16_t x, int8x16_t w) {
#ifdef HAS_DOT
    return vdotq_s32(sum, x, w);
#else
    int32x4_t low = vpaddlq_s16(vmull_s8(vget_low_s8(x), vget_low_s8(w)));
    int32x4_t high = vpaddlq_s16(vmull_high_s8(x, w));
    return vaddq_s32(sum, vpaddq_s32(low, high));
#endif
}
// Sums are integers in the bits of lanes. There is no product of bytes with and without signs before Armv8.6, so the
// input is kept 128 less (store_bytes), and `without` gives back 128 times the column's sum.
#define BYTES_OFFSET 128
static inline lanes sum_of_fours(lanes sum, lanes x, lanes w) {
    int32x4_t low =
        sum_of_fours_half((int32x4_t)low_half(sum), (int8x16_t)low_half(x), (int8x16_t)low_half(w));
    int32x4_t high =
        sum_of_fours_half((int32x4_t)high_half(sum), (int8x16_t)high_half(x), (int8x16_t)high_half(w));
    return halves((float32x4_t)low, (float32x4_t)high);
}
// sum − zero · total, all of them integers; the difference as floats.
static inline lanes without(lanes sum, int32_t zero, lanes total) {
    // Without signs: an overflow of either part wraps and comes back.
    typedef uint32_t unsigned_bits __attribute__((vector_size(32)));
    unsigned_bits part = (unsigned_bits)bits_of(total) * (uint32_t)(zero - BYTES_OFFSET);
    return __builtin_convertvector((lane_bits)((unsigned_bits)bits_of(sum) - part), lanes);
}
// Eight bfloat16, to the nearest.
static inline void store_bf16(char *to, lanes x) {
    typedef uint32_t unsigned_bits __attribute__((vector_size(32)));
    unsigned_bits bits = (unsigned_bits)bits_of(x), high = bits >> 16;
    unsigned_bits nearest = (bits + 0x7fff + (high & 1)) >> 16;
    unsigned_bits is_nan = (unsigned_bits)(x != x);
    nearest = (is_nan & (high | 0x40)) | (~is_nan & nearest);
    uint16x8_t narrow = __builtin_convertvector(nearest, uint16x8_t);
    vst1q_u16((uint16_t *)to, narrow);
}
// Eight whole numbers as bytes of 0…255, those outside as the nearest end, each less 128.
static inline void store_bytes(char *to, lanes x) {
    lane_bits bounded = whole(smaller(greater(x, broadcast(0.0f)), broadcast(255.0f))) - BYTES_OFFSET;
    vst1_s8((int8_t *)to, __builtin_convertvector(bounded, int8x8_t));
}

// The compiler may not see what becomes of x.
static inline void hide(lanes *x) {
    float32x4_t low = low_half(*x), high = high_half(*x);
    __asm__ volatile("" : "+w"(low), "+w"(high));
    *x = halves(low, high);
}
