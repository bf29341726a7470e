// The matrix product of all number formats. One tile of sums stays in registers:
//
//            step →              panel 0         panel 1         panel 2
//   row 0  [ 4 bytes, to all ]   [ 64 bytes ]    [ 64 bytes ]    [ 64 bytes ]   ← one line of each panel per step
//    …       × TILE_ROWS         TILE_REGISTERS registers side by side
//
// A step is four bytes of a row of input and of each column of the weight: one float, two bfloat16 or four integers.
// Around the tile, from the outside: rows in blocks, so that a block of input stays in the second-level cache while all
// weights stream by; groups of panels; tiles of rows, which all meet the same weights. A tile runs over the whole
// inner size: its sums are written once, finished.

// Bytes of a block of input: most of a second-level cache of 1 MiB. A group of panels streams through the rest: three
// lines in the 12 cycles or more that a tile's products of one step take.
#define BLOCK_INPUT_BYTES (768 << 10)

// Lines that one step of a tile asks for ahead of their use. The first tiles of a group of panels share the next group
// between them: it comes from memory while this one is multiplied, also across a page's end, where the processor's own
// prefetcher stops. With 16 rows two tiles of two lines a step cover three panels. Worth a quarter of the time there.
#define PREFETCH_LINES 2

#define LINE_BYTES 64
#define STEP_BYTES 4
#define TILE_COLUMNS (TILE_REGISTERS * LANES)

// What a tile needs to know besides its size.
struct product {
    const char *input;
    int64_t input_stride;  // bytes from row to row
    const char *panel;     // the first panel of the group
    int64_t panel_bytes;   // from one panel to the next
    const char *ahead;     // what to prefetch
    const float *bias;     // first column of the group, or NULL
    const struct thaw_row *quantized;  // int8: how each row of input was made integers
    float *out;
    int64_t out_stride;  // floats from row to row
    int64_t steps;
    int64_t columns;  // of the tile: what is stored, 1…TILE_COLUMNS
};

static inline lanes broadcast_step(const char *from) {
    float bits;
    __builtin_memcpy(&bits, from, STEP_BYTES);
    return broadcast(bits);
}

// Where the tile's register of this number finds its line of the first step.
static inline const char *line_of(struct product product, int number) {
    int64_t column = (int64_t)number * LANES;
    return product.panel + column / THAW_PANEL_COLUMNS * product.panel_bytes + column % THAW_PANEL_COLUMNS * STEP_BYTES;
}

static inline lanes multiplied(int format, lanes sum, lanes input, lanes weight) {
    switch (format) {
    case THAW_BF16: return sum_of_pairs(sum, input, weight);
    case THAW_INT8: return sum_of_fours(sum, input, weight);
    default: return fused(input, weight, sum);
    }
}

// `format`, `rows` and `registers` are constants at each call, so that the sums are registers and not memory.
static inline __attribute__((always_inline)) void tile(int format, int rows, int registers, struct product product) {
    lanes sums[TILE_ROWS][TILE_REGISTERS];
    int64_t last = product.columns - (registers - 1) * LANES;
#pragma clang loop unroll(full)
    for (int r = 0; r < registers; r++) {
        lanes start = broadcast(0.0f);
        if (format != THAW_INT8 && product.bias) {
            start = load_first(product.bias + r * LANES, r + 1 < registers ? LANES : last);
        }
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++) {
            sums[row][r] = start;
        }
    }
    const char *ahead = product.ahead;
    for (int64_t step = 0; step < product.steps; step++) {
        lanes weights[TILE_REGISTERS];
#pragma clang loop unroll(full)
        for (int r = 0; r < registers; r++) {
            weights[r] = load((const float *)(line_of(product, r) + step * LINE_BYTES));
        }
#pragma clang loop unroll(full)
        for (int line = 0; line < PREFETCH_LINES; line++) {
            // Into the second-level cache. Beyond the last weight too: a prefetch of what is not there does nothing.
            __builtin_prefetch(ahead + line * LINE_BYTES, 0, 2);
        }
        ahead += PREFETCH_LINES * LINE_BYTES;
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++) {
            lanes x = broadcast_step(product.input + row * product.input_stride + step * STEP_BYTES);
#pragma clang loop unroll(full)
            for (int r = 0; r < registers; r++) {
                sums[row][r] = multiplied(format, sums[row][r], x, weights[r]);
            }
        }
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < registers; r++) {
        int64_t count = r + 1 < registers ? LANES : last;
        lanes scale = broadcast(0.0f), total = scale, start = scale;
        if (format == THAW_INT8) {
            const char *tail = line_of(product, r) + product.steps * LINE_BYTES;
            scale = load((const float *)tail);
            total = load((const float *)(tail + LINE_BYTES));
            if (product.bias) {
                start = load_first(product.bias + r * LANES, count);
            }
        }
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++) {
            lanes sum = sums[row][r];
            if (format == THAW_INT8) {
                struct thaw_row quantized = product.quantized[row];
                sum = fused(without(sum, quantized.zero, total), scale * broadcast(quantized.scale), start);
            }
            store_first(product.out + row * product.out_stride + r * LANES, sum, count);
        }
    }
}

