// AVX-512 as the first servers had it: integers and bfloat16 are widened before they are multiplied.
#ifdef __x86_64__
#include "blocks.h"
#include "variants.h"

#include <immintrin.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("avx2,fma,avx512f,avx512bw"))), apply_to = function)

#include "avx512_lanes.h"

#define VARIANT thaw_avx512
#define VARIANT_NAME "avx512"
#include "wide/all.h"

#pragma clang attribute pop

#endif
