// Winograd's F(4 × 4, 3 × 3) one tile and one channel at a time, with the transforms as matrices.
static const float winograd_in_matrix[6][6] = {
    {4, 0, -5, 0, 1, 0},  {0, -4, -4, 1, 1, 0}, {0, 4, -4, -1, 1, 0},
    {0, -2, -1, 2, 1, 0}, {0, 2, -1, -2, 1, 0}, {0, 4, 0, -5, 0, 1},
};
static const float winograd_out_matrix[4][6] = {
    {1, 1, 1, 1, 1, 0}, {0, 1, -1, 2, -2, 0}, {0, 1, 1, 4, 4, 0}, {0, 1, -1, 8, -8, 1},
};

// to[rows][rows] = matrix[rows][6] · from[6][6] · matrixᵀ.
static void winograd_transform(const float (*matrix)[6], int rows, const float from[36], float *to) {
    float half[6][6];
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < 6; x++) {
            half[y][x] = 0;
            for (int k = 0; k < 6; k++) {
                half[y][x] += matrix[y][k] * from[k * 6 + x];
            }
        }
    }
    for (int y = 0; y < rows; y++) {
        for (int x = 0; x < rows; x++) {
            float sum = 0;
            for (int k = 0; k < 6; k++) {
                sum += half[y][k] * matrix[x][k];
            }
            to[y * rows + x] = sum;
        }
    }
}

// The points of one tile of all channels: points[36][in_planes · 16].
static void winograd_gather(
    const struct thaw_convolution *shape, const float *input, int64_t top, int64_t left, float *points) {
    int64_t inner = shape->in_planes * THAW_BLOCK;
    for (int64_t channel = 0; channel < inner; channel++) {
        const float *image = input + channel / THAW_BLOCK * shape->in_height * shape->in_width * THAW_BLOCK;
        float pixels[36], transformed[36];
        for (int64_t i = 0; i < 36; i++) {
            int64_t y = top + i / 6, x = left + i % 6;
            int inside = y >= 0 && y < shape->in_height && x >= 0 && x < shape->in_width;
            pixels[i] = inside ? image[(y * shape->in_width + x) * THAW_BLOCK + channel % THAW_BLOCK] : 0;
        }
        winograd_transform(winograd_in_matrix, 6, pixels, transformed);
        for (int i = 0; i < 36; i++) {
            points[i * inner + channel] = transformed[i];
        }
    }
}

static void winograd(
    const struct thaw_convolution *shape, const float *input, const float *weights, const float *bias,
    const float *residual, float *out, float *scratch) {
    int64_t inner = shape->in_planes * THAW_BLOCK, columns = shape->out_blocks * THAW_BLOCK;
    for (int64_t y = 0; y < shape->out_height; y += 4) {
        for (int64_t x = 0; x < shape->out_width; x += 4) {
            winograd_gather(shape, input, y - shape->pad_top, x - shape->pad_left, scratch);
            for (int64_t column = 0; column < columns; column++) {
                float products[36] = {0}, pixels[16];
                for (int64_t i = 0; i < 36; i++) {
                    const float *kernel = weights + (i * columns + column / THAW_BLOCK * THAW_BLOCK) * inner;
                    for (int64_t k = 0; k < inner; k++) {
                        products[i] += scratch[i * inner + k] * kernel[k * THAW_BLOCK + column % THAW_BLOCK];
                    }
                }
                winograd_transform(winograd_out_matrix, 4, products, pixels);
                for (int64_t i = 0; i < 16; i++) {
                    int64_t row = y + i / 4, place = x + i % 4;
                    if (row >= shape->out_height || place >= shape->out_width) {
                        continue;
                    }
                    int64_t pixel = (column / THAW_BLOCK * shape->out_height + row) * shape->out_width + place;
                    int64_t at = pixel * THAW_BLOCK + column % THAW_BLOCK;
                    float sum = pixels[i] + (bias ? bias[column] : 0) + (residual ? residual[at] : 0);
                    out[at] = finished(sum, shape->finish, shape->low, shape->high);
                }
            }
        }
    }
}
