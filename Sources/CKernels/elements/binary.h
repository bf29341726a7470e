// Operations of two numbers without gaps; floats by T and F as in unary.h, integers as 64 bits.
#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define EACH(CASE, EXPRESSION)                                                                                         \
    case CASE:                                                                                                         \
        for (int64_t i = 0; i < count; i++) {                                                                          \
            T x = a[i], y = b[i];                                                                                      \
            out[i] = (T)(EXPRESSION);                                                                                  \
        }                                                                                                              \
        break;
#define COMPARE(CASE, OPERATOR)                                                                                        \
    case CASE:                                                                                                         \
        for (int64_t i = 0; i < count; i++) {                                                                          \
            out[i] = a[i] OPERATOR b[i];                                                                               \
        }                                                                                                              \
        break;

static void CAT(binary_, S)(int32_t op, const T *a, const T *b, T *out, int64_t count) {
    switch (op) {
        EACH(THAW_PLUS, x + y)
        EACH(THAW_MINUS, x - y)
        EACH(THAW_TIMES, x * y)
        EACH(THAW_OVER, DIVIDE(x, y))
        EACH(THAW_MAXIMUM, GREATER(x, y))
        EACH(THAW_MINIMUM, LESSER(x, y))
        EACH(THAW_MODULO, MODULO(x, y))
        EACH(THAW_REMAINDER, REMAINDER(x, y))
        EACH(THAW_POWER, POWER(x, y))
#ifdef BITS
        EACH(THAW_LEAKY_BY, x < 0 ? (uint64_t)x * (uint64_t)y : (uint64_t)x)
        EACH(THAW_BIT_AND, x & y)
        EACH(THAW_BIT_OR, x | y)
        EACH(THAW_BIT_XOR, x ^ y)
#else
        EACH(THAW_LEAKY_BY, x < 0 ? x * y : x)
#endif
    }
}

static void CAT(compare_, S)(int32_t op, const T *a, const T *b, uint8_t *out, int64_t count) {
    switch (op) {
        COMPARE(THAW_EQUAL, ==)
        COMPARE(THAW_LESS, <)
        COMPARE(THAW_LESS_OR_EQUAL, <=)
        COMPARE(THAW_GREATER, >)
        COMPARE(THAW_GREATER_OR_EQUAL, >=)
    }
}
#undef EACH
#undef COMPARE
#undef CAT
#undef CAT_
