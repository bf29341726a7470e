// The convolution. One tile of sums stays in registers:
//
//            k →                    block 0          block 1
//   pixel 0  [ input, broadcast ]   [ 16 weights ]   [ 16 weights ]   ← 16 output channels each per k
//    …         × CONVOLUTION_PIXELS   two registers wide on either instruction set
//
// where k runs over the taps of the kernel and 16 input channels of each, which lie side by side. The loops around it,
// from the outside: rows of output in blocks, so that their input stays in the second-level cache while all weights
// stream by; pairs of output blocks; rows; pixels of a row. A convolution of 1 × 1 sees one row of all pixels.

#define CONVOLUTION_REGISTERS 2
#define CONVOLUTION_BLOCKS (CONVOLUTION_REGISTERS * LANES / THAW_BLOCK)

// Rows of output, all of one width, and where the windows of their pixels lie.
struct lines {
    const float *input;  // first tap of the first pixel
    int64_t planes, plane_stride;
    int64_t taps_y, tap_y_stride;
    int64_t taps_x, tap_x_stride;
    int64_t depth;  // inputs of a tap, side by side
    int64_t pixel_stride;
    int64_t line_stride;
    const float *weights;
    int64_t weights_stride;  // from an output block to the next
    const float *bias;
    const float *residual;
    float *out;
    int64_t out_plane_stride, out_line_stride;
    int64_t blocks, lines, width;
    int64_t ahead;  // cache lines of the next output blocks' weights that a tile asks for at each tap
    int32_t finish;
    float low, high;
};

static __attribute__((noinline)) void finish(float *out, int64_t count, int32_t kind, float low, float high) {
    lanes zero = broadcast(0.0f), one = broadcast(1.0f), half = broadcast(0.5f);
    for (int64_t i = 0; i < count; i += LANES) {
        lanes x = load(out + i), y = x;
        switch (kind) {
        case THAW_FINISH_SILU: y = x * logistic(x); break;
        case THAW_FINISH_HARD_SWISH:
            y = x * smaller(one, greater(zero, fused(x, broadcast(1.0f / 6.0f), half)));
            break;
        case THAW_FINISH_HARD_SIGMOID:
            y = smaller(one, greater(zero, fused(x, broadcast(low), broadcast(high))));
            break;
        case THAW_FINISH_LEAKY_RELU: y = where_less(x, zero, x * broadcast(low), x); break;
        case THAW_FINISH_SIGMOID: y = logistic(x); break;
        case THAW_FINISH_TANH: y = hyperbolic_tangent(x); break;
        case THAW_FINISH_GELU: y = x * normal_distribution(x); break;
        }
        store(out + i, y);
    }
}

