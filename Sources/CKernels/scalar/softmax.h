// exp(x − maximum) / sum: the greatest term is 1, so nothing overflows.
static void softmax(const float *input, float *out, int64_t stride, int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row++) {
        const float *x = input + row * stride;
        float *y = out + row * stride;
        float maximum = x[0];
        for (int64_t i = 1; i < columns; i++) {
            maximum = x[i] > maximum ? x[i] : maximum;
        }
        float sum = 0.0f;
        for (int64_t i = 0; i < columns; i++) {
            y[i] = expf(x[i] - maximum);
            sum += y[i];
        }
        for (int64_t i = 0; i < columns; i++) {
            y[i] /= sum;
        }
    }
}
