// The inference kernels: plain C, f32 but for the weights of some products. A caller picks one variant
// and calls through its table.
//
// Every matrix is row-major. R = rows, K = inner, N = columns. Sizes are ≥ 1 and the memory holds them: the safe face
// (`Sources/Kernels`) checks that. `out` never overlaps an input, except in `softmax`, `normalize` and `activate`,
// where it may be the very same memory.
#ifndef THAW_KERNELS_H
#define THAW_KERNELS_H

#include "convolution.h"

#include <stdint.h>

// A panel holds 16 columns of a weight, one row of 16 after the other: one AVX-512 register, two of AVX2.
// The last panel is filled up with zeros. See Sources/Kernels/Panels.swift.
#define THAW_PANEL_COLUMNS 16

// Rows of scores that attention holds at a time: a multiple of each variant's row tile (9 and 6), and 36 rows of 512
// scores (72 KiB) stay in the second-level cache beside the head's keys and values.
#define THAW_ATTENTION_BLOCK_ROWS 36

// What one step of a product reads of a panel: 16 columns of four bytes.
#define THAW_PANEL_LINE_BYTES 64

// How the numbers of a product's weight lie, and in which arithmetic they meet the input. A step of a panel is one
// float, two bfloat16 or four integers of each of its 16 columns, beginning with column 0; an inner size that is no
// whole number of steps is filled up with zeros.
enum thaw_format {
    THAW_F32 = 0,
    THAW_BF16 = 1,
    // After its steps a panel has 16 scales (float) and 16 sums of its columns (int32): weight = scale · integer.
    THAW_INT8 = 2,
};

// Steps of a panel, and its bytes.
static inline int64_t thaw_panel_steps(int32_t format, int64_t inner) {
    return (inner + (1 << format) - 1) >> format;
}
static inline int64_t thaw_panel_bytes(int32_t format, int64_t inner) {
    int64_t lines = thaw_panel_steps(format, inner) + (format == THAW_INT8 ? 2 : 0);
    return lines * THAW_PANEL_LINE_BYTES;
}

// Bytes of scratch that a product needs for rows in another format than floats: two bytes a number, what is known of
// each row, and a register of slack.
static inline int64_t thaw_linear_scratch(int64_t rows, int64_t inner) {
    return rows * (thaw_panel_steps(THAW_BF16, inner) * 4 + 8) + 64;
}

enum thaw_activation {
    THAW_NONE = 0,
    THAW_RELU = 1,
    THAW_GELU = 2,
    THAW_TANH = 3,
    THAW_SIGMOID = 4,
};

struct thaw_kernels {
    const char *_Nonnull name;

    // Products. out[R, N] = activation(input[R, K] · weight[K, N] + bias[N]); strides count floats from row to row.
    void (*_Nonnull linear)(
        const float *_Nonnull input, int64_t input_stride, const void *_Nonnull panels, const float *_Nullable bias,
        float *_Nonnull out, int64_t out_stride, int64_t rows, int64_t inner, int64_t columns, int32_t activation);
    // The same with a weight in THAW_BF16: the input is rounded to it, sums are floats. scratch holds
    // thaw_linear_scratch(R, K) bytes.
    void (*_Nonnull linear_bf16)(
        const float *_Nonnull input, int64_t input_stride, const void *_Nonnull panels, const float *_Nullable bias,
        float *_Nonnull out, int64_t out_stride, void *_Nonnull scratch, int64_t rows, int64_t inner, int64_t columns,
        int32_t activation);
    // The same with a weight in THAW_INT8, K ≤ 65,536: each row of input becomes integers of 0…255 with a scale and a
    // zero of its own; integers are summed exactly, so that all variants agree to the last rounding.
    void (*_Nonnull linear_int8)(
        const float *_Nonnull input, int64_t input_stride, const void *_Nonnull panels, const float *_Nullable bias,
        float *_Nonnull out, int64_t out_stride, void *_Nonnull scratch, int64_t rows, int64_t inner, int64_t columns,
        int32_t activation);
    // Multiplies and adds of a format in registers only, for the benchmark: returns the number of operations done.
    int64_t (*_Nonnull fma_loop)(int32_t format, int64_t iterations);

