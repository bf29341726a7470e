// Elements of any type into and out of the three types that everything is computed in.
#include <string.h>

// Elements in flight between two types: three buffers stay in the first-level cache.
#define CHUNK 512

static inline float float_of_half(uint16_t half) {
    uint32_t sign = (uint32_t)(half & 0x8000) << 16, rest = half & 0x7fff;
    // The exponent moves by 127 − 15; a multiplication normalises what was subnormal.
    union { uint32_t bits; float value; } x = {.bits = rest << 13}, magic = {.bits = (254 - 15) << 23};
    x.value *= magic.value;
    if (rest >= 0x7c00) {
        x.bits |= 0x7f800000;
    }
    x.bits |= sign;
    return x.value;
}

// Rounds a double to `bits` of mantissa and a half's exponents, once, ties to even.
static inline uint16_t half_of_double(double x) {
    union { double value; uint64_t bits; } in = {.value = x};
    uint16_t sign = (uint16_t)(in.bits >> 48 & 0x8000);
    uint64_t magnitude = in.bits & 0x7fffffffffffffff;
    if (magnitude > 0x7ff0000000000000) {
        return sign | 0x7e00;
    }
    // 65520 and more round to infinity.
    if (magnitude >= 0x40effe0000000000) {
        return sign | 0x7c00;
    }
    // Adding a power of two leaves the bits of a half at the end of the sum, rounded by the processor.
    double value = fabs(x);
    int exponent = (int)(magnitude >> 52) - 1023;
    if (exponent < -14) {
        exponent = -14;
    }
    union { uint64_t bits; double value; } unit = {.bits = (uint64_t)(exponent - 10 + 1023) << 52};
    uint64_t units = (uint64_t)rint(value / unit.value);  // 0…2048, the last carries into the exponent
    return sign | (uint16_t)(((uint64_t)(exponent + 14) << 10) + units);
}

static inline uint16_t half_of_float(float x) { return half_of_double(x); }

static inline float float_of_brain(uint16_t brain) {
    union { uint32_t bits; float value; } x = {.bits = (uint32_t)brain << 16};
    return x.value;
}

static inline uint16_t brain_of_float(float x) {
    union { float value; uint32_t bits; } in = {.value = x};
    if (x != x) {
        return (uint16_t)(in.bits >> 16 | 0x40);
    }
    return (uint16_t)((in.bits + 0x7fff + (in.bits >> 16 & 1)) >> 16);
}

static inline uint16_t brain_of_double(double x) {
    // Rounding to odd first keeps the second rounding honest.
    float near = (float)x;
    union { float value; uint32_t bits; } f = {.value = near};
    if ((double)near != x && x == x && !(f.bits & 1) && !isinf(near)) {
        f.bits += (near < 0) == (x > near) ? -1 : 1;
    }
    return brain_of_float(f.value);
}

static inline int64_t integer_of(double x) {
    if (x != x) {
        return 0;
    }
    if (x >= 9223372036854775808.0) {
        return INT64_MAX;
    }
    return x <= -9223372036854775808.0 ? INT64_MIN : (int64_t)x;
}

// As 64 bits; u64 holds what i64 does not.
static inline int64_t unsigned_of(double x) {
    return x >= 9223372036854775808.0 && x < 18446744073709551616.0 ? (int64_t)(uint64_t)x : integer_of(x);
}

#define LOAD(CASE, T, TO, EXPRESSION)                                                                                  \
    case CASE: {                                                                                                       \
        const T *from = in;                                                                                            \
        for (int64_t i = 0; i < count; i++) {                                                                          \
            T x = from[i];                                                                                             \
            out[i] = (TO)(EXPRESSION);                                                                                 \
        }                                                                                                              \
        break;                                                                                                         \
    }

#define LOADS(TO, SUFFIX, OF_FLOAT)                                                                                    \
    static void load_##SUFFIX(int32_t type, const void *in, TO *out, int64_t count) {                                  \
        switch (type) {                                                                                                \
            LOAD(THAW_TYPE_F32, float, TO, OF_FLOAT(x))                                                                     \
            LOAD(THAW_TYPE_F64, double, TO, OF_FLOAT(x))                                                                    \
            LOAD(THAW_TYPE_F16, uint16_t, TO, OF_FLOAT(float_of_half(x)))                                                   \
            LOAD(THAW_TYPE_BF16, uint16_t, TO, OF_FLOAT(float_of_brain(x)))                                                 \
            LOAD(THAW_TYPE_I8, int8_t, TO, x)                                                                               \
            LOAD(THAW_TYPE_I16, int16_t, TO, x)                                                                             \
            LOAD(THAW_TYPE_I32, int32_t, TO, x)                                                                             \
            LOAD(THAW_TYPE_I64, int64_t, TO, x)                                                                             \
            LOAD(THAW_TYPE_U8, uint8_t, TO, x)                                                                              \
            LOAD(THAW_TYPE_U16, uint16_t, TO, x)                                                                            \
            LOAD(THAW_TYPE_U32, uint32_t, TO, x)                                                                            \
            LOAD(THAW_TYPE_U64, uint64_t, TO, x)                                                                            \
            LOAD(THAW_TYPE_BOOL, uint8_t, TO, x != 0)                                                                       \
        }                                                                                                              \
    }

