// The functions between layers; input and out may be the same memory.
#define ACTIVATE(expression)                                                                                          \
    for (; i + LANES <= count; i += LANES) {                                                                          \
        lanes x = load(input + i);                                                                                    \
        store(out + i, expression);                                                                                   \
    }                                                                                                                 \
    if (i < count) {                                                                                                  \
        lanes x = load_first(input + i, count - i);                                                                   \
        store_first(out + i, expression, count - i);                                                                  \
    }

static void activate(const float *input, float *out, int64_t count, int32_t activation) {
    lanes zero = broadcast(0.0f);
    int64_t i = 0;
    switch (activation) {
    case THAW_RELU:
        ACTIVATE(greater(zero, x))
        break;
    case THAW_GELU:
        ACTIVATE(x * normal_distribution(x))
        break;
    case THAW_TANH:
        ACTIVATE(hyperbolic_tangent(x))
        break;
    case THAW_SIGMOID:
        ACTIVATE(logistic(x))
        break;
    default:
        ACTIVATE(x)
    }
}

#undef ACTIVATE
