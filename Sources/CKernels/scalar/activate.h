// The functions between layers, from libm.
static float activated(float x, int32_t activation) {
    switch (activation) {
    case THAW_RELU: return x < 0.0f ? 0.0f : x;
    case THAW_GELU: return 0.5f * x * (1.0f + erff(x * (float)M_SQRT1_2));
    case THAW_TANH: return tanhf(x);
    case THAW_SIGMOID: return 1.0f / (1.0f + expf(-x));
    default: return x;
    }
}

static void activate(const float *input, float *out, int64_t count, int32_t activation) {
    for (int64_t i = 0; i < count; i++) {
        out[i] = activated(input[i], activation);
    }
}
