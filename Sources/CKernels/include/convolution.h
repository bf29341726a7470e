// Convolutions and pools over images: plain C, f32, one thread.
//
// Two layouts of an image. *planar*: [channel][y][x], as ONNX has it. *blocked*: [block][y][x][16], where a block is 16
// channels side by side, the last one filled up with zeros or what an activation makes of them, always finite: one
// AVX-512 register, or two of AVX2, is one pixel of 16 channels. Weights of one output block lie in the order in which
// the sums meet them, 16 output channels side by side; the last block is filled up with zeros.
#ifndef THAW_CONVOLUTION_H
#define THAW_CONVOLUTION_H

#include <stdint.h>

#define THAW_BLOCK 16

// What is applied to a finished sum, after the residual was added.
enum thaw_finish {
    THAW_FINISH_CLIP = 0,          // min(max(x, low), high); ±infinity for none
    THAW_FINISH_SILU = 1,          // x · logistic(x)
    THAW_FINISH_HARD_SWISH = 2,    // x · min(max(x / 6 + 1/2, 0), 1)
    THAW_FINISH_HARD_SIGMOID = 3,  // min(max(low · x + high, 0), 1)
    THAW_FINISH_LEAKY_RELU = 4,    // x < 0 ? low · x : x
    THAW_FINISH_SIGMOID = 5,
    THAW_FINISH_TANH = 6,
    THAW_FINISH_GELU = 7,
};

// One convolution of one image. Sizes are ≥ 1, pads ≥ 0.
struct thaw_convolution {
    int64_t groups;
    int64_t in_planes;   // of a group: blocks of 16 channels, or channels where the input is planar
    int64_t out_blocks;  // of a group
    int64_t in_height, in_width;
    int64_t out_height, out_width;
    int64_t kernel_height, kernel_width;
    int64_t stride_y, stride_x;
    int64_t dilation_y, dilation_x;
    int64_t pad_top, pad_left;  // below and to the right there is as much as the output's size asks for
    int32_t is_planar;          // the input; the output is always blocked
    int32_t finish;             // enum thaw_finish
    float low, high;
};

// A window over one image in blocked layout; a convolution's fields without channels.
struct thaw_pool {
    int64_t blocks;
    int64_t in_height, in_width;
    int64_t out_height, out_width;
    int64_t kernel_height, kernel_width;
    int64_t stride_y, stride_x;
    int64_t dilation_y, dilation_x;
    int64_t pad_top, pad_left;
    int64_t pad_bottom, pad_right;  // of `average`, which may count what is padded
    int32_t counts_pads;
};

// bias[out blocks · 16] and residual (laid out as out is) may be NULL. `out` overlaps nothing that is read.
struct thaw_convolution_kernels {
    // weights[group][out block][in plane][ky][kx][16 in, or 1 where planar][16 out]; scratch holds
    // thaw_convolution_scratch floats.
    void (*_Nonnull convolve)(
        const struct thaw_convolution *_Nonnull shape, const float *_Nonnull input, const float *_Nonnull weights,
        const float *_Nullable bias, const float *_Nullable residual, float *_Nonnull out, float *_Nonnull scratch);

    // Each channel by itself: weights[block][ky][kx][16]; `groups` is 1 and in_planes = out_blocks.
    void (*_Nonnull depthwise)(
        const struct thaw_convolution *_Nonnull shape, const float *_Nonnull input, const float *_Nonnull weights,
        const float *_Nullable bias, const float *_Nullable residual, float *_Nonnull out);

    // 3 × 3, stride and dilation 1, one group, blocked: Winograd's F(4 × 4, 3 × 3) with transformed weights
    // [36][out block][in plane · 16][16], see thaw_winograd_weights. scratch holds thaw_winograd_scratch floats.
    void (*_Nonnull winograd)(
        const struct thaw_convolution *_Nonnull shape, const float *_Nonnull input, const float *_Nonnull weights,
        const float *_Nullable bias, const float *_Nullable residual, float *_Nonnull out, float *_Nonnull scratch);

    // out[block][y][x][16] = the greatest, or the mean, of the window's pixels that lie in the image.
    void (*_Nonnull max_pool)(const struct thaw_pool *_Nonnull shape, const float *_Nonnull input, float *_Nonnull out);
    void (*_Nonnull average_pool)(
        const struct thaw_pool *_Nonnull shape, const float *_Nonnull input, float *_Nonnull out);

