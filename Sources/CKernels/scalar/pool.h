// A sequence's rows become one: their mean, or that mean's direction.
static void mean(const float *input, float *out, int64_t rows, int64_t columns) {
    for (int64_t i = 0; i < columns; i++) {
        float sum = 0.0f;
        for (int64_t row = 0; row < rows; row++) {
            sum += input[row * columns + i];
        }
        out[i] = sum / (float)rows;
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
