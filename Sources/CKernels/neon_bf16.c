// With dot products of bytes and of bfloat16: Neoverse V1 and N2, Apple M2 and what follows them.
#ifdef __aarch64__
#include "blocks.h"
#include "variants.h"

#include <arm_neon.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("dotprod,bf16"))), apply_to = function)

#define HAS_DOT
#define HAS_BF_DOT
#include "neon_lanes.h"

#define VARIANT thaw_neon_bf16
#define VARIANT_NAME "neon-bf16"
#include "wide/all.h"

#pragma clang attribute pop
#endif
