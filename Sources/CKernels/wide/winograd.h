// Winograd's minimal filtering F(4 × 4, 3 × 3) (Lavin and Gray, 2015): 36 products where 144 are due. Tiles of 6 × 6
// pixels become 36 points, of which each meets its own weights in a product of matrices over the channels; 4 × 4 pixels
// come back.
//
//   input [plane][y][x][16] ─► points [36][plane][tile][16] ─► products [36][out block][tile][16] ─► out

// Six numbers through Bᵀ.
static inline __attribute__((always_inline)) void winograd_in(const lanes x[6], lanes to[6]) {
    lanes two = broadcast(2.0f), four = broadcast(4.0f), five = broadcast(5.0f);
    lanes a = fused(broadcast(-4.0f), x[2], x[4]), b = fused(broadcast(-4.0f), x[1], x[3]);
    lanes c = x[4] - x[2], d = two * (x[3] - x[1]);
    to[0] = fused(four, x[0], x[4]) - five * x[2];
    to[1] = a + b;
    to[2] = a - b;
    to[3] = c + d;
    to[4] = c - d;
    to[5] = fused(four, x[1], x[5]) - five * x[3];
}

// Six numbers through Aᵀ.
static inline __attribute__((always_inline)) void winograd_out(const lanes x[6], lanes to[4]) {
    lanes a = x[1] + x[2], b = x[1] - x[2], c = x[3] + x[4], d = x[3] - x[4];
    to[0] = x[0] + a + c;
    to[1] = fused(broadcast(2.0f), d, b);
    to[2] = fused(broadcast(4.0f), c, a);
    to[3] = fused(broadcast(8.0f), d, b) + x[5];
}

static inline __attribute__((always_inline)) void winograd_points(
    const float *input, int64_t row_stride, float *points, int64_t point_stride) {
    lanes columns[6][6];
#pragma clang loop unroll(full)
    for (int x = 0; x < 6; x++) {
        lanes from[6], to[6];
#pragma clang loop unroll(full)
        for (int y = 0; y < 6; y++) {
            from[y] = load(input + y * row_stride + x * THAW_BLOCK);
        }
        winograd_in(from, to);
#pragma clang loop unroll(full)
        for (int y = 0; y < 6; y++) {
            columns[y][x] = to[y];
        }
    }
#pragma clang loop unroll(full)
    for (int y = 0; y < 6; y++) {
        lanes to[6];
        winograd_in(columns[y], to);
#pragma clang loop unroll(full)
        for (int x = 0; x < 6; x++) {
            store(points + (y * 6 + x) * point_stride, to[x]);
        }
    }
}

// All planes of the tiles `first` … `first + count`; `across` tiles are a row of the image.
static void winograd_gather(
    const struct thaw_convolution *shape, const float *input, int64_t first, int64_t count, int64_t across,
    float *points) {
    int64_t point_stride = shape->in_planes * count * THAW_BLOCK;
    int64_t height = shape->in_height, width = shape->in_width;
    float edge[THAW_WINOGRAD_POINTS * THAW_BLOCK];
    for (int64_t plane = 0; plane < shape->in_planes; plane++) {
        const float *image = input + plane * height * width * THAW_BLOCK;
        for (int64_t tile = 0; tile < count; tile++) {
            int64_t top = (first + tile) / across * THAW_WINOGRAD_OUT - shape->pad_top;
            int64_t left = (first + tile) % across * THAW_WINOGRAD_OUT - shape->pad_left;
            const float *from = image + (top * width + left) * THAW_BLOCK;
            int64_t row_stride = width * THAW_BLOCK;
            if (top < 0 || left < 0 || top + THAW_WINOGRAD_IN > height || left + THAW_WINOGRAD_IN > width) {
                copy_window(
                    image, height, width, THAW_BLOCK,
                    (struct window){top, left, THAW_WINOGRAD_IN, THAW_WINOGRAD_IN, 1, 1}, edge);
                from = edge;
                row_stride = THAW_WINOGRAD_IN * THAW_BLOCK;
            }
            for (int64_t lane = 0; lane < THAW_BLOCK; lane += LANES) {
                winograd_points(
                    from + lane, row_stride, points + (plane * count + tile) * THAW_BLOCK + lane, point_stride);
            }
        }
    }
}

