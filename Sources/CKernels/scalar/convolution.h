// Convolutions and pools, each output by itself: what the others must compute.

static float finished(float x, int32_t kind, float low, float high) {
    switch (kind) {
    case THAW_FINISH_SILU: return x * activated(x, THAW_SIGMOID);
    case THAW_FINISH_HARD_SWISH: return x * fminf(fmaxf(x * (1.0f / 6.0f) + 0.5f, 0.0f), 1.0f);
    case THAW_FINISH_HARD_SIGMOID: return fminf(fmaxf(low * x + high, 0.0f), 1.0f);
    case THAW_FINISH_LEAKY_RELU: return x < 0.0f ? low * x : x;
    case THAW_FINISH_SIGMOID: return activated(x, THAW_SIGMOID);
    case THAW_FINISH_TANH: return activated(x, THAW_TANH);
    case THAW_FINISH_GELU: return activated(x, THAW_GELU);
    default: x = x < low ? low : x; return x > high ? high : x;
    }
}

// The sum of one output channel's window at (y, x) over `planes` planes of `lane_count` channels.
static float window_sum(
    const struct thaw_convolution *shape, const float *input, const float *weights, int64_t planes,
    int64_t lane_count, int64_t y, int64_t x) {
    float sum = 0;
    for (int64_t plane = 0; plane < planes; plane++) {
        for (int64_t ky = 0; ky < shape->kernel_height; ky++) {
            for (int64_t kx = 0; kx < shape->kernel_width; kx++) {
                int64_t row = y * shape->stride_y - shape->pad_top + ky * shape->dilation_y;
                int64_t column = x * shape->stride_x - shape->pad_left + kx * shape->dilation_x;
                if (row < 0 || row >= shape->in_height || column < 0 || column >= shape->in_width) {
                    continue;
                }
                const float *pixel = input + ((plane * shape->in_height + row) * shape->in_width + column) * lane_count;
                int64_t tap = (plane * shape->kernel_height + ky) * shape->kernel_width + kx;
                for (int64_t k = 0; k < lane_count; k++) {
                    sum += pixel[k] * weights[(tap * lane_count + k) * THAW_BLOCK];
                }
            }
        }
    }
    return sum;
}

static void convolve(
    const struct thaw_convolution *shape, const float *input, const float *weights, const float *bias,
    const float *residual, float *out, float *scratch) {
    (void)scratch;
    int64_t lane_count = thaw_convolution_lanes(shape);
    int64_t in_group = shape->in_planes * shape->in_height * shape->in_width * lane_count;
    int64_t taps = shape->in_planes * shape->kernel_height * shape->kernel_width * lane_count;
    for (int64_t block = 0; block < shape->groups * shape->out_blocks; block++) {
        const float *image = input + block / shape->out_blocks * in_group;
        for (int64_t y = 0; y < shape->out_height; y++) {
            for (int64_t x = 0; x < shape->out_width; x++) {
                for (int64_t lane = 0; lane < THAW_BLOCK; lane++) {
                    const float *kernel = weights + block * taps * THAW_BLOCK + lane;
                    int64_t at = ((block * shape->out_height + y) * shape->out_width + x) * THAW_BLOCK + lane;
                    float sum = window_sum(shape, image, kernel, shape->in_planes, lane_count, y, x);
                    sum += (bias ? bias[block * THAW_BLOCK + lane] : 0) + (residual ? residual[at] : 0);
                    out[at] = finished(sum, shape->finish, shape->low, shape->high);
                }
            }
        }
    }
}

static void depthwise(
    const struct thaw_convolution *shape, const float *input, const float *weights, const float *bias,
    const float *residual, float *out) {
    int64_t taps = shape->kernel_height * shape->kernel_width;
    for (int64_t block = 0; block < shape->out_blocks; block++) {
        const float *image = input + block * shape->in_height * shape->in_width * THAW_BLOCK;
        for (int64_t y = 0; y < shape->out_height; y++) {
            for (int64_t x = 0; x < shape->out_width; x++) {
                for (int64_t lane = 0; lane < THAW_BLOCK; lane++) {
                    const float *kernel = weights + block * taps * THAW_BLOCK + lane;
                    int64_t at = ((block * shape->out_height + y) * shape->out_width + x) * THAW_BLOCK + lane;
                    float sum = bias ? bias[block * THAW_BLOCK + lane] : 0;
                    for (int64_t tap = 0; tap < taps; tap++) {
                        int64_t row = y * shape->stride_y - shape->pad_top + tap / shape->kernel_width * shape->dilation_y;
                        int64_t column =
                            x * shape->stride_x - shape->pad_left + tap % shape->kernel_width * shape->dilation_x;
                        if (row >= 0 && row < shape->in_height && column >= 0 && column < shape->in_width) {
                            sum += image[(row * shape->in_width + column) * THAW_BLOCK + lane] * kernel[tap * THAW_BLOCK];
                        }
                    }
                    sum += residual ? residual[at] : 0;
                    out[at] = finished(sum, shape->finish, shape->low, shape->high);
                }
            }
        }
    }
}

// The greatest or the mean of one window of one channel.
static float pooled(const struct thaw_pool *shape, const float *image, int64_t y, int64_t x, int averages) {
    int64_t top = y * shape->stride_y - shape->pad_top, left = x * shape->stride_x - shape->pad_left, inside = 0;
    float sum = 0, greatest = -INFINITY;
    for (int64_t ky = 0; ky < shape->kernel_height; ky++) {
        for (int64_t kx = 0; kx < shape->kernel_width; kx++) {
            int64_t row = top + ky * shape->dilation_y, column = left + kx * shape->dilation_x;
            if (row >= 0 && row < shape->in_height && column >= 0 && column < shape->in_width) {
                float pixel = image[(row * shape->in_width + column) * THAW_BLOCK];
                sum += pixel;
                // A NaN stays.
                greatest = greatest > pixel ? greatest : pixel;
                inside++;
            }
        }
    }
    return averages ? sum / pool_count(shape, top, left, inside) : greatest;
}

static void pool(const struct thaw_pool *shape, const float *input, float *out, int averages) {
    for (int64_t block = 0; block < shape->blocks; block++) {
        const float *image = input + block * shape->in_height * shape->in_width * THAW_BLOCK;
        for (int64_t y = 0; y < shape->out_height; y++) {
            for (int64_t x = 0; x < shape->out_width; x++) {
                float *to = out + ((block * shape->out_height + y) * shape->out_width + x) * THAW_BLOCK;
                for (int64_t lane = 0; lane < THAW_BLOCK; lane++) {
                    to[lane] = pooled(shape, image + lane, y, x, averages);
                }
            }
        }
    }
}

static void max_pool(const struct thaw_pool *shape, const float *input, float *out) { pool(shape, input, out, 0); }
static void average_pool(const struct thaw_pool *shape, const float *input, float *out) { pool(shape, input, out, 1); }
