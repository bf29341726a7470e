// Two passes over x = input (+ residual), which waits in out: the mean first, so that the variance cannot cancel. Two
// sums side by side, for an addition waits longer for the one before it than for its memory.

// x = input (+ residual) of one row, kept in y; returns the sum.
static float summed_row(const float *input, const float *residual, float *y, int64_t columns) {
    lanes sums[2] = {broadcast(0.0f), broadcast(0.0f)};
    int64_t i = 0;
    for (; i + 2 * LANES <= columns; i += 2 * LANES) {
        for (int half = 0; half < 2; half++) {
            int64_t at = i + half * LANES;
            lanes x = residual ? load(input + at) + load(residual + at) : load(input + at);
            store(y + at, x);
            sums[half] = sums[half] + x;
        }
    }
    for (; i < columns; i += LANES) {
        int64_t count = lanes_left(i, columns);
        lanes x = load_first(input + i, count);
        if (residual) {
            x = x + load_first(residual + i, count);
        }
        store_first(y + i, x, count);
        sums[0] = sums[0] + x;
    }
    return sum_of(sums[0] + sums[1]);
}

// The sum of squared distances from the mean.
static float squared_distances(const float *y, lanes mean, int64_t columns) {
    lanes squares[2] = {broadcast(0.0f), broadcast(0.0f)};
    int64_t i = 0;
    for (; i + 2 * LANES <= columns; i += 2 * LANES) {
        for (int half = 0; half < 2; half++) {
            lanes centred = load(y + i + half * LANES) - mean;
            squares[half] = fused(centred, centred, squares[half]);
        }
    }
    for (; i < columns; i += LANES) {
        int64_t count = lanes_left(i, columns);
        lanes centred = only_first(load_first(y + i, count) - mean, broadcast(0.0f), count);
        squares[0] = fused(centred, centred, squares[0]);
    }
    return sum_of(squares[0] + squares[1]);
}

static void layer_norm(
    const float *input, const float *residual, const float *scale, const float *shift, float epsilon, float *out,
    int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row++) {
        const float *other = residual ? residual + row * columns : NULL;
        float *y = out + row * columns;
        lanes mean = broadcast(summed_row(input + row * columns, other, y, columns) / (float)columns);
        lanes factor = broadcast(1.0f / sqrtf(squared_distances(y, mean, columns) / (float)columns + epsilon));
        int64_t i = 0;
        for (; i + LANES <= columns; i += LANES) {
            store(y + i, fused((load(y + i) - mean) * factor, load(scale + i), load(shift + i)));
        }
        if (i < columns) {
            int64_t count = columns - i;
            lanes value = (load_first(y + i, count) - mean) * factor;
            store_first(y + i, fused(value, load_first(scale + i, count), load_first(shift + i, count)), count);
        }
    }
}