// One output block of one tile: `rows` × `columns` of its 4 × 4 pixels are in the image.
static inline __attribute__((always_inline)) void winograd_pixels(
    const struct thaw_convolution *shape, const float *products, int64_t point_stride, const float *bias,
    const float *residual, float *out, int64_t rows, int64_t columns) {
    lanes half[4][6];
#pragma clang loop unroll(full)
    for (int x = 0; x < 6; x++) {
        lanes from[6], to[4];
#pragma clang loop unroll(full)
        for (int y = 0; y < 6; y++) {
            from[y] = load(products + (y * 6 + x) * point_stride);
        }
        winograd_out(from, to);
#pragma clang loop unroll(full)
        for (int y = 0; y < 4; y++) {
            half[y][x] = to[y];
        }
    }
    lanes start = bias ? load(bias) : broadcast(0.0f);
    int clips = shape->finish == THAW_FINISH_CLIP;
    lanes low = broadcast(clips ? shape->low : -__builtin_inff());
    lanes high = broadcast(clips ? shape->high : __builtin_inff());
#pragma clang loop unroll(full)
    for (int y = 0; y < 4; y++) {
        lanes to[4];
        winograd_out(half[y], to);
        if (y >= rows) {
            break;
        }
#pragma clang loop unroll(full)
        for (int x = 0; x < 4; x++) {
            if (x < columns) {
                int64_t at = (y * shape->out_width + x) * THAW_BLOCK;
                lanes sum = to[x] + start;
                if (residual) {
                    sum = sum + load(residual + at);
                }
                store(out + at, smaller(high, greater(low, sum)));
            }
        }
    }
}

static void winograd_scatter(
    const struct thaw_convolution *shape, const float *products, int64_t first, int64_t count, int64_t across,
    const float *bias, const float *residual, float *out) {
    int64_t point_stride = shape->out_blocks * count * THAW_BLOCK;
    for (int64_t block = 0; block < shape->out_blocks; block++) {
        for (int64_t tile = 0; tile < count; tile++) {
            int64_t y = (first + tile) / across * THAW_WINOGRAD_OUT, x = (first + tile) % across * THAW_WINOGRAD_OUT;
            int64_t rows = shape->out_height - y < 4 ? shape->out_height - y : 4;
            int64_t columns = shape->out_width - x < 4 ? shape->out_width - x : 4;
            int64_t at = ((block * shape->out_height + y) * shape->out_width + x) * THAW_BLOCK;
            for (int64_t lane = 0; lane < THAW_BLOCK; lane += LANES) {
                winograd_pixels(
                    shape, products + (block * count + tile) * THAW_BLOCK + lane, point_stride,
                    bias ? bias + block * THAW_BLOCK + lane : NULL, residual ? residual + at + lane : NULL,
                    out + at + lane, rows, columns);
            }
            if (shape->finish != THAW_FINISH_CLIP) {
                for (int64_t row = 0; row < rows; row++) {
                    float *line = out + at + row * shape->out_width * THAW_BLOCK;
                    finish(line, columns * THAW_BLOCK, shape->finish, shape->low, shape->high);
                }
            }
        }
    }
}

static void winograd(
    const struct thaw_convolution *shape, const float *input, const float *weights, const float *bias,
    const float *residual, float *out, float *scratch) {
    int64_t across = (shape->out_width + 3) / THAW_WINOGRAD_OUT;
    int64_t all = (shape->out_height + 3) / THAW_WINOGRAD_OUT * across, step = thaw_winograd_tiles(shape);
    int64_t inner = shape->in_planes * THAW_BLOCK;
    for (int64_t first = 0; first < all; first += step) {
        int64_t count = first + step < all ? step : all - first;
        float *points = scratch, *products = points + THAW_WINOGRAD_POINTS * inner * count;
        winograd_gather(shape, input, first, count, across, points);
        for (int64_t point = 0; point < THAW_WINOGRAD_POINTS; point++) {
            struct lines l = {
                .input = points + point * inner * count,
                .planes = shape->in_planes,
                .plane_stride = count * THAW_BLOCK,
                .taps_y = 1,
                .taps_x = 1,
                .depth = THAW_BLOCK,
                .pixel_stride = THAW_BLOCK,
                .weights = weights + point * shape->out_blocks * inner * THAW_BLOCK,
                .weights_stride = inner * THAW_BLOCK,
                .out = products + point * shape->out_blocks * count * THAW_BLOCK,
                .out_plane_stride = count * THAW_BLOCK,
                .blocks = shape->out_blocks,
                .lines = 1,
                .width = count,
                .finish = THAW_FINISH_CLIP,
                .low = -__builtin_inff(),
                .high = __builtin_inff(),
            };
            convolve_lines(&l);
        }
        winograd_scatter(shape, products, first, count, across, bias, residual, out);
    }
}
