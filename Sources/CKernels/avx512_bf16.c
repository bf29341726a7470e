// AVX-512 with dot products of bytes and of bfloat16: Zen 4, Cooper Lake and Sapphire Rapids, and what follows them.
#ifdef __x86_64__
#include "blocks.h"
#include "variants.h"

#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512vnni,avx512bf16"))), apply_to = function)

#define HAS_VNNI
#define HAS_BF16
#include "avx512_lanes.h"

#define VARIANT thaw_avx512_bf16
#define VARIANT_NAME "avx512-bf16"
#include "wide/all.h"

#pragma clang attribute pop

#endif
