// Twelve independent chains: more than the 8 or 10 that hide an FMA's latency on two ports.
#define CHAINS 12

static int64_t fma_loop(int64_t iterations) {
    lanes sums[CHAINS], half = broadcast(0.5f), one = broadcast(1.0f);
#pragma clang loop unroll(full)
    for (int chain = 0; chain < CHAINS; chain++) {
        sums[chain] = broadcast((float)chain);
    }
    for (int64_t iteration = 0; iteration < iterations; iteration++) {
#pragma clang loop unroll(full)
        for (int chain = 0; chain < CHAINS; chain++) {
            sums[chain] = fused(sums[chain], half, one);
        }
    }
#pragma clang loop unroll(full)
    for (int chain = 0; chain < CHAINS; chain++) {
        // The compiler may not drop the loop: it must believe that each sum is looked at.
        __asm__ volatile("" : : "x"(sums[chain]));
    }
    return iterations * CHAINS * LANES * 2;
}
