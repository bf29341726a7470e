// input[R, K] · weight[K, N] + bias[N]: the definition that the wide kernels must match.
static void linear(
    const float *input, int64_t input_stride, const float *panels, const float *bias, float *out, int64_t out_stride,
    int64_t rows, int64_t inner, int64_t columns, int32_t activation) {
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t column = 0; column < columns; column += THAW_PANEL_COLUMNS) {
            const float *panel = panels + column * inner;
            float sums[THAW_PANEL_COLUMNS] = {0};
            for (int64_t k = 0; k < inner; k++) {
                for (int64_t lane = 0; lane < THAW_PANEL_COLUMNS; lane++) {
                    sums[lane] += input[row * input_stride + k] * panel[k * THAW_PANEL_COLUMNS + lane];
                }
            }
            for (int64_t lane = 0; lane < THAW_PANEL_COLUMNS && column + lane < columns; lane++) {
                float sum = sums[lane] + (bias ? bias[column + lane] : 0.0f);
                out[row * out_stride + column + lane] = activated(sum, activation);
            }
        }
    }
}
