// Both products of attention go through `linear`: each head's keys and values are laid out as panels first.

// Panels of 16 keys, [width][16]; keys beyond the last are zero. Squares of registers are turned over.
static void pack_keys(const float *keys, int64_t stride, float *panels, int64_t length, int64_t width) {
    for (int64_t other = 0; other < thaw_padded(length); other += LANES) {
        float *panel = panels + other / THAW_PANEL_COLUMNS * THAW_PANEL_COLUMNS * width + other % THAW_PANEL_COLUMNS;
        for (int64_t i = 0; i < width; i += LANES) {
            lanes square[LANES];
            for (int64_t row = 0; row < LANES; row++) {
                const float *from = keys + (other + row) * stride + i;
                square[row] = other + row < length ? load_first(from, lanes_left(i, width)) : broadcast(0.0f);
            }
            transpose(square);
            for (int64_t row = 0; row < lanes_left(i, width); row++) {
                store(panel + (i + row) * THAW_PANEL_COLUMNS, square[row]);
            }
        }
    }
}

// Panels of 16 columns of values, [length][16].
static void pack_values(const float *values, int64_t stride, float *panels, int64_t length, int64_t width) {
    for (int64_t column = 0; column < width; column += THAW_PANEL_COLUMNS) {
        for (int64_t other = 0; other < length; other++) {
            float *to = panels + column * length + other * THAW_PANEL_COLUMNS;
            for (int64_t i = 0; i < THAW_PANEL_COLUMNS; i += LANES) {
                int64_t left = width - column - i;
                const float *from = values + other * stride + column + i;
                lanes x = left <= 0 ? broadcast(0.0f) : load_first(from, left < LANES ? left : LANES);
                store(to + i, x);
            }
        }
    }
}

// Each row of scores becomes exp(scale · (score − greatest)); returns one over the row's sum, for what is made of it.
static float exponentials(float *x, float scale, int64_t columns) {
    int64_t whole = columns / LANES * LANES, rest = columns - whole;
    lanes greatest = broadcast(x[0]);
    for (int64_t i = 0; i < whole; i += LANES) {
        greatest = greater(greatest, load(x + i));
    }
    if (rest) {
        greatest = greater(greatest, only_first(load_first(x + whole, rest), broadcast(x[0]), rest));
    }
    lanes factor = broadcast(scale), shift = broadcast(0.0f - greatest_of(greatest) * scale), sums = broadcast(0.0f);
    for (int64_t i = 0; i < whole; i += LANES) {
        lanes term = exponential(fused(load(x + i), factor, shift));
        store(x + i, term);
        sums = sums + term;
    }
    if (rest) {
        lanes term = exponential(fused(load_first(x + whole, rest), factor, shift));
        term = only_first(term, broadcast(0.0f), rest);
        store_first(x + whole, term, rest);
        sums = sums + term;
    }
    return 1.0f / sum_of(sums);
}

// A row of scores and what its places add, which the scale that follows must leave as it is.
static void add_places(float *scores, const float *places, float root, int64_t columns) {
    for (int64_t i = 0; i < columns; i += LANES) {
        int64_t count = lanes_left(i, columns);
        store_first(scores + i, fused(load_first(places + i, count), broadcast(root), load_first(scores + i, count)), count);
    }
}

// Each of `columns` numbers times `factor`.
static void multiply(float *x, float factor, int64_t columns) {
    for (int64_t i = 0; i < columns; i += LANES) {
        int64_t count = lanes_left(i, columns);
        store_first(x + i, load_first(x + i, count) * broadcast(factor), count);
    }
}

static void attention(
    const float *fused, const float *places, int64_t places_stride, float *out, float *scratch, int64_t length,
    int64_t heads, int64_t width, int64_t first, int64_t last) {
    int64_t columns = heads * width, stride = 3 * columns, padded_length = thaw_padded(length);
    float *key_panels = scratch;
    float *value_panels = key_panels + padded_length * width;
    float *scores = value_panels + length * thaw_padded(width);
    float scale = 1.0f / sqrtf((float)width);
    for (int64_t head = first; head < last; head++) {
        const float *queries = fused + head * width;
        pack_keys(queries + columns, stride, key_panels, length, width);
        pack_values(queries + 2 * columns, stride, value_panels, length, width);
        for (int64_t row = 0; row < length; row += THAW_ATTENTION_BLOCK_ROWS) {
            int64_t rows = length - row < THAW_ATTENTION_BLOCK_ROWS ? length - row : THAW_ATTENTION_BLOCK_ROWS;
            float *corner = out + row * columns + head * width;
            const float *q = queries + row * stride;
            float shares[THAW_ATTENTION_BLOCK_ROWS];
            linear(q, stride, key_panels, NULL, scores, padded_length, rows, width, length, THAW_NONE);
            for (int64_t r = 0; r < rows; r++) {
                if (places) {
                    const float *row_places = places + head * places_stride - (row + r);
                    add_places(scores + r * padded_length, row_places, sqrtf((float)width), length);
                }
                shares[r] = exponentials(scores + r * padded_length, scale, length);
            }
            linear(scores, padded_length, value_panels, NULL, corner, columns, rows, length, width, THAW_NONE);
            // A head has fewer columns than a sequence has tokens, mostly: dividing here is less work.
            for (int64_t r = 0; r < rows; r++) {
                multiply(corner + r * columns, shares[r], width);
            }
        }
    }
}
