// Element by element over every number type; each part in a file of its own.
#include "include/elements.h"
#include "variants.h"

#include "elements/convert.h"

#define T float
#define S f32
#define F f
#include "elements/unary.h"
#undef T
#undef S
#undef F
#define T double
#define S f64
#define F
#include "elements/unary.h"
#undef T
#undef S
#undef F

// Integers as 64 bits; a division by zero answers 0, as NumPy's does.
static int64_t modulo_i64(int64_t x, int64_t y) {
    if (y == 0 || y == -1) {
        return 0;
    }
    int64_t rest = x % y;
    return rest != 0 && (rest < 0) != (y < 0) ? rest + y : rest;
}
static int64_t power_i64(int64_t x, int64_t y) {
    if (y < 0) {
        return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
    }
    uint64_t base = (uint64_t)x, result = 1;
    for (; y; y >>= 1, base *= base) {
        result *= y & 1 ? base : 1;
    }
    return (int64_t)result;
}
static uint64_t power_u64(uint64_t x, uint64_t y) {
    uint64_t result = 1;
    for (; y; y >>= 1, x *= x) {
        result *= y & 1 ? x : 1;
    }
    return result;
}
static int64_t divide_i64(int64_t x, int64_t y) {
    return y == 0 ? 0 : y == -1 ? (int64_t)(0 - (uint64_t)x) : x / y;
}
static float modulo_f32(float x, float y) {
    float rest = fmodf(x, y);
    if (rest == 0) {
        return copysignf(0, y);
    }
    return (rest < 0) != (y < 0) ? rest + y : rest;
}
static double modulo_f64(double x, double y) {
    double rest = fmod(x, y);
    if (rest == 0) {
        return copysign(0, y);
    }
    return (rest < 0) != (y < 0) ? rest + y : rest;
}

// The greater and the smaller; a NaN of either side stays one.
#define GREATER(x, y) ((x) > (y) || (x) != (x) ? (x) : (y))
#define LESSER(x, y) ((x) < (y) || (x) != (x) ? (x) : (y))
#define DIVIDE(x, y) ((x) / (y))

#define T float
#define S f32
#define MODULO modulo_f32
#define REMAINDER fmodf
#define POWER powf
#include "elements/binary.h"
#undef T
#undef S
#undef MODULO
#undef REMAINDER
#undef POWER

#define T double
#define S f64
#define MODULO modulo_f64
#define REMAINDER fmod
#define POWER pow
#include "elements/binary.h"
#undef T
#undef S
#undef MODULO
#undef REMAINDER
#undef POWER
#undef DIVIDE
#undef GREATER
#undef LESSER

#define GREATER(x, y) ((x) > (y) ? (x) : (y))
#define LESSER(x, y) ((x) < (y) ? (x) : (y))
#define BITS

#define T uint64_t
#define S u64
#define DIVIDE(x, y) ((y) == 0 ? 0 : (x) / (y))
#define MODULO(x, y) ((y) == 0 ? 0 : (x) % (y))
#define REMAINDER(x, y) ((y) == 0 ? 0 : (x) % (y))
#define POWER power_u64
#include "elements/binary.h"
#undef T
#undef S
#undef DIVIDE
#undef MODULO
#undef REMAINDER
#undef POWER

#define T int64_t
#define S i64
#define DIVIDE divide_i64
#define MODULO modulo_i64
#define REMAINDER(x, y) ((y) == 0 || (y) == -1 ? 0 : (x) % (y))
#define POWER power_i64
#include "elements/binary.h"
#undef T
#undef S
#undef DIVIDE
#undef MODULO
#undef REMAINDER
#undef POWER

static void unary_i64(int32_t op, int32_t type, int64_t *x, int64_t count) {
    int is_unsigned = type == THAW_TYPE_U64;
    for (int64_t i = 0; i < count; i++) {
        switch (op) {
        case THAW_ABS: x[i] = x[i] < 0 && !is_unsigned ? (int64_t)(0 - (uint64_t)x[i]) : x[i]; break;
        case THAW_NEG: x[i] = (int64_t)(0 - (uint64_t)x[i]); break;
        case THAW_SIGN: x[i] = is_unsigned ? x[i] != 0 : (x[i] > 0) - (x[i] < 0); break;
        case THAW_RECTIFY: x[i] = x[i] < 0 && !is_unsigned ? 0 : x[i]; break;
        case THAW_NOT: x[i] = type == THAW_TYPE_BOOL ? !x[i] : ~x[i]; break;
        default: break;
        }
    }
}

void thaw_unary(int32_t op, int32_t type, const void *in, void *out, int64_t count, double alpha, double beta) {
    if (type == THAW_TYPE_F32) {
        unary_f32(op, in, out, count, (float)alpha, (float)beta);
        return;
    }
    if (type == THAW_TYPE_F64) {
        unary_f64(op, in, out, count, alpha, beta);
        return;
    }
    int64_t size = size_of(type);
    // Of integers only these; everything else is computed in doubles and cut.
    int integer = op == THAW_ABS || op == THAW_NEG || op == THAW_SIGN || op == THAW_RECTIFY || op == THAW_NOT
        || op == THAW_CEIL || op == THAW_FLOOR || op == THAW_ROUND;
    for (int64_t i = 0; i < count; i += CHUNK) {
        int64_t some = count - i < CHUNK ? count - i : CHUNK;
        const char *from = (const char *)in + i * size;
        char *to = (char *)out + i * size;
        if (is_float(type)) {
            float x[CHUNK];
            load_f32(type, from, x, some);
            unary_f32(op, x, x, some, (float)alpha, (float)beta);
            store_f32(type, x, to, some);
        } else if (integer) {
            int64_t x[CHUNK];
            load_i64(type, from, x, some);
            unary_i64(op, type, x, some);
            store_i64(type, x, to, some);
        } else {
            double x[CHUNK];
            load_f64(type, from, x, some);
            unary_f64(op, x, x, some, alpha, beta);
            store_f64(type, x, to, some);
        }
    }
}

#include "elements/broadcast.h"
#include "elements/reduce.h"
#include "elements/product.h"
