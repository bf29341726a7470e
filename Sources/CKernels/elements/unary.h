// Functions of one float, for T with the suffix S of its loop and the suffix F of libm's functions.
#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)
#define LIBM(name) CAT(name, F)
#define EACH(CASE, EXPRESSION)                                                                                         \
    case CASE:                                                                                                         \
        for (int64_t i = 0; i < count; i++) {                                                                          \
            T x = in[i];                                                                                               \
            out[i] = (T)(EXPRESSION);                                                                                  \
        }                                                                                                              \
        break;

// ln(1 + eˣ) without overflow.
static inline T CAT(softplus_, S)(T x) { return (x > 0 ? x : 0) + LIBM(log1p)(LIBM(exp)(-LIBM(fabs)(x))); }
static inline T CAT(logistic_, S)(T x) {
    T e = LIBM(exp)(-LIBM(fabs)(x));
    return (x >= 0 ? 1 : e) / (1 + e);
}

static void CAT(unary_, S)(int32_t op, const T *in, T *out, int64_t count, T alpha, T beta) {
    switch (op) {
        EACH(THAW_ABS, LIBM(fabs)(x))
        EACH(THAW_NEG, -x)
        EACH(THAW_SIGN, x > 0 ? 1 : x < 0 ? -1 : x)
        EACH(THAW_CEIL, LIBM(ceil)(x))
        EACH(THAW_FLOOR, LIBM(floor)(x))
        EACH(THAW_ROUND, LIBM(rint)(x))
        EACH(THAW_SQRT, LIBM(sqrt)(x))
        EACH(THAW_RECIPROCAL, 1 / x)
        EACH(THAW_EXP, LIBM(exp)(x))
        EACH(THAW_LOG, LIBM(log)(x))
        EACH(THAW_SIN, LIBM(sin)(x))
        EACH(THAW_COS, LIBM(cos)(x))
        EACH(THAW_TAN, LIBM(tan)(x))
        EACH(THAW_ASIN, LIBM(asin)(x))
        EACH(THAW_ACOS, LIBM(acos)(x))
        EACH(THAW_ATAN, LIBM(atan)(x))
        EACH(THAW_SINH, LIBM(sinh)(x))
        EACH(THAW_COSH, LIBM(cosh)(x))
        EACH(THAW_TANH_EXACT, LIBM(tanh)(x))
        EACH(THAW_ASINH, LIBM(asinh)(x))
        EACH(THAW_ACOSH, LIBM(acosh)(x))
        EACH(THAW_ATANH, LIBM(atanh)(x))
        EACH(THAW_ERF, LIBM(erf)(x))
        EACH(THAW_LOGISTIC, CAT(logistic_, S)(x))
        EACH(THAW_RECTIFY, x < 0 ? 0 : x)
        EACH(THAW_LEAKY, x < 0 ? alpha * x : x)
        EACH(THAW_ELU, x < 0 ? alpha * LIBM(expm1)(x) : x)
        EACH(THAW_CELU, x < 0 ? alpha * LIBM(expm1)(x / alpha) : x)
        EACH(THAW_SELU, beta * (x > 0 ? x : alpha * LIBM(expm1)(x)))
        EACH(THAW_MISH, x * LIBM(tanh)(CAT(softplus_, S)(x)))
        EACH(THAW_HARD_SWISH, x * LIBM(fmax)(0, LIBM(fmin)(1, x / 6 + (T)0.5)))
        EACH(THAW_HARD_SIGMOID, LIBM(fmax)(0, LIBM(fmin)(1, alpha * x + beta)))
        EACH(THAW_SOFTPLUS, CAT(softplus_, S)(x))
        EACH(THAW_SOFTSIGN, x / (1 + LIBM(fabs)(x)))
        EACH(THAW_THRESHOLDED, x > alpha ? x : 0)
        EACH(THAW_GELU_EXACT, (T)0.5 * x * (1 + LIBM(erf)(x * (T)0.70710678118654752)))
        EACH(THAW_GELU_TANH,
             (T)0.5 * x * (1 + LIBM(tanh)((T)0.79788456080286536 * (x + (T)0.044715 * x * x * x))))
        EACH(THAW_SWISH, x * CAT(logistic_, S)(alpha * x))
        EACH(THAW_SHRINK, x < -alpha ? x + beta : x > alpha ? x - beta : 0)
    }
}
#undef EACH
#undef LIBM
#undef CAT
#undef CAT_
