// A sequence's rows become one: their sum by a divisor, or the greatest of each column; and a row's direction.
static void pool_sum(const float *input, float *out, float divisor, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < columns; i++) {
        float sum = 0.0f;
        for (int64_t row = 0; row < rows; row++) {
            sum += input[row * columns + i];
        }
        out[i] = sum / divisor;
    }
}

static void pool_greatest(const float *input, float *out, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < columns; i++) {
        float greatest = input[i];
        for (int64_t row = 1; row < rows; row++) {
            float x = input[row * columns + i];
            greatest = x > greatest ? x : greatest;
        }
        out[i] = greatest;
    }
}

static void normalize(const float *input, float *out, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row++) {
        float squares = 0.0f;
        for (int64_t i = 0; i < columns; i++) {
            squares += input[row * columns + i] * input[row * columns + i];
        }
        float length = sqrtf(squares);
        for (int64_t i = 0; i < columns; i++) {
            out[row * columns + i] = input[row * columns + i] / (length < THAW_NORM_MIN ? THAW_NORM_MIN : length);
        }
    }
}
