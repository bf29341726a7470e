// A second thread that takes part in a kernel's work. Whoever asks for the work does it too: parts are claimed one by
// one, so that a second thread which the system has not let run takes nothing, and nobody waits for it.
//
// Parts are outputs: each sum is made by one thread, in the order in which one thread alone would make it, so that
// results are the same bit for bit.
#ifndef THAW_SECOND_H
#define THAW_SECOND_H

#include "kernels.h"

#include <stdint.h>

struct thaw_second;

// What it shares with the first thread; NULL without memory. May be made before a fork and used after it.
struct thaw_second *_Nullable thaw_second_make(void);
void thaw_second_free(struct thaw_second *_Nonnull second);

// The second thread's life, until thaw_second_end. It looks for work for some ten microseconds after its last, then it sleeps.
void thaw_second_help(struct thaw_second *_Nonnull second);
// Waits until thaw_second_help has begun.
void thaw_second_await(struct thaw_second *_Nonnull second);
// Wakes it where it sleeps: work is about to come.
void thaw_second_wake(struct thaw_second *_Nonnull second);
// Makes thaw_second_help return, and waits until it has let go of what it shares.
void thaw_second_end(struct thaw_second *_Nonnull second);

// Floats of scratch that one thread needs beside the other: whole cache lines.
static inline int64_t thaw_second_share(int64_t floats) { return (floats + 15) / 16 * 16; }

// As the kernels of these names in `kernels`; scratch holds one thaw_second_share for each of both threads.
// `format` says which of the products; scratch is not looked at for floats.
void thaw_second_linear(
    struct thaw_second *_Nonnull second, const struct thaw_kernels *_Nonnull kernels, int32_t format,
    const float *_Nonnull input, int64_t input_stride, const void *_Nonnull panels, const float *_Nullable bias,
    float *_Nonnull out, int64_t out_stride, float *_Nullable scratch, int64_t rows, int64_t inner, int64_t columns,
    int32_t activation);
void thaw_second_attention(
    struct thaw_second *_Nonnull second, const struct thaw_kernels *_Nonnull kernels, int32_t rounded,
    const float *_Nonnull fused, const float *_Nullable places, int64_t places_stride, float *_Nonnull out,
    float *_Nonnull scratch, int64_t length, int64_t heads, int64_t width);
void thaw_second_layer_norm(
    struct thaw_second *_Nonnull second, const struct thaw_kernels *_Nonnull kernels, const float *_Nonnull input,
    const float *_Nullable residual, const float *_Nonnull scale, const float *_Nonnull shift, float epsilon,
    float *_Nonnull out, int64_t rows, int64_t columns);

#endif
