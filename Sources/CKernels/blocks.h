// What all variants of the convolutions share: plain loops that memory bounds.
#ifndef THAW_BLOCKS_H
#define THAW_BLOCKS_H

#include "include/convolution.h"

// What the sum of a window is divided by: pixels of the image, or with pads counted all that lie in image and pads.
static inline float pool_count(const struct thaw_pool *shape, int64_t top, int64_t left, int64_t inside) {
    if (!shape->counts_pads) {
        return (float)inside;
    }
    int64_t rows = 0, columns = 0;
    for (int64_t k = 0; k < shape->kernel_height; k++) {
        rows += top + k * shape->dilation_y < shape->in_height + shape->pad_bottom;
    }
    for (int64_t k = 0; k < shape->kernel_width; k++) {
        columns += left + k * shape->dilation_x < shape->in_width + shape->pad_right;
    }
    return (float)(rows * columns);
}

static void block(const float *planar, float *blocked, int64_t channels, int64_t pixels) {
    for (int64_t start = 0; start < channels; start += THAW_BLOCK) {
        int64_t count = channels - start < THAW_BLOCK ? channels - start : THAW_BLOCK;
        for (int64_t pixel = 0; pixel < pixels; pixel++) {
            float *to = blocked + (start / THAW_BLOCK * pixels + pixel) * THAW_BLOCK;
            for (int64_t c = 0; c < count; c++) {
                to[c] = planar[(start + c) * pixels + pixel];
            }
            for (int64_t c = count; c < THAW_BLOCK; c++) {
                to[c] = 0;
            }
        }
    }
}

static void unblock(const float *blocked, float *planar, int64_t channels, int64_t pixels) {
    for (int64_t channel = 0; channel < channels; channel++) {
        const float *from = blocked + channel / THAW_BLOCK * pixels * THAW_BLOCK + channel % THAW_BLOCK;
        for (int64_t pixel = 0; pixel < pixels; pixel++) {
            planar[channel * pixels + pixel] = from[pixel * THAW_BLOCK];
        }
    }
}

#endif
