// Two passes over x = input (+ residual), which waits in out: the mean first, so that the variance cannot cancel.
static void layer_norm(
    const float *input, const float *residual, const float *scale, const float *shift, float epsilon, float *out,
    int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row++) {
        const float *x = input + row * columns;
        const float *other = residual ? residual + row * columns : NULL;
        float *y = out + row * columns;
        lanes sums = broadcast(0.0f);
        for (int64_t i = 0; i < columns; i += LANES) {
            int64_t count = lanes_left(i, columns);
            lanes value = load_first(x + i, count);
            if (other) {
                value = value + load_first(other + i, count);
            }
            store_first(y + i, value, count);
            sums = sums + value;
        }
        lanes mean = broadcast(sum_of(sums) / (float)columns), squares = broadcast(0.0f);
        for (int64_t i = 0; i < columns; i += LANES) {
            int64_t count = lanes_left(i, columns);
            lanes centred = only_first(load_first(y + i, count) - mean, broadcast(0.0f), count);
            squares = fused(centred, centred, squares);
        }
        lanes factor = broadcast(1.0f / sqrtf(sum_of(squares) / (float)columns + epsilon));
        for (int64_t i = 0; i < columns; i += LANES) {
            int64_t count = lanes_left(i, columns);
            lanes value = (load_first(y + i, count) - mean) * factor;
            store_first(y + i, fused(value, load_first(scale + i, count), load_first(shift + i, count)), count);
        }
    }
}