    // out[R, N] = (x − mean) / √(variance + epsilon) · scale[N] + shift[N] by row, x = input (+ residual).
    void (*_Nonnull layer_norm)(
        const float *_Nonnull input, const float *_Nullable residual, const float *_Nonnull scale,
        const float *_Nonnull shift, float epsilon, float *_Nonnull out, int64_t rows, int64_t columns);

    // One sequence: out[L, heads · width] = softmax(q kᵀ / √width + p) v by head; fused[L, 3 · heads · width] holds q,
    // k, v side by side. p[row, other] = places[head · places_stride + other − row], which may be before `places`; none
    // where that is NULL. scratch holds thaw_attention_scratch(length, width) floats. Only the heads first … last − 1.
    void (*_Nonnull attention)(
        const float *_Nonnull fused, const float *_Nullable places, int64_t places_stride, float *_Nonnull out,
        float *_Nonnull scratch, int64_t length, int64_t heads, int64_t width, int64_t first, int64_t last);

    // The same with products in bfloat16 where the processor has them, else the very same.
    void (*_Nonnull attention_bf16)(
        const float *_Nonnull fused, const float *_Nullable places, int64_t places_stride, float *_Nonnull out,
        float *_Nonnull scratch, int64_t length, int64_t heads, int64_t width, int64_t first, int64_t last);

    // One sequence: out[L, N] = words[ids[l]] + positions[l] + types[type_ids[l]], of types[0] where there are none.
    void (*_Nonnull embed)(
        const int32_t *_Nonnull ids, const int32_t *_Nullable type_ids, const float *_Nonnull words,
        const float *_Nonnull positions, const float *_Nonnull types, float *_Nonnull out, int64_t length,
        int64_t columns);

    // out[N] = the sum over the rows of input[R, N] / divisor, or the greatest of each column.
    void (*_Nonnull pool_sum)(
        const float *_Nonnull input, float *_Nonnull out, float divisor, int64_t rows, int64_t columns);
    void (*_Nonnull pool_greatest)(const float *_Nonnull input, float *_Nonnull out, int64_t rows, int64_t columns);

    // out[R, N] = input / max(‖row‖₂, 1e-12).
    void (*_Nonnull normalize)(const float *_Nonnull input, float *_Nonnull out, int64_t rows, int64_t columns);

    // Softmax of each row; stride counts floats from row to row on both sides.
    void (*_Nonnull softmax)(
        const float *_Nonnull input, float *_Nonnull out, int64_t stride, int64_t rows, int64_t columns);

    void (*_Nonnull activate)(const float *_Nonnull input, float *_Nonnull out, int64_t count, int32_t activation);

    // Images: see convolution.h.
    struct thaw_convolution_kernels convolution;
};

// Floats of scratch that `attention` needs for one sequence.
static inline int64_t thaw_attention_scratch(int64_t length, int64_t width) {
    int64_t padded_length = (length + THAW_PANEL_COLUMNS - 1) / THAW_PANEL_COLUMNS * THAW_PANEL_COLUMNS;
    int64_t padded_width = (width + THAW_PANEL_COLUMNS - 1) / THAW_PANEL_COLUMNS * THAW_PANEL_COLUMNS;
    // Keys as panels [width][16 keys] + values as panels [length][16 columns] + a block of scores; in bfloat16 panels of
    // half the size, but the block of scores and one of queries a second time, and a register of slack.
    int64_t block = THAW_ATTENTION_BLOCK_ROWS * (padded_length + (padded_length + padded_width) / 2);
    return padded_length * padded_width + (length + 1) * padded_width + block + THAW_PANEL_COLUMNS;
}

// The variants from the plainest to the fastest: 0 scalar, 1 avx2, 2 avx512, 3 avx512-vnni (integers), 4 avx512-bf16
// (integers and bfloat16); on 64-bit ARM 1 neon, 2 neon-dot (integers), 3 neon-bf16 (integers and bfloat16). NULL where this machine cannot run it
// (also when the operating system does not save its registers) or where there is none of that number.
const struct thaw_kernels *_Nullable thaw_kernels_variant(int32_t index);

#endif
