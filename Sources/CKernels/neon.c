// What every 64-bit ARM has: integers and bfloat16 are widened before they are multiplied.
#ifdef __aarch64__
#include "blocks.h"
#include "variants.h"

#include <arm_neon.h>
#include <math.h>
#include <stddef.h>
#include <string.h>

#include "neon_lanes.h"

#define VARIANT thaw_neon
#define VARIANT_NAME "neon"
#include "wide/all.h"

#endif
