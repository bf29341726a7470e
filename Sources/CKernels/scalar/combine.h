// Arithmetic element by element.
static float combined(float left, float right, int32_t arithmetic) {
    switch (arithmetic) {
    case THAW_ADD: return left + right;
    case THAW_SUBTRACT: return left - right;
    case THAW_MULTIPLY: return left * right;
    default: return left / right;
    }
}

static void combine(const float *left, const float *right, float *out, int64_t count, int32_t arithmetic) {
    for (int64_t i = 0; i < count; i++) {
        out[i] = combined(left[i], right[i], arithmetic);
    }
}

static void combine_scalar(const float *left, float right, float *out, int64_t count, int32_t arithmetic) {
    for (int64_t i = 0; i < count; i++) {
        out[i] = combined(left[i], right, arithmetic);
    }
}
