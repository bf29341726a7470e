// Every kernel of every variant that this machine runs, against the scalar one, over odd sizes: for machines on which
// the Swift tests do not run (deploy/check-arm64 runs it in an emulator). Inputs end at a page that may not be read,
// results at one that may not be written.
#include "kernels.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

static const struct thaw_kernels *plain, *fast;
static int failures;

// SplitMix64: the same numbers in every run.
static uint64_t state;
static uint64_t next_number(void) {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}
static float next_float(float bound) { return ((float)(next_number() >> 40) / (float)(1 << 23) - 1.0f) * bound; }

// Memory that ends where a page begins which nobody may touch; one call takes at most as many as there are.
#define BUFFERS 16
static struct {
    char *pages;
    size_t bytes;
} held[BUFFERS];
static int held_count;

static void *ending_at_a_wall(size_t bytes) {
    size_t page = 65536, size = (bytes + page - 1) / page * page;
    char *pages = mmap(NULL, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + size, page, PROT_NONE) != 0 || held_count == BUFFERS) {
        fprintf(stderr, "no memory for %zu bytes\n", bytes);
        exit(2);
    }
    held[held_count].pages = pages;
    held[held_count++].bytes = size + page;
    return pages + size - bytes;
}
static void let_go(void) {
    while (held_count > 0) {
        held_count--;
        munmap(held[held_count].pages, held[held_count].bytes);
    }
}
static float *floats(int64_t count, float bound) {
    float *x = ending_at_a_wall((size_t)count * sizeof(float));
    for (int64_t i = 0; i < count; i++) {
        x[i] = next_float(bound);
    }
    return x;
}
static float *empty(int64_t count) { return floats(count, 1e9f); }

// Differences up to `bound` of the greatest magnitude, or of 1 where all are smaller; the same NaNs.
static void compare(const char *what, const float *a, const float *b, int64_t count, float bound, int64_t size) {
    float worst = 0.0f, greatest = 1.0f;
    for (int64_t i = 0; i < count; i++) {
        greatest = fmaxf(greatest, isfinite(a[i]) ? fabsf(a[i]) : 0.0f);
        float difference = isnan(a[i]) && isnan(b[i]) ? 0.0f : a[i] == b[i] ? 0.0f : fabsf(a[i] - b[i]);
        worst = isnan(difference) ? INFINITY : fmaxf(worst, difference);
    }
    if (!(worst <= bound * greatest)) {
        printf("FAILED %s, %s, size %ld: off by %g of %g\n", fast->name, what, (long)size, (double)worst, (double)greatest);
        failures++;
    }
}

static void *panels(int32_t format, int64_t inner, int64_t columns) {
    int64_t padded = (columns + 15) / 16, bytes = thaw_panel_bytes(format, inner);
    char *all = ending_at_a_wall((size_t)(padded * bytes));
    memset(all, 0, (size_t)(padded * bytes));
    for (int64_t column = 0; column < columns; column++) {
        char *panel = all + column / 16 * bytes;
        int64_t lane = column % 16;
        int32_t total = 0;
        for (int64_t k = 0; k < inner; k++) {
            float x = next_float(1.0f);
            uint32_t bits;
            memcpy(&bits, &x, sizeof bits);
            switch (format) {
            case THAW_F32: ((float *)panel)[k * 16 + lane] = x; break;
            case THAW_BF16: ((uint16_t *)panel)[(k / 2 * 16 + lane) * 2 + k % 2] = (uint16_t)(bits >> 16); break;
            default: {
                // The extremes too: −127 · 255 and 127 · 255 must not saturate.
                int8_t integer = (int8_t)(k % 5 == 0 ? (column % 2 ? 127 : -127) : (int)(x * 127.0f));
                ((int8_t *)panel)[(k / 4 * 16 + lane) * 4 + k % 4] = integer;
                total += integer;
            }
            }
        }
        if (format == THAW_INT8) {
            char *tail = panel + thaw_panel_steps(format, inner) * THAW_PANEL_LINE_BYTES;
            ((float *)tail)[lane] = 0.01f + (float)lane * 0.001f;
            ((int32_t *)tail)[16 + lane] = total;
        }
    }
    return all;
}

