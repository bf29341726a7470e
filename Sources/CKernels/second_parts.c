// Kernels in parts: columns or rows of a product, heads of attention, rows of a norm. What is too short for the handing
// over, about a microsecond, stays whole.
#include "second.h"

#include <stddef.h>

// Multiplications of a product below which the first thread is done before the second has begun.
#define PRODUCTS_MIN (128 << 10)
// Numbers of a norm, the same.
#define NORM_MIN (16 << 10)
// The widest tile of any variant: three panels. A part is whole tiles, so that none of them is a narrow one.
#define GROUP_COLUMNS (3 * THAW_PANEL_COLUMNS)
// Parts of a product: twice as many as threads, so that whoever was late takes less.
#define PRODUCT_PARTS 4
// Rows from which narrower numbers are cut by rows, so that each row is rewritten once: four tiles of each variant.
#define CUT_ROWS_MIN 36

static inline int64_t least(int64_t a, int64_t b) { return a < b ? a : b; }

struct linear {
    const struct thaw_kernels *kernels;
    int32_t format;
    const float *input;
    int64_t input_stride;
    const char *panels;
    const float *bias;
    float *out;
    int64_t out_stride;
    float *scratch;
    int64_t share;  // floats of scratch of a thread
    int64_t rows, inner, columns;
    int32_t activation;
    int64_t part_rows, part_columns;  // of all parts but the last
};

static void linear_part(const void *job, int64_t part, int64_t thread) {
    const struct linear *l = job;
    int64_t row = l->part_rows < l->rows ? part * l->part_rows : 0;
    int64_t column = l->part_columns < l->columns ? part * l->part_columns : 0;
    int64_t rows = least(l->part_rows, l->rows - row), columns = least(l->part_columns, l->columns - column);
    const float *input = l->input + row * l->input_stride;
    const char *panels = l->panels + column / THAW_PANEL_COLUMNS * thaw_panel_bytes(l->format, l->inner);
    const float *bias = l->bias ? l->bias + column : NULL;
    float *out = l->out + row * l->out_stride + column, *scratch = l->scratch + thread * l->share;
    switch (l->format) {
    case THAW_BF16:
        l->kernels->linear_bf16(
            input, l->input_stride, panels, bias, out, l->out_stride, scratch, rows, l->inner, columns, l->activation);
        break;
    case THAW_INT8:
        l->kernels->linear_int8(
            input, l->input_stride, panels, bias, out, l->out_stride, scratch, rows, l->inner, columns, l->activation);
        break;
    default:
        l->kernels->linear(
            input, l->input_stride, panels, bias, out, l->out_stride, rows, l->inner, columns, l->activation);
    }
}

void thaw_second_linear(
    struct thaw_second *second, const struct thaw_kernels *kernels, int32_t format, const float *input,
    int64_t input_stride, const void *panels, const float *bias, float *out, int64_t out_stride, float *scratch,
    int64_t rows, int64_t inner, int64_t columns, int32_t activation) {
    struct linear job = {
        .kernels = kernels,
        .format = format,
        .input = input,
        .input_stride = input_stride,
        .panels = panels,
        .bias = bias,
        .out = out,
        .out_stride = out_stride,
        .scratch = scratch,
        .share = format == THAW_F32 ? 0 : thaw_second_share((thaw_linear_scratch(rows, inner) + 3) / 4),
        .rows = rows,
        .inner = inner,
        .columns = columns,
        .activation = activation,
        .part_rows = rows,
        .part_columns = columns,
    };
    int64_t parts = 1, groups = (columns + GROUP_COLUMNS - 1) / GROUP_COLUMNS;
    if (rows * inner * columns >= PRODUCTS_MIN) {
        if (format != THAW_F32 && rows >= CUT_ROWS_MIN) {
            job.part_rows = (rows + 1) / 2;
            parts = 2;
        } else if (groups > 1) {
            // Of narrower numbers every part rewrites all rows.
            int64_t wanted = format == THAW_F32 ? PRODUCT_PARTS : 2;
            int64_t part_groups = (groups + wanted - 1) / wanted;
            job.part_columns = part_groups * GROUP_COLUMNS;
            parts = (groups + part_groups - 1) / part_groups;
        }
    }
    if (parts == 1) {
        linear_part(&job, 0, 0);
    } else {
        thaw_second_run(second, linear_part, &job, parts);
    }
}

struct attention {
    const struct thaw_kernels *kernels;
    int32_t rounded;
    const float *fused, *places;
    float *out, *scratch;
    int64_t places_stride, share, length, heads, width, part_heads;
};

static void attention_part(const void *job, int64_t part, int64_t thread) {
    const struct attention *a = job;
    int64_t first = part * a->part_heads, last = least(first + a->part_heads, a->heads);
    (a->rounded ? a->kernels->attention_bf16 : a->kernels->attention)(
        a->fused, a->places, a->places_stride, a->out, a->scratch + thread * a->share, a->length, a->heads, a->width,
        first, last);
}

void thaw_second_attention(
    struct thaw_second *second, const struct thaw_kernels *kernels, int32_t rounded, const float *fused,
    const float *places, int64_t places_stride, float *out, float *scratch, int64_t length, int64_t heads,
    int64_t width) {
    struct attention job = {
        .kernels = kernels,
        .rounded = rounded,
        .fused = fused,
        .places = places,
        .places_stride = places_stride,
        .out = out,
        .scratch = scratch,
        .share = thaw_second_share(thaw_attention_scratch(length, width)),
        .length = length,
        .heads = heads,
        .width = width,
        .part_heads = heads,
    };
    if (heads > 1 && 2 * length * length * heads * width >= PRODUCTS_MIN) {
        job.part_heads = (heads + PRODUCT_PARTS - 1) / PRODUCT_PARTS;
        thaw_second_run(second, attention_part, &job, (heads + job.part_heads - 1) / job.part_heads);
    } else {
        attention_part(&job, 0, 0);
    }
}

struct norm {
    const struct thaw_kernels *kernels;
    const float *input, *residual, *scale, *shift;
    float epsilon;
    float *out;
    int64_t rows, columns, part_rows;
};

static void norm_part(const void *job, int64_t part, int64_t thread) {
    (void)thread;
    const struct norm *n = job;
    int64_t row = part * n->part_rows, at = row * n->columns;
    n->kernels->layer_norm(
        n->input + at, n->residual ? n->residual + at : NULL, n->scale, n->shift, n->epsilon, n->out + at,
        least(n->part_rows, n->rows - row), n->columns);
}

void thaw_second_layer_norm(
    struct thaw_second *second, const struct thaw_kernels *kernels, const float *input, const float *residual,
    const float *scale, const float *shift, float epsilon, float *out, int64_t rows, int64_t columns) {
    int64_t parts = rows > 1 && rows * columns >= NORM_MIN ? 2 : 1;
    struct norm job = {
        .kernels = kernels,
        .input = input,
        .residual = residual,
        .scale = scale,
        .shift = shift,
        .epsilon = epsilon,
        .out = out,
        .rows = rows,
        .columns = columns,
        .part_rows = (rows + parts - 1) / parts,
    };
    if (parts == 1) {
        norm_part(&job, 0, 0);
    } else {
        thaw_second_run(second, norm_part, &job, parts);
    }
}
