// Convolutions of each channel by itself, and pools: lanes are channels, so that neither ever mixes them.

// `size`, `stride` and `is_edge` are constants at each call. Each pixel that is loaded meets every sum that it is due in.
static inline __attribute__((always_inline)) void depthwise_tile(
    int size, int stride, int is_edge, const struct thaw_convolution *shape, const float *input, int64_t left,
    int64_t first_tap, int64_t last_tap, const float *weights, lanes start, lanes sums[DEPTHWISE_PIXELS]) {
    int64_t width = shape->in_width;
#pragma clang loop unroll(full)
    for (int p = 0; p < DEPTHWISE_PIXELS; p++) {
        sums[p] = start;
    }
    for (int64_t tap = first_tap; tap < last_tap; tap++) {
        const float *row = input + (tap * width + left) * THAW_BLOCK;
        lanes w[5];
#pragma clang loop unroll(full)
        for (int k = 0; k < size; k++) {
            w[k] = load(weights + (tap * size + k) * THAW_BLOCK);
        }
#pragma clang loop unroll(full)
        for (int i = 0; i < (DEPTHWISE_PIXELS - 1) * stride + size; i++) {
            lanes x;
            if (is_edge && (left + i < 0 || left + i >= width)) {
                x = broadcast(0.0f);
            } else {
                x = load(row + i * THAW_BLOCK);
            }
#pragma clang loop unroll(full)
            for (int k = 0; k < size; k++) {
                int p = (i - k) / stride;
                if (i >= k && (i - k) % stride == 0 && p < DEPTHWISE_PIXELS) {
                    sums[p] = fused(x, w[k], sums[p]);
                }
            }
        }
    }
}

#define DEPTHWISE_TILE(size, stride)                                                                                  \
    static __attribute__((noinline)) void depthwise_##size##_##stride(                                                \
        const struct thaw_convolution *shape, const float *input, int64_t left, int64_t first_tap, int64_t last_tap,  \
        const float *weights, const float *bias, const float *residual, float *out, int64_t count) {                  \
        lanes sums[DEPTHWISE_PIXELS], start = bias ? load(bias) : broadcast(0.0f);                                    \
        if (left < 0 || left + (DEPTHWISE_PIXELS - 1) * stride + size > shape->in_width) {                            \
            depthwise_tile(size, stride, 1, shape, input, left, first_tap, last_tap, weights, start, sums);           \
        } else {                                                                                                      \
            depthwise_tile(size, stride, 0, shape, input, left, first_tap, last_tap, weights, start, sums);           \
        }                                                                                                             \
        depthwise_end(shape, sums, residual, out, count);                                                             \
    }

static inline __attribute__((always_inline)) void depthwise_end(
    const struct thaw_convolution *shape, lanes sums[DEPTHWISE_PIXELS], const float *residual, float *out,
    int64_t count) {
    int clips = shape->finish == THAW_FINISH_CLIP;
    lanes low = broadcast(clips ? shape->low : -__builtin_inff());
    lanes high = broadcast(clips ? shape->high : __builtin_inff());
#pragma clang loop unroll(full)
    for (int p = 0; p < DEPTHWISE_PIXELS; p++) {
        if (p < count) {
            lanes sum = residual ? sums[p] + load(residual + p * THAW_BLOCK) : sums[p];
            store(out + p * THAW_BLOCK, smaller(high, greater(low, sum)));
        }
    }
}

DEPTHWISE_TILE(3, 1)
DEPTHWISE_TILE(3, 2)
DEPTHWISE_TILE(5, 1)
DEPTHWISE_TILE(5, 2)
#undef DEPTHWISE_TILE

// Any kernel, a pixel at a time.
static __attribute__((noinline)) void depthwise_any(
    const struct thaw_convolution *shape, const float *input, int64_t left, int64_t first_tap, int64_t last_tap,
    const float *weights, const float *bias, const float *residual, float *out, int64_t count) {
    lanes low = broadcast(-__builtin_inff()), high = broadcast(__builtin_inff());
    if (shape->finish == THAW_FINISH_CLIP) {
        low = broadcast(shape->low), high = broadcast(shape->high);
    }
    for (int64_t p = 0; p < count; p++) {
        lanes sum = bias ? load(bias) : broadcast(0.0f);
        for (int64_t tap = first_tap; tap < last_tap; tap++) {
            for (int64_t k = 0; k < shape->kernel_width; k++) {
                int64_t x = left + p * shape->stride_x + k * shape->dilation_x;
                if (x >= 0 && x < shape->in_width) {
                    lanes pixel = load(input + (tap * shape->dilation_y * shape->in_width + x) * THAW_BLOCK);
                    sum = fused(pixel, load(weights + (tap * shape->kernel_width + k) * THAW_BLOCK), sum);
                }
            }
        }
        if (residual) {
            sum = sum + load(residual + p * THAW_BLOCK);
        }
        store(out + p * THAW_BLOCK, smaller(high, greater(low, sum)));
    }
}