    // planar[channels][pixels] ↔ blocked[⌈channels / 16⌉][pixels][16].
    void (*_Nonnull block)(
        const float *_Nonnull planar, float *_Nonnull blocked, int64_t channels, int64_t pixels);
    void (*_Nonnull unblock)(
        const float *_Nonnull blocked, float *_Nonnull planar, int64_t channels, int64_t pixels);
};

// Floats of input that are worked on at a time: 64 Ki are 256 KiB, a quarter of a second-level cache of 1 MiB, beside
// the weights of two output blocks, which all of them meet.
#define THAW_CONVOLUTION_BLOCK_FLOATS (64 * 1024)

// Floats of a pixel of one plane.
static inline int64_t thaw_convolution_lanes(const struct thaw_convolution *_Nonnull shape) {
    return shape->is_planar ? 1 : THAW_BLOCK;
}

// Whether windows are read from a copy: where they reach beyond the image, or where pixels are skipped altogether.
static inline int thaw_convolution_copies(const struct thaw_convolution *_Nonnull shape) {
    int64_t reach_y = (shape->out_height - 1) * shape->stride_y + (shape->kernel_height - 1) * shape->dilation_y + 1;
    int64_t reach_x = (shape->out_width - 1) * shape->stride_x + (shape->kernel_width - 1) * shape->dilation_x + 1;
    int skips = shape->kernel_height * shape->kernel_width == 1 && shape->stride_y * shape->stride_x > 1;
    return skips || shape->pad_top > 0 || shape->pad_left > 0 || reach_y > shape->in_height || reach_x > shape->in_width;
}

// Columns and rows of the copy for `lines` rows of output.
static inline int64_t thaw_convolution_copy_width(const struct thaw_convolution *_Nonnull shape) {
    if (shape->kernel_height * shape->kernel_width == 1) {
        return shape->out_width;
    }
    return (shape->out_width - 1) * shape->stride_x + (shape->kernel_width - 1) * shape->dilation_x + 1;
}
static inline int64_t thaw_convolution_copy_height(const struct thaw_convolution *_Nonnull shape, int64_t lines) {
    if (shape->kernel_height * shape->kernel_width == 1) {
        return lines;
    }
    return (lines - 1) * shape->stride_y + (shape->kernel_height - 1) * shape->dilation_y + 1;
}

// Rows of output that are worked out at a time: at least one.
static inline int64_t thaw_convolution_lines(const struct thaw_convolution *_Nonnull shape) {
    int64_t row = shape->in_planes * thaw_convolution_lanes(shape) * thaw_convolution_copy_width(shape);
    int64_t lines = 1;
    while (lines < shape->out_height
           && thaw_convolution_copy_height(shape, lines + 1) * row <= THAW_CONVOLUTION_BLOCK_FLOATS) {
        lines++;
    }
    return lines;
}

// Floats of scratch that `convolve` needs.
static inline int64_t thaw_convolution_scratch(const struct thaw_convolution *_Nonnull shape) {
    if (!thaw_convolution_copies(shape)) {
        return 0;
    }
    int64_t rows = thaw_convolution_copy_height(shape, thaw_convolution_lines(shape));
    return shape->in_planes * thaw_convolution_lanes(shape) * rows * thaw_convolution_copy_width(shape);
}

#define THAW_WINOGRAD_OUT 4  // rows and columns of output of a tile
#define THAW_WINOGRAD_IN 6   // of input, two more than the kernel's three minus one
#define THAW_WINOGRAD_POINTS (THAW_WINOGRAD_IN * THAW_WINOGRAD_IN)

// Tiles that are worked on at a time: transformed input and products of them stay in the second-level cache.
static inline int64_t thaw_winograd_tiles(const struct thaw_convolution *_Nonnull shape) {
    int64_t floats = THAW_WINOGRAD_POINTS * THAW_BLOCK * (shape->in_planes + shape->out_blocks);
    int64_t tiles = 128 * 1024 / floats;
    int64_t all = (shape->out_height + 3) / THAW_WINOGRAD_OUT * ((shape->out_width + 3) / THAW_WINOGRAD_OUT);
    // A multiple of the product's 14 pixels.
    tiles = tiles < 28 ? 28 : tiles / 14 * 14;
    return tiles < all ? tiles : all;
}

static inline int64_t thaw_winograd_scratch(const struct thaw_convolution *_Nonnull shape) {
    return THAW_WINOGRAD_POINTS * THAW_BLOCK * (shape->in_planes + shape->out_blocks) * thaw_winograd_tiles(shape);
}

// The transform of one kernel: 36 numbers, in the order in which `winograd` has them.
void thaw_winograd_weights(const float *_Nonnull kernel, float *_Nonnull points);

#endif
