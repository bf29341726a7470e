// Arithmetic element by element. A constant is broadcast, a matrix is read along.
static inline lanes combined(lanes left, lanes right, int32_t arithmetic) {
    switch (arithmetic) {
    case THAW_ADD: return left + right;
    case THAW_SUBTRACT: return left - right;
    case THAW_MULTIPLY: return left * right;
    default: return left / right;
    }
}

static void combine(const float *left, const float *right, float *out, int64_t count, int32_t arithmetic) {
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t lanes_here = lanes_left(i, count);
        lanes result = combined(load_first(left + i, lanes_here), load_first(right + i, lanes_here), arithmetic);
        store_first(out + i, result, lanes_here);
    }
}

static void combine_scalar(const float *left, float right, float *out, int64_t count, int32_t arithmetic) {
    for (int64_t i = 0; i < count; i += LANES) {
        int64_t lanes_here = lanes_left(i, count);
        store_first(out + i, combined(load_first(left + i, lanes_here), broadcast(right), arithmetic), lanes_here);
    }
}