// `pixels`, `registers` and `depth` (16, or 0 for any) are constants at each call, so that the sums are registers.
static inline __attribute__((always_inline)) void convolution_tile(
    int pixels, int registers, int depth, const struct lines *l, const float *input, const float *weights,
    const float *bias, const float *residual, float *out, int64_t share) {
    lanes sums[CONVOLUTION_PIXELS][CONVOLUTION_REGISTERS];
    int64_t weights_stride = LANES == THAW_BLOCK ? l->weights_stride : LANES;
    int64_t out_stride = LANES == THAW_BLOCK ? l->out_plane_stride : LANES;
#pragma clang loop unroll(full)
    for (int r = 0; r < registers; r++) {
        lanes start = bias ? load(bias + r * LANES) : broadcast(0.0f);
#pragma clang loop unroll(full)
        for (int p = 0; p < pixels; p++) {
            sums[p][r] = start;
        }
    }
    int64_t pixel_stride = l->pixel_stride, inner = depth ? depth : l->depth;
    // The next blocks' weights come from memory while these are worked on: the tiles of a block share the asking. Beyond
    // the last weight too: a prefetch of what is not there does nothing.
    const float *next = weights + CONVOLUTION_BLOCKS * l->weights_stride + share;
    for (int64_t plane = 0; plane < l->planes; plane++) {
        for (int64_t y = 0; y < l->taps_y; y++) {
            for (int64_t x = 0; x < l->taps_x; x++) {
                const float *from = input + plane * l->plane_stride + y * l->tap_y_stride + x * l->tap_x_stride;
                for (int64_t i = 0; i < l->ahead; i++) {
                    __builtin_prefetch(next, 0, 2);
                    next += THAW_BLOCK;
                }
#pragma clang loop unroll_count(4)
                for (int64_t k = 0; k < inner; k++) {
                    lanes w[CONVOLUTION_REGISTERS];
#pragma clang loop unroll(full)
                    for (int r = 0; r < registers; r++) {
                        w[r] = load(weights + r * weights_stride);
                    }
                    weights += THAW_BLOCK;
#pragma clang loop unroll(full)
                    for (int p = 0; p < pixels; p++) {
                        lanes value = broadcast(from[p * pixel_stride + k]);
#pragma clang loop unroll(full)
                        for (int r = 0; r < registers; r++) {
                            sums[p][r] = fused(value, w[r], sums[p][r]);
                        }
                    }
                }
            }
        }
    }
    lanes low = broadcast(l->low), high = broadcast(l->high);
    if (l->finish != THAW_FINISH_CLIP) {
        low = broadcast(-__builtin_inff()), high = broadcast(__builtin_inff());
    }
#pragma clang loop unroll(full)
    for (int r = 0; r < registers; r++) {
#pragma clang loop unroll(full)
        for (int p = 0; p < pixels; p++) {
            lanes sum = sums[p][r];
            int64_t at = p * THAW_BLOCK + r * out_stride;
            if (residual) {
                sum = sum + load(residual + at);
            }
            // The sum second: where it is NaN it stays.
            store(out + at, smaller(high, greater(low, sum)));
        }
    }
    if (l->finish != THAW_FINISH_CLIP) {
        int64_t blocks = registers * LANES / THAW_BLOCK;
        for (int64_t b = 0; b < blocks; b++) {
            finish(out + b * l->out_plane_stride, pixels * THAW_BLOCK, l->finish, l->low, l->high);
        }
    }
}

#define CASE(count, registers)                                                                                        \
    case count: convolution_tile(count, registers, DEPTH, l, input, weights, bias, residual, out, share); break;
#define CASES(registers)                                                                                              \
    CASE(1, registers) CASE(2, registers) CASE(3, registers) CASE(4, registers) CASE(5, registers) CASE(6, registers)
#define MORE_CASES(registers)                                                                                         \
    CASE(7, registers) CASE(8, registers) CASE(9, registers) CASE(10, registers) CASE(11, registers)                  \
    CASE(12, registers) CASE(13, registers) CASE(14, registers)
#if CONVOLUTION_PIXELS == 14
#define ALL_CASES(registers) CASES(registers) MORE_CASES(registers)
#else
#define ALL_CASES(registers) CASES(registers)
#endif
#define TILE_OF(name, registers)                                                                                      \
    static __attribute__((noinline)) void name(                                                                       \
        int64_t pixels, const struct lines *l, const float *input, const float *weights, const float *bias,           \
        const float *residual, float *out, int64_t share) {                                                           \
        switch (pixels) { ALL_CASES(registers) }                                                                      \
    }
#define DEPTH 16
TILE_OF(tile_of_two, 2)
#if CONVOLUTION_BLOCKS == 2
TILE_OF(tile_of_one, 1)
#endif
#undef DEPTH
#define DEPTH 0
TILE_OF(planar_tile_of_two, 2)
#if CONVOLUTION_BLOCKS == 2
TILE_OF(planar_tile_of_one, 1)
#endif
#undef DEPTH
#undef TILE_OF
#undef ALL_CASES
#undef MORE_CASES
#undef CASES
#undef CASE

