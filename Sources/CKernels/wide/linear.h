// The matrix product. One tile of sums stays in registers:
//
//            k →                 panel 0         panel 1
//   row 0  [ input, broadcast ]  [ 16 weights ]  [ 16 weights ]   ← one row of each panel per k
//    …       × TILE_ROWS          two registers wide on either instruction set
//
// and the loops around it, from the outside: rows in blocks, so that a block of input stays in the second-level cache
// while all weights stream by; inner in blocks; pairs of panels; tiles of rows, which all meet the same weights.

// Rows × inner of input: 240 × 384 × 4 bytes = 360 KiB of a second-level cache of 1 MiB (512 KiB on some AVX2
// machines). 240 is a multiple of both tiles. Two panels × 384 × 64 bytes = 48 KiB stream from there to the registers,
// 2 lines in the 12 cycles that a tile's 24 products take.
#define BLOCK_ROWS 240
#define BLOCK_INNER 384

// Rows of a panel that are asked for ahead of their use: 64 × 64 bytes = one page, for the processor's own prefetcher
// stops at the end of a page. Worth a tenth of the time where the weights come from memory and the rows are few.
#define PREFETCH_ROWS 64

#define TILE_COLUMNS (TILE_PANELS * THAW_PANEL_COLUMNS)

// What a tile needs to know besides its size.
struct product {
    const float *input;
    int64_t input_stride;
    const float *weights;    // first column of the tile, first k of the block
    int64_t weights_stride;  // from the tile's first register of weights to its second
    const float *bias;       // NULL also where the sums begin with what out holds
    float *out;
    int64_t out_stride;
    int64_t inner;
    int64_t columns;  // of the tile: what is stored, 1…TILE_COLUMNS
    int continues;    // the sums begin with what out holds
};

// `rows` and `registers` (1 or 2) are constants at each call, so that the sums are registers and not memory.
static inline __attribute__((always_inline)) void tile(int rows, int registers, struct product product) {
    lanes sums[TILE_ROWS][2];
    int64_t counts[2] = {
        product.columns < LANES ? product.columns : LANES,
        product.columns - LANES,
    };
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
#pragma clang loop unroll(full)
        for (int r = 0; r < registers; r++) {
            const float *start = product.continues ? product.out + row * product.out_stride : product.bias;
            sums[row][r] = start ? load_first(start + r * LANES, counts[r]) : broadcast(0.0f);
        }
    }
    for (int64_t k = 0; k < product.inner; k++) {
        lanes weights[2];
#pragma clang loop unroll(full)
        for (int r = 0; r < registers; r++) {
            const float *at = product.weights + k * THAW_PANEL_COLUMNS + r * product.weights_stride;
            // Beyond the last weight too: a prefetch of what is not there does nothing.
            __builtin_prefetch(at + PREFETCH_ROWS * THAW_PANEL_COLUMNS);
            weights[r] = load(at);
        }
#pragma clang loop unroll(full)
        for (int row = 0; row < rows; row++) {
            lanes x = broadcast(product.input[row * product.input_stride + k]);
#pragma clang loop unroll(full)
            for (int r = 0; r < registers; r++) {
                sums[row][r] = fused(x, weights[r], sums[row][r]);
            }
        }
    }
#pragma clang loop unroll(full)
    for (int row = 0; row < rows; row++) {
#pragma clang loop unroll(full)
        for (int r = 0; r < registers; r++) {
            store_first(product.out + row * product.out_stride + r * LANES, sums[row][r], counts[r]);
        }
    }
}

static __attribute__((noinline)) void any_tile(int64_t rows, struct product product) {
#define CASE(count)                                                                                                   \
    case count:                                                                                                       \
        product.columns > LANES ? tile(count, 2, product) : tile(count, 1, product);                                  \
        break;
    switch (rows) {
        CASE(1) CASE(2) CASE(3) CASE(4) CASE(5) CASE(6)
#if TILE_ROWS == 12
        CASE(7) CASE(8) CASE(9) CASE(10) CASE(11) CASE(12)
#endif
    }
#undef CASE
}

static void linear(
    const float *input, int64_t input_stride, const float *panels, const float *bias, float *out, int64_t out_stride,
    int64_t rows, int64_t inner, int64_t columns, int32_t activation) {
    for (int64_t row_block = 0; row_block < rows; row_block += BLOCK_ROWS) {
        int64_t row_end = row_block + BLOCK_ROWS < rows ? row_block + BLOCK_ROWS : rows;
        for (int64_t k = 0; k < inner; k += BLOCK_INNER) {
            int64_t k_count = k + BLOCK_INNER < inner ? BLOCK_INNER : inner - k;
            for (int64_t column = 0; column < columns; column += TILE_COLUMNS) {
                int64_t column_count = column + TILE_COLUMNS < columns ? TILE_COLUMNS : columns - column;
                for (int64_t row = row_block; row < row_end; row += TILE_ROWS) {
                    int64_t row_count = row + TILE_ROWS < row_end ? TILE_ROWS : row_end - row;
                    float *corner = out + row * out_stride + column;
                    struct product product = {
                        .input = input + row * input_stride + k,
                        .input_stride = input_stride,
                        .weights = panels + column * inner + k * THAW_PANEL_COLUMNS,
                        .weights_stride = LANES == THAW_PANEL_COLUMNS ? inner * THAW_PANEL_COLUMNS : LANES,
                        .bias = bias ? bias + column : NULL,
                        .out = corner,
                        .out_stride = out_stride,
                        .inner = k_count,
                        .columns = column_count,
                        .continues = k > 0,
                    };
                    any_tile(row_count, product);
                    if (activation != THAW_NONE && k + k_count == inner) {
                        for (int64_t r = 0; r < row_count; r++) {
                            activate(corner + r * out_stride, corner + r * out_stride, column_count, activation);
                        }
                    }
                }
            }
        }
    }
}
