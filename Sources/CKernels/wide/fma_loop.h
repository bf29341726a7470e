// As many independent chains as a tile has sums: they hide the latency of a multiply-add as the product does.
#define CHAINS (TILE_ROWS * TILE_REGISTERS)

// `format` is a constant at each call.
static inline __attribute__((always_inline)) int64_t format_loop(int format, int64_t iterations) {
    lanes sums[CHAINS], half = broadcast(0.5f), one = broadcast(1.0f);
#pragma clang loop unroll(full)
    for (int chain = 0; chain < CHAINS; chain++) {
        sums[chain] = broadcast((float)chain);
    }
    for (int64_t iteration = 0; iteration < iterations; iteration++) {
#pragma clang loop unroll(full)
        for (int chain = 0; chain < CHAINS; chain++) {
            sums[chain] = multiplied(format, sums[chain], half, one);
        }
        // The compiler may neither fold rounds nor see what the factors are.
        hide(&half);
        hide(&one);
    }
#pragma clang loop unroll(full)
    for (int chain = 0; chain < CHAINS; chain++) {
        // It may not drop the loop: it must believe that each sum is looked at.
        hide(&sums[chain]);
    }
    return iterations * CHAINS * LANES * 2 * (1 << format);
}

static int64_t fma_loop(int32_t format, int64_t iterations) {
    switch (format) {
    case THAW_BF16: return format_loop(THAW_BF16, iterations);
    case THAW_INT8: return format_loop(THAW_INT8, iterations);
    default: return format_loop(THAW_F32, iterations);
    }
}
