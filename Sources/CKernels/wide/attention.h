// Both products of attention go through `linear`: each head's keys and values are laid out as panels first.
static void attention(
    const float *fused, float *out, float *scratch, int64_t length, int64_t heads, int64_t width) {
    int64_t columns = heads * width, stride = 3 * columns, padded_length = thaw_padded(length);
    float *key_panels = scratch;
    float *value_panels = key_panels + padded_length * width;
    float *scores = value_panels + length * thaw_padded(width);
    float scale = 1.0f / sqrtf((float)width);
    for (int64_t head = 0; head < heads; head++) {
        const float *queries = fused + head * width;
        const float *keys = queries + columns;
        const float *values = keys + columns;
        // Panels of 16 keys, [width][16], already scaled; keys beyond the last are zero.
        for (int64_t other = 0; other < padded_length; other++) {
            float *panel = key_panels + other / THAW_PANEL_COLUMNS * THAW_PANEL_COLUMNS * width;
            for (int64_t i = 0; i < width; i++) {
                panel[i * THAW_PANEL_COLUMNS + other % THAW_PANEL_COLUMNS] =
                    other < length ? keys[other * stride + i] * scale : 0.0f;
            }
        }
        // Panels of 16 columns of values, [length][16].
        for (int64_t column = 0; column < width; column += THAW_PANEL_COLUMNS) {
            for (int64_t other = 0; other < length; other++) {
                float *to = value_panels + column * length + other * THAW_PANEL_COLUMNS;
                for (int64_t i = 0; i < THAW_PANEL_COLUMNS; i += LANES) {
                    int64_t left = width - column - i;
                    const float *from = values + other * stride + column + i;
                    lanes x = left <= 0 ? broadcast(0.0f) : load_first(from, left < LANES ? left : LANES);
                    store(to + i, x);
                }
            }
        }
        for (int64_t row = 0; row < length; row += THAW_ATTENTION_BLOCK_ROWS) {
            int64_t rows = length - row < THAW_ATTENTION_BLOCK_ROWS ? length - row : THAW_ATTENTION_BLOCK_ROWS;
            float *corner = out + row * columns + head * width;
            const float *q = queries + row * stride;
            linear(q, stride, key_panels, NULL, scores, padded_length, rows, width, length, THAW_NONE);
            softmax(scores, scores, padded_length, rows, length);
            linear(scores, padded_length, value_panels, NULL, corner, columns, rows, length, width, THAW_NONE);
        }
    }
}