#define SAME(x) (x)
LOADS(float, f32, SAME)
LOADS(double, f64, SAME)
LOADS(int64_t, i64, unsigned_of)

#define STORE(CASE, T, EXPRESSION)                                                                                     \
    case CASE: {                                                                                                       \
        T *to = out;                                                                                                   \
        for (int64_t i = 0; i < count; i++) {                                                                          \
            to[i] = (T)(EXPRESSION);                                                                                   \
        }                                                                                                              \
        break;                                                                                                         \
    }

#define STORES(FROM, SUFFIX, TO_HALF, TO_BRAIN, TO_INTEGER, TO_UNSIGNED)                                               \
    static void store_##SUFFIX(int32_t type, const FROM *in, void *out, int64_t count) {                               \
        switch (type) {                                                                                                \
            STORE(THAW_TYPE_F32, float, in[i])                                                                              \
            STORE(THAW_TYPE_F64, double, in[i])                                                                             \
            STORE(THAW_TYPE_F16, uint16_t, TO_HALF(in[i]))                                                                  \
            STORE(THAW_TYPE_BF16, uint16_t, TO_BRAIN(in[i]))                                                                \
            STORE(THAW_TYPE_I8, int8_t, TO_INTEGER(in[i]))                                                                  \
            STORE(THAW_TYPE_I16, int16_t, TO_INTEGER(in[i]))                                                                \
            STORE(THAW_TYPE_I32, int32_t, TO_INTEGER(in[i]))                                                                \
            STORE(THAW_TYPE_I64, int64_t, TO_INTEGER(in[i]))                                                                \
            STORE(THAW_TYPE_U8, uint8_t, TO_INTEGER(in[i]))                                                                 \
            STORE(THAW_TYPE_U16, uint16_t, TO_INTEGER(in[i]))                                                               \
            STORE(THAW_TYPE_U32, uint32_t, TO_INTEGER(in[i]))                                                               \
            STORE(THAW_TYPE_U64, uint64_t, TO_UNSIGNED(in[i]))                                                              \
            STORE(THAW_TYPE_BOOL, uint8_t, in[i] != 0)                                                                      \
        }                                                                                                              \
    }

STORES(float, f32, half_of_float, brain_of_float, integer_of, unsigned_of)
STORES(double, f64, half_of_double, brain_of_double, integer_of, unsigned_of)
STORES(int64_t, i64, half_of_double, brain_of_double, SAME, SAME)
STORES(uint64_t, u64, half_of_double, brain_of_double, SAME, SAME)

static inline int64_t size_of(int32_t type) {
    switch (type) {
    case THAW_TYPE_F64: case THAW_TYPE_I64: case THAW_TYPE_U64: return 8;
    case THAW_TYPE_F32: case THAW_TYPE_I32: case THAW_TYPE_U32: return 4;
    case THAW_TYPE_F16: case THAW_TYPE_BF16: case THAW_TYPE_I16: case THAW_TYPE_U16: return 2;
    default: return 1;
    }
}

static inline int is_float(int32_t type) {
    return type == THAW_TYPE_F32 || type == THAW_TYPE_F64 || type == THAW_TYPE_F16 || type == THAW_TYPE_BF16;
}

void thaw_convert(int32_t from, const void *in, int32_t to, void *out, int64_t count) {
    if (from == to && from != THAW_TYPE_BOOL) {
        memcpy(out, in, (size_t)(count * size_of(to)));
        return;
    }
    union { double f64[CHUNK]; int64_t i64[CHUNK]; uint64_t u64[CHUNK]; float f32[CHUNK]; } middle;
    for (int64_t i = 0; i < count; i += CHUNK) {
        int64_t some = count - i < CHUNK ? count - i : CHUNK;
        const char *source = (const char *)in + i * size_of(from);
        char *target = (char *)out + i * size_of(to);
        if (!is_float(from)) {
            load_i64(from, source, middle.i64, some);
            if (from == THAW_TYPE_U64) {
                store_u64(to, middle.u64, target, some);
            } else {
                store_i64(to, middle.i64, target, some);
            }
        } else if (from != THAW_TYPE_F64 && is_float(to)) {
            load_f32(from, source, middle.f32, some);
            store_f32(to, middle.f32, target, some);
        } else {
            load_f64(from, source, middle.f64, some);
            store_f64(to, middle.f64, target, some);
        }
    }
}
