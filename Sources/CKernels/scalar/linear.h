// input[R, K] · weight[K, N] + bias[N] in each number format: the definitions that the wide kernels must match.
static void linear(
    const float *input, int64_t input_stride, const void *panels, const float *bias, float *out, int64_t out_stride,
    int64_t rows, int64_t inner, int64_t columns, int32_t activation) {
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t column = 0; column < columns; column += THAW_PANEL_COLUMNS) {
            const float *panel = (const float *)panels + column * inner;
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

static float widened(uint16_t bits) {
    uint32_t wide = (uint32_t)bits << 16;
    float x;
    __builtin_memcpy(&x, &wide, sizeof x);
    return x;
}

// Both factors rounded to bfloat16, the products summed as floats.
static void linear_bf16(
    const float *input, int64_t input_stride, const void *panels, const float *bias, float *out, int64_t out_stride,
    void *scratch, int64_t rows, int64_t inner, int64_t columns, int32_t activation) {
    (void)scratch;
    for (int64_t row = 0; row < rows; row++) {
        for (int64_t column = 0; column < columns; column++) {
            int64_t lane = column % THAW_PANEL_COLUMNS;
            const uint16_t *panel = (const uint16_t *)((const char *)panels
                + column / THAW_PANEL_COLUMNS * thaw_panel_bytes(THAW_BF16, inner));
            float sum = bias ? bias[column] : 0.0f;
            for (int64_t k = 0; k < inner; k++) {
                float weight = widened(panel[(k / 2 * THAW_PANEL_COLUMNS + lane) * 2 + k % 2]);
                sum += widened(thaw_nearest_bf16(input[row * input_stride + k])) * weight;
            }
            out[row * out_stride + column] = activated(sum, activation);
        }
    }
}

// Integers multiplied and summed exactly; scales make the sum a float again.
static void linear_int8(
    const float *input, int64_t input_stride, const void *panels, const float *bias, float *out, int64_t out_stride,
    void *scratch, int64_t rows, int64_t inner, int64_t columns, int32_t activation) {
    uint8_t *integers = scratch;
    for (int64_t row = 0; row < rows; row++) {
        const float *x = input + row * input_stride;
        float least = 0.0f, most = 0.0f;
        for (int64_t k = 0; k < inner; k++) {
            least = x[k] < least ? x[k] : least;
            most = x[k] > most ? x[k] : most;
        }
        struct thaw_row quantized = thaw_row_of(least, most);
        float factor = quantized.scale > 0.0f ? 1.0f / quantized.scale : 0.0f;
        for (int64_t k = 0; k < inner; k++) {
            float integer = rintf(x[k] * factor) + (float)quantized.zero;
            integers[k] = integer > 255.0f ? 255 : integer > 0.0f ? (uint8_t)integer : 0;
        }
        for (int64_t column = 0; column < columns; column++) {
            int64_t lane = column % THAW_PANEL_COLUMNS;
            const int8_t *panel =
                (const int8_t *)panels + column / THAW_PANEL_COLUMNS * thaw_panel_bytes(THAW_INT8, inner);
            int32_t sum = 0;
            for (int64_t k = 0; k < inner; k++) {
                sum += (int32_t)integers[k] * panel[(k / 4 * THAW_PANEL_COLUMNS + lane) * 4 + k % 4];
            }
            const int8_t *tail = panel + thaw_panel_steps(THAW_INT8, inner) * THAW_PANEL_LINE_BYTES;
            float scale = ((const float *)tail)[lane];
            // As wide registers do: an overflow of either part wraps and comes back.
            sum = (int32_t)((uint32_t)sum
                - (uint32_t)quantized.zero * (uint32_t)((const int32_t *)tail)[THAW_PANEL_COLUMNS + lane]);
            float product = (float)sum * (scale * quantized.scale) + (bias ? bias[column] : 0.0f);
            out[row * out_stride + column] = activated(product, activation);
        }
    }
}
