// A sequence's rows become one: their sum by a divisor, or the greatest of each column; and a row's direction.
static void pool_sum(const float *input, float *out, float divisor, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < columns; i += LANES) {
        int64_t count = lanes_left(i, columns);
        lanes sum = broadcast(0.0f);
        for (int64_t row = 0; row < rows; row++) {
            sum = sum + load_first(input + row * columns + i, count);
        }
        store_first(out + i, sum / broadcast(divisor), count);
    }
}

static void pool_greatest(const float *input, float *out, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < columns; i += LANES) {
        int64_t count = lanes_left(i, columns);
        lanes found = load_first(input + i, count);
        for (int64_t row = 1; row < rows; row++) {
            found = greater(found, load_first(input + row * columns + i, count));
        }
        store_first(out + i, found, count);
    }
}

static void normalize(const float *input, float *out, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row++) {
        const float *x = input + row * columns;
        float *y = out + row * columns;
        lanes squares = broadcast(0.0f);
        for (int64_t i = 0; i < columns; i += LANES) {
            lanes value = load_first(x + i, lanes_left(i, columns));
            squares = fused(value, value, squares);
        }
        float length = sqrtf(sum_of(squares));
        lanes divisor = broadcast(length < THAW_NORM_MIN ? THAW_NORM_MIN : length);
        for (int64_t i = 0; i < columns; i += LANES) {
            int64_t count = lanes_left(i, columns);
            store_first(y + i, load_first(x + i, count) / divisor, count);
        }
    }
}
