// Every operation over `lanes`, written once: avx2.c and those of AVX-512 say what lanes are, then include this.
// How many lanes are in use from `i` on.
static inline int64_t lanes_left(int64_t i, int64_t count) { return count - i < LANES ? count - i : LANES; }

#include "exponential.h"
#include "activate.h"
#include "rounding.h"
#include "product.h"
#include "linear.h"
#include "layer_norm.h"
#include "softmax.h"
#include "attention.h"
#ifdef HAS_BF16
#include "attention_bf16.h"
#else
// Widened products are slower than those of floats, and floats are nearer to the truth.
static void attention_bf16(
    const float *fused, const float *places, int64_t places_stride, float *out, float *scratch, int64_t length,
    int64_t heads, int64_t width, int64_t first, int64_t last) {
    attention(fused, places, places_stride, out, scratch, length, heads, width, first, last);
}
#endif
#include "embed.h"
#include "pool.h"
#include "convolution.h"
#include "winograd.h"
#include "depthwise.h"
#include "fma_loop.h"

#include "../table_entry.h"