static void convolve_lines(struct lines *l) {
    int64_t tiles = (l->width + CONVOLUTION_PIXELS - 1) / CONVOLUTION_PIXELS;
    int64_t steps = l->planes * l->taps_y * l->taps_x, all = tiles * l->lines;
    // Each tap has as many weights to come as it has itself.
    int64_t ahead = (CONVOLUTION_BLOCKS * l->depth + all - 1) / all;
    for (int64_t block = 0; block < l->blocks; block += CONVOLUTION_BLOCKS) {
        const float *weights = l->weights + block * l->weights_stride;
        const float *bias = l->bias ? l->bias + block * THAW_BLOCK : NULL;
#if CONVOLUTION_BLOCKS == 2
        int is_pair = block + 1 < l->blocks;
        void (*any_tile_here)(
            int64_t, const struct lines *, const float *, const float *, const float *, const float *, float *, int64_t) =
            l->depth == THAW_BLOCK ? (is_pair ? tile_of_two : tile_of_one)
                                   : (is_pair ? planar_tile_of_two : planar_tile_of_one);
#else
        void (*any_tile_here)(
            int64_t, const struct lines *, const float *, const float *, const float *, const float *, float *, int64_t) =
            l->depth == THAW_BLOCK ? tile_of_two : planar_tile_of_two;
#endif
        for (int64_t line = 0; line < l->lines; line++) {
            // All tiles of a row are about as wide: 49 pixels are 13 + 12 + 12 + 12 and not 14 + 14 + 14 + 7.
            for (int64_t tile = 0; tile < tiles; tile++) {
                int64_t x = l->width * tile / tiles, end = l->width * (tile + 1) / tiles;
                int64_t at = block * l->out_plane_stride + line * l->out_line_stride + x * THAW_BLOCK;
                int64_t asked = (line * tiles + tile) * steps * ahead;
                l->ahead = asked < CONVOLUTION_BLOCKS * l->depth * steps ? ahead : 0;
                any_tile_here(
                    end - x, l, l->input + line * l->line_stride + x * l->pixel_stride, weights, bias,
                    l->residual ? l->residual + at : NULL, l->out + at,
                    asked * THAW_BLOCK);
            }
        }
    }
}

// Rows and columns of one plane, from `top`, `left` on and every `step`-th, zeros where the image ends.
struct window {
    int64_t top, left, height, width, step_y, step_x;
};

static void copy_window(
    const float *from, int64_t height, int64_t width, int64_t lane_count, struct window window, float *to) {
    for (int64_t row = 0; row < window.height; row++) {
        int64_t y = window.top + row * window.step_y;
        float *line = to + row * window.width * lane_count;
        if (y < 0 || y >= height) {
            memset(line, 0, (size_t)(window.width * lane_count) * sizeof(float));
            continue;
        }
        const float *source = from + y * width * lane_count;
        if (window.step_x == 1) {
            int64_t before = window.left < 0 ? -window.left : 0;
            before = before < window.width ? before : window.width;
            int64_t inside = width - (window.left + before);
            inside = inside < 0 ? 0 : inside < window.width - before ? inside : window.width - before;
            int64_t after = window.width - before - inside;
            memset(line, 0, (size_t)(before * lane_count) * sizeof(float));
            memcpy(
                line + before * lane_count, source + (window.left + before) * lane_count,
                (size_t)(inside * lane_count) * sizeof(float));
            memset(line + (before + inside) * lane_count, 0, (size_t)(after * lane_count) * sizeof(float));
            continue;
        }
        for (int64_t column = 0; column < window.width; column++) {
            int64_t x = window.left + column * window.step_x;
            for (int64_t lane = 0; lane < lane_count; lane++) {
                line[column * lane_count + lane] = x < 0 || x >= width ? 0 : source[x * lane_count + lane];
            }
        }
    }
}

// The fields that do not depend on the rows.
static struct lines lines_of_shape(const struct thaw_convolution *shape) {
    int64_t lane_count = thaw_convolution_lanes(shape);
    int is_row = shape->is_planar && shape->dilation_x == 1;
    int64_t taps = shape->kernel_height * shape->kernel_width;
    return (struct lines){
        .planes = shape->in_planes,
        .taps_y = shape->kernel_height,
        // Taps of a planar row lie side by side: they are its depth.
        .taps_x = is_row ? 1 : shape->kernel_width,
        .tap_x_stride = shape->dilation_x * lane_count,
        .depth = is_row ? shape->kernel_width : lane_count,
        .pixel_stride = shape->stride_x * lane_count,
        .weights_stride = shape->in_planes * taps * lane_count * THAW_BLOCK,
        .out_plane_stride = shape->out_height * shape->out_width * THAW_BLOCK,
        .out_line_stride = shape->out_width * THAW_BLOCK,
        .blocks = shape->out_blocks,
        .width = shape->out_width,
        .finish = shape->finish,
        .low = shape->low,
        .high = shape->high,
    };
}

