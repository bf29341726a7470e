// Which variant this machine can run: asked of the processor and of the operating system, once a call. Elsewhere than on
// x86-64 and 64-bit ARM only the plain one.
#include "variants.h"

#include <stdbool.h>
#include <stddef.h>

#ifdef __x86_64__

#include <cpuid.h>

// Extended control register 0: which registers the operating system saves when it switches threads.
static uint64_t saved_registers(void) {
    uint32_t low, high;
    __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
    return (uint64_t)high << 32 | low;
}

struct features {
    bool avx2;
    bool avx512;
    bool vnni;
    bool bf16;
};

static struct features detected(void) {
    struct features none = {0};
    uint32_t a, b, c, d;
    if (!__get_cpuid(1, &a, &b, &c, &d)) {
        return none;
    }
    bool osxsave = c & bit_OSXSAVE, fma = c & bit_FMA;
    if (!osxsave || !__get_cpuid_count(7, 0, &a, &b, &c, &d)) {
        return none;
    }
    uint64_t saved = saved_registers();
    bool ymm = (saved & 0x06) == 0x06;  // SSE and AVX state
    bool zmm = (saved & 0xe6) == 0xe6;  // and the AVX-512 masks and both halves of its registers
    bool avx2 = ymm && fma && (b & bit_AVX2);
    // Every processor with AVX-512 but Knights Landing and Knights Mill has BW.
    bool avx512 = avx2 && zmm && (b & bit_AVX512F) && (b & bit_AVX512BW);
    bool vnni = avx512 && (c & bit_AVX512VNNI);
    // Leaf 7 says in a of its first part how many more parts there are.
    bool bf16 = vnni && a >= 1 && __get_cpuid_count(7, 1, &a, &b, &c, &d) && (a & bit_AVX512BF16);
    return (struct features){.avx2 = avx2, .avx512 = avx512, .vnni = vnni, .bf16 = bf16};
}

const struct thaw_kernels *thaw_kernels_variant(int32_t index) {
    struct features features = detected();
    switch (index) {
    case 0: return &thaw_scalar;
    case 1: return features.avx2 ? &thaw_avx2 : NULL;
    case 2: return features.avx512 ? &thaw_avx512 : NULL;
    case 3: return features.vnni ? &thaw_avx512_vnni : NULL;
    case 4: return features.bf16 ? &thaw_avx512_bf16 : NULL;
    default: return NULL;
    }
}

#elif defined(__aarch64__)

#include <sys/auxv.h>

const struct thaw_kernels *thaw_kernels_variant(int32_t index) {
    bool dot = getauxval(AT_HWCAP) & HWCAP_ASIMDDP, bf16 = dot && (getauxval(AT_HWCAP2) & HWCAP2_BF16);
    switch (index) {
    case 0: return &thaw_scalar;
    // NEON itself is part of every 64-bit ARM that runs Linux.
    case 1: return &thaw_neon;
    case 2: return dot ? &thaw_neon_dot : NULL;
    case 3: return bf16 ? &thaw_neon_bf16 : NULL;
    default: return NULL;
    }
}

#else

const struct thaw_kernels *thaw_kernels_variant(int32_t index) { return index == 0 ? &thaw_scalar : NULL; }

#endif