#define ROWS_CASE(format, count)                                                                                      \
    case count:                                                                                                       \
        if (product.columns > (TILE_REGISTERS - 1) * LANES) {                                                         \
            tile(format, count, TILE_REGISTERS, product);                                                             \
        } else if (TILE_REGISTERS == 3 && product.columns > LANES) {                                                  \
            tile(format, count, 2, product);                                                                          \
        } else {                                                                                                      \
            tile(format, count, 1, product);                                                                          \
        }                                                                                                             \
        break;

#if TILE_ROWS == 9
#define EVERY_ROWS_CASE(format)                                                                                       \
    ROWS_CASE(format, 1) ROWS_CASE(format, 2) ROWS_CASE(format, 3) ROWS_CASE(format, 4) ROWS_CASE(format, 5)          \
    ROWS_CASE(format, 6) ROWS_CASE(format, 7) ROWS_CASE(format, 8) ROWS_CASE(format, 9)
#elif TILE_ROWS == 6
#define EVERY_ROWS_CASE(format)                                                                                       \
    ROWS_CASE(format, 1) ROWS_CASE(format, 2) ROWS_CASE(format, 3) ROWS_CASE(format, 4) ROWS_CASE(format, 5)          \
    ROWS_CASE(format, 6)
#else
#error "say above which tiles there are"
#endif

#define TILES(name, format)                                                                                           \
    static __attribute__((noinline)) void name(int64_t rows, struct product product) {                                \
        switch (rows) { EVERY_ROWS_CASE(format) }                                                                     \
    }

TILES(tile_f32, THAW_F32)
TILES(tile_bf16, THAW_BF16)
TILES(tile_int8, THAW_INT8)

// out = activation(input · weight + bias) for one block of rows whose input lies as the format has it.
static void product_block(
    int format, struct product product, const char *panels, const float *bias, int64_t rows, int64_t columns,
    int32_t activation) {
    // As equal as they can be: tiles of few rows leave the multipliers waiting for their own results.
    int64_t tiles = (rows + TILE_ROWS - 1) / TILE_ROWS;
    struct product first = product;
    for (int64_t column = 0; column < columns; column += TILE_COLUMNS) {
        int64_t group_bytes = TILE_COLUMNS / THAW_PANEL_COLUMNS * product.panel_bytes;
        product.panel = panels + column / TILE_COLUMNS * group_bytes;
        product.columns = column + TILE_COLUMNS < columns ? TILE_COLUMNS : columns - column;
        product.bias = bias ? bias + column : NULL;
        for (int64_t number = 0, row = 0; number < tiles; number++) {
            int64_t count = (rows - row + tiles - number - 1) / (tiles - number);
            int64_t asked = number * product.steps * PREFETCH_LINES * LINE_BYTES;
            // Once the next group is asked for, further tiles ask for lines that are here: cheaper than a branch a step.
            product.ahead = asked < group_bytes ? product.panel + group_bytes + asked : product.panel;
            product.input = first.input + row * product.input_stride;
            product.quantized = first.quantized ? first.quantized + row : NULL;
            product.out = first.out + row * product.out_stride + column;
            switch (format) {
            case THAW_BF16: tile_bf16(count, product); break;
            case THAW_INT8: tile_int8(count, product); break;
            default: tile_f32(count, product);
            }
            if (activation != THAW_NONE) {
                for (int64_t r = 0; r < count; r++) {
                    float *corner = product.out + r * product.out_stride;
                    activate(corner, corner, product.columns, activation);
                }
            }
            row += count;
        }
    }
}

// Rows of a block: as many tiles as the cache takes, and two at least, so that each line of weights is used often.
static int64_t block_rows(int64_t rows, int64_t row_bytes) {
    int64_t fitting = BLOCK_INPUT_BYTES / row_bytes / TILE_ROWS * TILE_ROWS;
    int64_t most = fitting < 2 * TILE_ROWS ? 2 * TILE_ROWS : fitting;
    int64_t blocks = (rows + most - 1) / most;
    return (rows + blocks - 1) / blocks;
}