static void check_linear(int32_t format, int64_t rows, int64_t inner, int64_t columns, int32_t activation) {
    static const char *names[] = {"linear", "linear_bf16", "linear_int8"};
    int64_t stride = inner + rows % 3;
    float *input = floats((rows - 1) * stride + inner, 2.0f), *bias = columns % 2 ? floats(columns, 1.0f) : NULL;
    void *weight = panels(format, inner, columns);
    float *results[2];
    for (int turn = 0; turn < 2; turn++) {
        const struct thaw_kernels *kernels = turn ? fast : plain;
        float *out = results[turn] = empty(rows * columns);
        void *scratch = ending_at_a_wall((size_t)thaw_linear_scratch(rows, inner));
        switch (format) {
        case THAW_F32:
            kernels->linear(input, stride, weight, bias, out, columns, rows, inner, columns, activation);
            break;
        case THAW_BF16:
            kernels->linear_bf16(input, stride, weight, bias, out, columns, scratch, rows, inner, columns, activation);
            break;
        default:
            kernels->linear_int8(input, stride, weight, bias, out, columns, scratch, rows, inner, columns, activation);
        }
    }
    compare(names[format], results[0], results[1], rows * columns, 2e-6f * sqrtf((float)inner), inner);
    let_go();
}

static void check_attention(int64_t length, int64_t heads, int64_t width, int rounded, int has_places) {
    float *fused = floats(length * 3 * heads * width, 1.0f), *results[2];
    float *places = floats(heads * (2 * length - 1), 1.0f);
    for (int turn = 0; turn < 2; turn++) {
        const struct thaw_kernels *kernels = turn ? fast : plain;
        float *scratch = empty(thaw_attention_scratch(length, width));
        results[turn] = empty(length * heads * width);
        (rounded ? kernels->attention_bf16 : kernels->attention)(
            fused, has_places ? places + length - 1 : NULL, 2 * length - 1, results[turn], scratch, length, heads, width,
            0, heads);
    }
    compare(rounded ? "attention_bf16" : "attention", results[0], results[1], length * heads * width,
            rounded ? 0.02f : 5e-6f, length);
    let_go();
}

static void check_rows(int64_t rows, int64_t columns) {
    int64_t count = rows * columns;
    float *input = floats(count, 3.0f), *other = floats(count, 3.0f), *scale = floats(columns, 1.0f);
    float *shift = floats(columns, 1.0f), *a = empty(count), *b = empty(count);
    for (int with = 0; with < 2; with++) {
        plain->layer_norm(input, with ? other : NULL, scale, shift, 1e-5f, a, rows, columns);
        fast->layer_norm(input, with ? other : NULL, scale, shift, 1e-5f, b, rows, columns);
        // One column has no variance: what is left of the difference is multiplied by 1 / √ε.
        compare("layer_norm", a, b, count, 2e-5f, columns);
    }
    plain->softmax(input, a, columns, rows, columns);
    fast->softmax(input, b, columns, rows, columns);
    compare("softmax", a, b, count, 1e-6f, columns);
    plain->normalize(input, a, rows, columns);
    fast->normalize(input, b, rows, columns);
    compare("normalize", a, b, count, 1e-6f, columns);
    plain->pool_sum(input, a, (float)rows, rows, columns);
    fast->pool_sum(input, b, (float)rows, rows, columns);
    compare("pool_sum", a, b, columns, 1e-6f, columns);
    plain->pool_greatest(input, a, rows, columns);
    fast->pool_greatest(input, b, rows, columns);
    compare("pool_greatest", a, b, columns, 0.0f, columns);
    for (int32_t activation = 0; activation <= THAW_SIGMOID; activation++) {
        plain->activate(input, a, count, activation);
        fast->activate(input, b, count, activation);
        compare("activate", a, b, count, 1e-6f, activation);
    }
    let_go();
    int32_t *ids = ending_at_a_wall((size_t)rows * sizeof(int32_t));
    for (int64_t i = 0; i < rows; i++) {
        ids[i] = (int32_t)(next_number() % 7);
    }
    int32_t *type_ids = ending_at_a_wall((size_t)rows * sizeof(int32_t));
    for (int64_t i = 0; i < rows; i++) {
        type_ids[i] = (int32_t)(next_number() % 2);
    }
    float *words = floats(7 * columns, 1.0f), *positions = floats(count, 1.0f), *types = floats(2 * columns, 1.0f);
    a = empty(count), b = empty(count);
    for (int with = 0; with < 2; with++) {
        plain->embed(ids, with ? type_ids : NULL, words, positions, types, a, rows, columns);
        fast->embed(ids, with ? type_ids : NULL, words, positions, types, b, rows, columns);
        compare("embed", a, b, count, 1e-6f, columns);
    }
    let_go();
}

