// AVX-512 with dot products of bytes: Intel's servers from 2019, bfloat16 is widened before it is multiplied.
#ifdef __x86_64__
#include "blocks.h"
#include "variants.h"

#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw,avx512vnni"))), apply_to = function)

#define HAS_VNNI
#include "avx512_lanes.h"

#define VARIANT thaw_avx512_vnni
#define VARIANT_NAME "avx512-vnni"
#include "wide/all.h"

#pragma clang attribute pop

#endif
