// Multiplications and additions of four floats, the width of every x86-64 and of every 64-bit ARM: what the plain loops are compiled to.
typedef float four __attribute__((vector_size(16)));
#ifdef __aarch64__
#define FOUR_REGISTER "+w"
#else
#define FOUR_REGISTER "+x"
#endif

// 8 chains hide the latency of 4 cycles on two ports.
#define CHAINS 8

// The plain loops of the other formats have no faster instructions.
static int64_t fma_loop(int32_t format, int64_t iterations) {
    (void)format;
    four sums[CHAINS], half = {0.5f, 0.5f, 0.5f, 0.5f}, one = {1.0f, 1.0f, 1.0f, 1.0f};
#pragma clang loop unroll(full)
    for (int chain = 0; chain < CHAINS; chain++) {
        sums[chain] = one;
    }
    for (int64_t iteration = 0; iteration < iterations; iteration++) {
#pragma clang loop unroll(full)
        for (int chain = 0; chain < CHAINS; chain++) {
            sums[chain] = sums[chain] * half + one;
            // The compiler may not see that all chains hold the same.
            __asm__ volatile("" : FOUR_REGISTER(sums[chain]));
        }
    }
    return iterations * CHAINS * 4 * 2;
}
