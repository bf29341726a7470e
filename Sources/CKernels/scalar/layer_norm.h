// Two passes over x = input (+ residual), which waits in out: the mean first, so that the variance cannot cancel.
static void layer_norm(
    const float *input, const float *residual, const float *scale, const float *shift, float epsilon, float *out,
    int64_t rows, int64_t columns) {
    for (int64_t row = 0; row < rows; row++) {
        const float *x = input + row * columns;
        float *y = out + row * columns;
        float sum = 0.0f;
        for (int64_t i = 0; i < columns; i++) {
            y[i] = residual ? x[i] + residual[row * columns + i] : x[i];
            sum += y[i];
        }
        float mean = sum / (float)columns;
        float squares = 0.0f;
        for (int64_t i = 0; i < columns; i++) {
            squares += (y[i] - mean) * (y[i] - mean);
        }
        float factor = 1.0f / sqrtf(squares / (float)columns + epsilon);
        for (int64_t i = 0; i < columns; i++) {
            y[i] = (y[i] - mean) * factor * scale[i] + shift[i];
        }
    }
}