// The first tap of `count` that lies in `size` pixels from `start` on, and the one after the last.
static inline void taps_inside(
    int64_t start, int64_t size, int64_t count, int64_t dilation, int64_t *first, int64_t *last) {
    *first = 0;
    while (*first < count && start + *first * dilation < 0) {
        (*first)++;
    }
    *last = count;
    while (*last > *first && start + (*last - 1) * dilation >= size) {
        (*last)--;
    }
}

static void depthwise(
    const struct thaw_convolution *shape, const float *input, const float *weights, const float *bias,
    const float *residual, float *out) {
    void (*some_pixels)(
        const struct thaw_convolution *, const float *, int64_t, int64_t, int64_t, const float *, const float *,
        const float *, float *, int64_t) = depthwise_any;
    int64_t size = shape->kernel_width, stride = shape->stride_x;
    if (shape->dilation_x == 1 && shape->dilation_y == 1 && shape->kernel_height == size && stride <= 2) {
        if (size == 3) {
            some_pixels = stride == 1 ? depthwise_3_1 : depthwise_3_2;
        } else if (size == 5) {
            some_pixels = stride == 1 ? depthwise_5_1 : depthwise_5_2;
        }
    }
    int64_t in_plane = shape->in_height * shape->in_width * THAW_BLOCK;
    int64_t out_line = shape->out_width * THAW_BLOCK;
    for (int64_t block = 0; block < shape->out_blocks; block++) {
        const float *kernel = weights + block * shape->kernel_height * size * THAW_BLOCK;
        for (int64_t y = 0; y < shape->out_height; y++) {
            int64_t top = y * shape->stride_y - shape->pad_top, first, last;
            taps_inside(top, shape->in_height, shape->kernel_height, shape->dilation_y, &first, &last);
            int64_t row = (block * shape->out_height + y) * out_line;
            for (int64_t x = 0; x < shape->out_width; x += DEPTHWISE_PIXELS) {
                int64_t left_over = shape->out_width - x, at = row + x * THAW_BLOCK;
                for (int64_t lane = 0; lane < THAW_BLOCK; lane += LANES) {
                    some_pixels(
                        shape, input + block * in_plane + top * shape->in_width * THAW_BLOCK + lane,
                        x * stride - shape->pad_left, first, last, kernel + lane,
                        bias ? bias + block * THAW_BLOCK + lane : NULL, residual ? residual + at + lane : NULL,
                        out + at + lane, left_over < DEPTHWISE_PIXELS ? left_over : DEPTHWISE_PIXELS);
                }
            }
            if (shape->finish != THAW_FINISH_CLIP) {
                finish(out + row, out_line, shape->finish, shape->low, shape->high);
            }
        }
    }
}

// Every window's pixels inside the image, by `operation`; `average` divides by how many there are.
static inline __attribute__((always_inline)) void pool(
    const struct thaw_pool *shape, const float *input, float *out, int averages) {
    for (int64_t block = 0; block < shape->blocks; block++) {
        const float *image = input + block * shape->in_height * shape->in_width * THAW_BLOCK;
        for (int64_t y = 0; y < shape->out_height; y++) {
            int64_t top = y * shape->stride_y - shape->pad_top, first_y, last_y;
            taps_inside(top, shape->in_height, shape->kernel_height, shape->dilation_y, &first_y, &last_y);
            for (int64_t x = 0; x < shape->out_width; x++) {
                int64_t left = x * shape->stride_x - shape->pad_left, first_x, last_x;
                taps_inside(left, shape->in_width, shape->kernel_width, shape->dilation_x, &first_x, &last_x);
                float *to = out + ((block * shape->out_height + y) * shape->out_width + x) * THAW_BLOCK;
                float count = pool_count(shape, top, left, (last_y - first_y) * (last_x - first_x));
                for (int64_t lane = 0; lane < THAW_BLOCK; lane += LANES) {
                    lanes result = broadcast(averages ? 0.0f : -__builtin_inff());
                    for (int64_t ky = first_y; ky < last_y; ky++) {
                        const float *line = image + (top + ky * shape->dilation_y) * shape->in_width * THAW_BLOCK;
                        for (int64_t kx = first_x; kx < last_x; kx++) {
                            lanes pixel = load(line + (left + kx * shape->dilation_x) * THAW_BLOCK + lane);
                            result = averages ? result + pixel : greater(result, pixel);
                        }
                    }
                    store(to + lane, averages ? result / broadcast(count) : result);
                }
            }
        }
    }
}

static void max_pool(const struct thaw_pool *shape, const float *input, float *out) { pool(shape, input, out, 0); }
static void average_pool(const struct thaw_pool *shape, const float *input, float *out) { pool(shape, input, out, 1); }
