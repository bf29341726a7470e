// Attention with both products in bfloat16; scores and their exponentials are floats. What `attention` does step by
// step, in half the multiplications: a step of a panel is two numbers of a key, or those of two values.

// Panels of 16 keys, [width / 2][16 keys][2]: pairs of numbers are turned over as floats would be.
static void pack_key_pairs(const float *keys, int64_t stride, char *panels, int64_t length, int64_t width) {
    int64_t steps = thaw_panel_steps(THAW_BF16, width);
    for (int64_t other = 0; other < length; other += LANES) {
        char *panel = panels + other * steps * STEP_BYTES;
        for (int64_t i = 0; i < width; i += 2 * LANES) {
            int64_t left = width - i;
            lanes square[LANES];
            for (int64_t row = 0; row < LANES; row++) {
                const float *from = keys + (other + row) * stride + i;
                lanes low = broadcast(0.0f), high = low;
                if (other + row < length) {
                    low = load_first(from, lanes_left(i, width));
                    high = left > LANES ? load_first(from + LANES, lanes_left(i + LANES, width)) : high;
                }
                square[row] = rounded_pairs(low, high);
            }
            transpose(square);
            for (int64_t pair = 0; pair < LANES && 2 * pair < left; pair++) {
                store((float *)(panel + (i / 2 + pair) * LINE_BYTES), square[pair]);
            }
        }
    }
}

// Panels of 16 columns of values, [length / 2][16 columns][2].
static void pack_value_pairs(const float *values, int64_t stride, char *panels, int64_t length, int64_t width) {
    int64_t steps = thaw_panel_steps(THAW_BF16, length);
    for (int64_t column = 0; column < width; column += LANES) {
        char *panel = panels + column * steps * STEP_BYTES;
        for (int64_t step = 0; step < steps; step++) {
            const float *from = values + 2 * step * stride + column;
            lanes even = load_first(from, lanes_left(column, width)), odd = broadcast(0.0f);
            if (2 * step + 1 < length) {
                odd = load_first(from + stride, lanes_left(column, width));
            }
            store((float *)(panel + step * LINE_BYTES), rounded_side_by_side(even, odd));
        }
    }
}

static void attention_bf16(
    const float *fused, const float *places, int64_t places_stride, float *out, float *scratch, int64_t length,
    int64_t heads, int64_t width, int64_t first_head, int64_t last_head) {
    int64_t columns = heads * width, stride = 3 * columns, padded_length = thaw_padded(length);
    int64_t width_steps = thaw_panel_steps(THAW_BF16, width), length_steps = thaw_panel_steps(THAW_BF16, length);
    char *key_panels = (char *)scratch;
    char *value_panels = key_panels + padded_length * width_steps * STEP_BYTES;
    float *scores = (float *)(value_panels + thaw_padded(width) * length_steps * STEP_BYTES);
    char *shares = (char *)(scores + THAW_ATTENTION_BLOCK_ROWS * padded_length);
    int64_t shares_stride = padded_length / 2 * STEP_BYTES;
    char *queries = shares + THAW_ATTENTION_BLOCK_ROWS * shares_stride;
    float scale = 1.0f / sqrtf((float)width);
    for (int64_t head = first_head; head < last_head; head++) {
        const float *first = fused + head * width;
        pack_key_pairs(first + columns, stride, key_panels, length, width);
        pack_value_pairs(first + 2 * columns, stride, value_panels, length, width);
        for (int64_t row = 0; row < length; row += THAW_ATTENTION_BLOCK_ROWS) {
            int64_t rows = length - row < THAW_ATTENTION_BLOCK_ROWS ? length - row : THAW_ATTENTION_BLOCK_ROWS;
            float *corner = out + row * columns + head * width;
            float factors[THAW_ATTENTION_BLOCK_ROWS];
            for (int64_t r = 0; r < rows; r++) {
                round_row(first + (row + r) * stride, queries + r * width_steps * STEP_BYTES, width);
            }
            struct product scored = {
                .input = queries,
                .input_stride = width_steps * STEP_BYTES,
                .panel_bytes = width_steps * LINE_BYTES,
                .out = scores,
                .out_stride = padded_length,
                .steps = width_steps,
            };
            product_block(THAW_BF16, scored, key_panels, NULL, rows, length, THAW_NONE);
            for (int64_t r = 0; r < rows; r++) {
                float *x = scores + r * padded_length;
                if (places) {
                    const float *row_places = places + head * places_stride - (row + r);
                    add_places(x, row_places, sqrtf((float)width), length);
                }
                factors[r] = exponentials(x, scale, length);
                round_row(x, shares + r * shares_stride, length);
            }
            struct product mixed = {
                .input = shares,
                .input_stride = shares_stride,
                .panel_bytes = length_steps * LINE_BYTES,
                .out = corner,
                .out_stride = columns,
                .steps = length_steps,
            };
            product_block(THAW_BF16, mixed, value_panels, NULL, rows, width, THAW_NONE);
            for (int64_t r = 0; r < rows; r++) {
                multiply(corner + r * columns, factors[r], width);
            }
        }
    }
}
