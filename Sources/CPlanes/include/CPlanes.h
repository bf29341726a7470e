#ifndef THAW_CPLANES_H
#define THAW_CPLANES_H

// Byte planes of floats: each element of `width` bytes is rotated left by one bit, so that its sign leaves the top
// and its exponent fills the top byte, then taken apart such that byte k of every element lies in plane k. Exponents
// repeat and compress; mantissas, and the signs that are now among them, are noise.
//
//   f32    s eeeeeeee mmm…m     rotated   eeeeeeee mmm…m s      bf16   s eeeeeeee mmmmmmm   rotated   eeeeeeee mmmmmmms
//   rotated a0 a1 a2 a3 | b0 b1 b2 b3 | c0 c1 c2 c3             width 4, count 3
//   planes  a0 b0 c0 | a1 b1 c1 | a2 b2 c2 | a3 b3 c3
//
// Nothing here needs alignment, and `count` may be anything from 0.

#include <stddef.h>
#include <stdint.h>

/// Widest element: 8 bytes.
#define THAW_PLANES_MAX 8

/// The instructions of a variant; each variant gives the same bytes as the scalar one.
enum thaw_planes_variant {
    THAW_PLANES_SCALAR = 0,
    THAW_PLANES_AVX2 = 1,
    THAW_PLANES_AVX512 = 2,
};

/// The best variant that this processor and its kernel support.
int thaw_planes_best(void);

/// elements[count][width] → planes[width][count], one after the other; width is 2, 4 or 8. Pack time only: scalar.
void thaw_planes_split(const uint8_t *elements, size_t count, size_t width, uint8_t *planes);

/// planes[width], each of `count` bytes and wherever it lies → elements[count][width].
void thaw_planes_merge(int variant, const uint8_t *const *planes, size_t count, size_t width, uint8_t *elements);

/// CRC-32C (Castagnoli, reflected, as in iSCSI and ext4): finds every error of up to 32 bits in a row.
uint32_t thaw_planes_crc32c(int variant, const uint8_t *bytes, size_t count);

// The variants of one operation, for the dispatch only: they return how many elements they took, always whole
// vectors; the scalar loop takes the rest.
size_t thaw_planes_merge2_avx2(const uint8_t *const *planes, size_t count, uint8_t *elements);
size_t thaw_planes_merge4_avx2(const uint8_t *const *planes, size_t count, uint8_t *elements);
size_t thaw_planes_merge2_avx512(const uint8_t *const *planes, size_t count, uint8_t *elements);
size_t thaw_planes_merge4_avx512(const uint8_t *const *planes, size_t count, uint8_t *elements);

#endif
