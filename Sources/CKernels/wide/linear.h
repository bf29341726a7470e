// input[R, K] · weight[K, N] + bias[N] in each number format. Floats are read where they lie; for the others a block
// of rows is first rewritten in scratch, in the weight's format.

static void linear(
    const float *input, int64_t input_stride, const void *panels, const float *bias, float *out, int64_t out_stride,
    int64_t rows, int64_t inner, int64_t columns, int32_t activation) {
    int64_t block = block_rows(rows, inner * STEP_BYTES);
    for (int64_t row = 0; row < rows; row += block) {
        struct product product = {
            .input = (const char *)(input + row * input_stride),
            .input_stride = input_stride * STEP_BYTES,
            .panel_bytes = thaw_panel_bytes(THAW_F32, inner),
            .out = out + row * out_stride,
            .out_stride = out_stride,
            .steps = inner,
        };
        int64_t count = row + block < rows ? block : rows - row;
        product_block(THAW_F32, product, panels, bias, count, columns, activation);
    }
}

static void linear_bf16(
    const float *input, int64_t input_stride, const void *panels, const float *bias, float *out, int64_t out_stride,
    void *scratch, int64_t rows, int64_t inner, int64_t columns, int32_t activation) {
    int64_t steps = thaw_panel_steps(THAW_BF16, inner), block = block_rows(rows, steps * STEP_BYTES);
    for (int64_t row = 0; row < rows; row += block) {
        int64_t count = row + block < rows ? block : rows - row;
        for (int64_t r = 0; r < count; r++) {
            round_row(input + (row + r) * input_stride, (char *)scratch + r * steps * STEP_BYTES, inner);
        }
        struct product product = {
            .input = scratch,
            .input_stride = steps * STEP_BYTES,
            .panel_bytes = thaw_panel_bytes(THAW_BF16, inner),
            .out = out + row * out_stride,
            .out_stride = out_stride,
            .steps = steps,
        };
        product_block(THAW_BF16, product, panels, bias, count, columns, activation);
    }
}

static void linear_int8(
    const float *input, int64_t input_stride, const void *panels, const float *bias, float *out, int64_t out_stride,
    void *scratch, int64_t rows, int64_t inner, int64_t columns, int32_t activation) {
    int64_t steps = thaw_panel_steps(THAW_INT8, inner), block = block_rows(rows, steps * STEP_BYTES);
    struct thaw_row *quantized = scratch;
    char *integers = (char *)(quantized + (rows < block ? rows : block));
    for (int64_t row = 0; row < rows; row += block) {
        int64_t count = row + block < rows ? block : rows - row;
        for (int64_t r = 0; r < count; r++) {
            char *to = integers + r * steps * STEP_BYTES;
            quantized[r] = quantize_row(input + (row + r) * input_stride, to, inner);
        }
        struct product product = {
            .input = integers,
            .input_stride = steps * STEP_BYTES,
            .panel_bytes = thaw_panel_bytes(THAW_INT8, inner),
            .quantized = quantized,
            .out = out + row * out_stride,
            .out_stride = out_stride,
            .steps = steps,
        };
        product_block(THAW_INT8, product, panels, bias, count, columns, activation);
    }
}