// What is not finite, and what is at the ends of the range.
static void check_extremes(void) {
    float values[] = {0.0f, -0.0f, INFINITY, -INFINITY, NAN, 1e-40f, -1e-40f, 88.5f, -87.5f, -100.0f, 1e30f, -1e30f, 5.3f};
    int64_t count = sizeof values / sizeof *values;
    float a[16], b[16];
    for (int32_t activation = 0; activation <= THAW_SIGMOID; activation++) {
        plain->activate(values, a, count, activation);
        fast->activate(values, b, count, activation);
        // −∞ · Φ(−∞) and 0 · ∞ are no numbers in both; only their kind is compared.
        for (int64_t i = 0; i < count; i++) {
            if (isfinite(a[i]) && isfinite(b[i])) {
                compare("activate at the ends", a + i, b + i, 1, 2e-6f * fmaxf(1.0f, fabsf(a[i])), i);
            }
        }
    }
    for (int32_t format = THAW_BF16; format <= THAW_INT8; format++) {
        float input[8] = {1.0f, INFINITY, 0.0f, 2.0f, NAN, 1.0f, 0.5f, -1.0f};
        void *weight = panels(format, 8, 5);
        char scratch[256];
        if (format == THAW_BF16) {
            fast->linear_bf16(input, 8, weight, NULL, b, 5, scratch, 1, 8, 5, THAW_NONE);
        } else {
            fast->linear_int8(input, 8, weight, NULL, b, 5, scratch, 1, 8, 5, THAW_NONE);
        }
        for (int i = 0; i < 5; i++) {
            if (isfinite(b[i])) {
                printf("FAILED %s: format %d makes a number of what is none\n", fast->name, format);
                failures++;
            }
        }
        let_go();
    }
}

static void check_convolution(
    int64_t channels, int64_t out_blocks, int64_t size, int64_t kernel, int64_t stride, int64_t pad, int is_planar,
    int32_t finish) {
    int64_t out_size = (size + 2 * pad - kernel) / stride + 1, in_lanes = is_planar ? 1 : THAW_BLOCK;
    struct thaw_convolution shape = {
        .groups = 1, .in_planes = channels, .out_blocks = out_blocks, .in_height = size, .in_width = size,
        .out_height = out_size, .out_width = out_size, .kernel_height = kernel, .kernel_width = kernel,
        .stride_y = stride, .stride_x = stride, .dilation_y = 1, .dilation_x = 1, .pad_top = pad, .pad_left = pad,
        .is_planar = is_planar, .finish = finish, .low = finish == THAW_FINISH_CLIP ? 0.0f : 0.1f, .high = 6.0f,
    };
    int64_t count = out_blocks * out_size * out_size * THAW_BLOCK;
    float *input = floats(channels * size * size * in_lanes, 1.0f);
    float *weights = floats(out_blocks * channels * kernel * kernel * in_lanes * THAW_BLOCK, 0.3f);
    float *bias = floats(out_blocks * THAW_BLOCK, 1.0f), *residual = size % 2 ? floats(count, 1.0f) : NULL;
    float *results[2];
    for (int turn = 0; turn < 2; turn++) {
        const struct thaw_kernels *kernels = turn ? fast : plain;
        results[turn] = empty(count);
        float *scratch = empty(thaw_convolution_scratch(&shape) + 1);
        kernels->convolution.convolve(&shape, input, weights, bias, residual, results[turn], scratch);
    }
    compare("convolve", results[0], results[1], count, 1e-5f, size);
    let_go();
}

static void check_depthwise(int64_t size, int64_t kernel, int64_t stride, int32_t finish) {
    int64_t blocks = 2, pad = kernel / 2, out_size = (size + 2 * pad - kernel) / stride + 1;
    struct thaw_convolution shape = {
        .groups = 1, .in_planes = blocks, .out_blocks = blocks, .in_height = size, .in_width = size,
        .out_height = out_size, .out_width = out_size, .kernel_height = kernel, .kernel_width = kernel,
        .stride_y = stride, .stride_x = stride, .dilation_y = 1, .dilation_x = 1, .pad_top = pad, .pad_left = pad,
        .finish = finish, .low = finish == THAW_FINISH_CLIP ? 0.0f : 0.1f, .high = 6.0f,
    };
    int64_t count = blocks * out_size * out_size * THAW_BLOCK;
    float *input = floats(blocks * size * size * THAW_BLOCK, 1.0f);
    float *weights = floats(blocks * kernel * kernel * THAW_BLOCK, 0.5f), *bias = floats(blocks * THAW_BLOCK, 1.0f);
    float *a = empty(count), *b = empty(count);
    plain->convolution.depthwise(&shape, input, weights, bias, NULL, a);
    fast->convolution.depthwise(&shape, input, weights, bias, NULL, b);
    compare("depthwise", a, b, count, 5e-6f, size * 100 + kernel * 10 + stride);
    let_go();
}

