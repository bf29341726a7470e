// The plain variant: one loop after the other, runs everywhere, and says what the others must compute.
#include "blocks.h"
#include "variants.h"

#include <math.h>

#include "scalar/activate.h"
#include "scalar/linear.h"
#include "scalar/layer_norm.h"
#include "scalar/softmax.h"
#include "scalar/attention.h"
#include "scalar/embed.h"
#include "scalar/pool.h"
#include "scalar/convolution.h"
#include "scalar/winograd.h"
#include "scalar/fma_loop.h"

// What attention in bfloat16 comes near to.
static void attention_bf16(
    const float *fused, const float *places, int64_t places_stride, float *out, float *scratch, int64_t length,
    int64_t heads, int64_t width, int64_t first, int64_t last) {
    attention(fused, places, places_stride, out, scratch, length, heads, width, first, last);
}

#define VARIANT thaw_scalar
#define VARIANT_NAME "scalar"
#include "table_entry.h"