// 1 × 1 without skips: one row of all pixels, cut into pieces.
static void convolve_points(struct lines l, const struct thaw_convolution *shape) {
    int64_t pixels = shape->in_height * shape->in_width, lane_count = thaw_convolution_lanes(shape);
    int64_t piece = THAW_CONVOLUTION_BLOCK_FLOATS / (shape->in_planes * lane_count) / CONVOLUTION_PIXELS;
    piece = (piece < 1 ? 1 : piece) * CONVOLUTION_PIXELS;
    l.plane_stride = pixels * lane_count;
    l.lines = 1;
    const float *input = l.input, *residual = l.residual;
    float *out = l.out;
    for (int64_t start = 0; start < pixels; start += piece) {
        // Whatever is left after this piece is worth one of its own, or comes along.
        int64_t left = pixels - start;
        l.width = left < piece + piece / 2 ? left : piece;
        l.input = input + start * lane_count;
        l.residual = residual ? residual + start * THAW_BLOCK : NULL;
        l.out = out + start * THAW_BLOCK;
        convolve_lines(&l);
        if (l.width == left) {
            break;
        }
    }
}

static void convolve_windows(struct lines l, const struct thaw_convolution *shape, float *scratch) {
    int64_t lane_count = thaw_convolution_lanes(shape), step = thaw_convolution_lines(shape);
    int64_t in_plane = shape->in_height * shape->in_width * lane_count;
    int copies = thaw_convolution_copies(shape), is_point = shape->kernel_height * shape->kernel_width == 1;
    const float *input = l.input, *residual = l.residual;
    float *out = l.out;
    int64_t width = copies ? thaw_convolution_copy_width(shape) : shape->in_width;
    for (int64_t line = 0; line < shape->out_height; line += step) {
        int64_t count = line + step < shape->out_height ? step : shape->out_height - line;
        int64_t top = line * shape->stride_y - shape->pad_top;
        l.residual = residual ? residual + line * l.out_line_stride : NULL;
        l.out = out + line * l.out_line_stride;
        l.lines = count;
        l.tap_y_stride = shape->dilation_y * width * lane_count;
        l.line_stride = shape->stride_y * width * lane_count;
        l.plane_stride = in_plane;
        l.input = input + top * width * lane_count;
        if (copies) {
            int64_t height = thaw_convolution_copy_height(shape, count);
            struct window window = {top, -shape->pad_left, height, width, 1, 1};
            if (is_point) {
                window.step_y = shape->stride_y, window.step_x = shape->stride_x;
            }
            l.plane_stride = height * width * lane_count;
            for (int64_t plane = 0; plane < shape->in_planes; plane++) {
                copy_window(
                    input + plane * in_plane, shape->in_height, shape->in_width, lane_count, window,
                    scratch + plane * l.plane_stride);
            }
            l.input = scratch;
        }
        if (copies && is_point) {
            // What was skipped is gone: one row again.
            l.pixel_stride = lane_count;
            l.lines = 1;
            l.width = count * shape->out_width;
        }
        convolve_lines(&l);
    }
}

static void convolve(
    const struct thaw_convolution *shape, const float *input, const float *weights, const float *bias,
    const float *residual, float *out, float *scratch) {
    struct lines l = lines_of_shape(shape);
    int64_t in_group = shape->in_planes * shape->in_height * shape->in_width * thaw_convolution_lanes(shape);
    int64_t out_group = shape->out_blocks * l.out_plane_stride;
    for (int64_t group = 0; group < shape->groups; group++) {
        l.input = input + group * in_group;
        l.weights = weights + group * shape->out_blocks * l.weights_stride;
        l.bias = bias ? bias + group * shape->out_blocks * THAW_BLOCK : NULL;
        l.residual = residual ? residual + group * out_group : NULL;
        l.out = out + group * out_group;
        if (shape->kernel_height * shape->kernel_width == 1 && !thaw_convolution_copies(shape)
            && shape->in_height == shape->out_height && shape->in_width == shape->out_width) {
            convolve_points(l, shape);
        } else {
            convolve_windows(l, shape, scratch);
        }
    }
}