static void check_winograd(int64_t planes, int64_t out_blocks, int64_t size) {
    struct thaw_convolution shape = {
        .groups = 1, .in_planes = planes, .out_blocks = out_blocks, .in_height = size, .in_width = size,
        .out_height = size, .out_width = size, .kernel_height = 3, .kernel_width = 3, .stride_y = 1, .stride_x = 1,
        .dilation_y = 1, .dilation_x = 1, .pad_top = 1, .pad_left = 1, .low = -INFINITY, .high = INFINITY,
    };
    int64_t count = out_blocks * size * size * THAW_BLOCK;
    float *input = floats(planes * size * size * THAW_BLOCK, 1.0f);
    float *weights = floats(THAW_WINOGRAD_POINTS * out_blocks * planes * THAW_BLOCK * THAW_BLOCK, 0.2f);
    float *results[2];
    for (int turn = 0; turn < 2; turn++) {
        const struct thaw_kernels *kernels = turn ? fast : plain;
        results[turn] = empty(count);
        float *scratch = empty(thaw_winograd_scratch(&shape));
        kernels->convolution.winograd(&shape, input, weights, NULL, NULL, results[turn], scratch);
    }
    compare("winograd", results[0], results[1], count, 2e-5f, size);
    let_go();
}

static void check_pool(int64_t size, int64_t kernel, int64_t stride, int32_t counts_pads) {
    int64_t pad = kernel / 2, out_size = (size + 2 * pad - kernel) / stride + 1;
    struct thaw_pool shape = {
        .blocks = 2, .in_height = size, .in_width = size, .out_height = out_size, .out_width = out_size,
        .kernel_height = kernel, .kernel_width = kernel, .stride_y = stride, .stride_x = stride, .dilation_y = 1,
        .dilation_x = 1, .pad_top = pad, .pad_left = pad, .pad_bottom = pad, .pad_right = pad,
        .counts_pads = counts_pads,
    };
    int64_t count = 2 * out_size * out_size * THAW_BLOCK;
    float *input = floats(2 * size * size * THAW_BLOCK, 1.0f), *a = empty(count), *b = empty(count);
    plain->convolution.max_pool(&shape, input, a);
    fast->convolution.max_pool(&shape, input, b);
    compare("max_pool", a, b, count, 0.0f, size);
    plain->convolution.average_pool(&shape, input, a);
    fast->convolution.average_pool(&shape, input, b);
    compare("average_pool", a, b, count, 1e-6f, size);
    let_go();
}

static void check_all(void) {
    static const int64_t rows[] = {1, 2, 5, 6, 7, 13, 37}, inners[] = {1, 2, 3, 4, 7, 8, 31, 65, 384};
    static const int64_t columns[] = {1, 3, 8, 9, 15, 16, 17, 33, 50, 96};
    int at = 0;
    for (int32_t format = THAW_F32; format <= THAW_INT8; format++) {
        for (unsigned r = 0; r < sizeof rows / sizeof *rows; r++) {
            for (unsigned i = 0; i < sizeof inners / sizeof *inners; i++) {
                for (unsigned c = 0; c < sizeof columns / sizeof *columns; c++) {
                    check_linear(format, rows[r], inners[i], columns[c], at++ % 5);
                }
            }
        }
    }
    static const int64_t lengths[] = {1, 2, 7, 16, 17, 37, 80};
    static const int64_t widths[] = {1, 3, 8, 17, 32, 64};
    for (unsigned l = 0; l < sizeof lengths / sizeof *lengths; l++) {
        for (unsigned w = 0; w < sizeof widths / sizeof *widths; w++) {
            for (int way = 0; way < 4; way++) {
                check_attention(lengths[l], 2, widths[w], way & 1, way >> 1);
            }
        }
    }
    for (int64_t count = 2; count < 40; count++) {
        check_rows(1 + count % 4, count);
    }
    check_rows(3, 384);
    check_extremes();
    for (int64_t size = 3; size < 19; size += 2) {
        for (int32_t finish = THAW_FINISH_CLIP; finish <= THAW_FINISH_GELU; finish++) {
            check_convolution(1 + size % 3, 3, size, 3, 1 + size % 2, 1, finish % 2, finish);
            check_depthwise(size, 3, 1 + finish % 2, finish);
            check_depthwise(size, 5, 1 + finish % 2, finish);
            check_depthwise(size + 4, 7, 1, finish);
        }
        check_convolution(2, 2, size, 1, 1, 0, 0, THAW_FINISH_CLIP);
        check_winograd(1 + size % 3, 1 + size % 2, size);
        check_pool(size, 3, 2, 1);
        check_pool(size, 2, 2, 0);
    }
}

int main(void) {
    plain = thaw_kernels_variant(0);
    int variants = 0;
    for (int32_t index = 1; (fast = thaw_kernels_variant(index)) || index < 5; index++) {
        if (!fast) {
            continue;
        }
        int before = failures;
        state = 1;
        check_all();
        int64_t operations = fast->fma_loop(THAW_F32, 10);
        printf("%s: %s\n", fast->name, failures > before || operations <= 0 ? "differs" : "agrees with scalar");
        variants++;
    }
    if (variants == 0) {
        printf("no variant but scalar runs here\n");
    }
    return failures > 0 || variants == 0;
}
