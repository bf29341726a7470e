// With dot products of bytes: Neoverse N1, Apple M1, Cortex-A75 and what follows them.
#ifdef __aarch64__
#include "blocks.h"
#include "variants.h"

#include <arm_neon.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#pragma clang attribute push(__attribute__((target("dotprod"))), apply_to = function)

#define HAS_DOT
#include "neon_lanes.h"

#define VARIANT thaw_neon_dot
#define VARIANT_NAME "neon-dot"
#include "wide/all.h"

#pragma clang attribute pop
#endif
