#include "CPlanes.h"

#include <immintrin.h>

// As merge_avx512.c with two 128-bit lanes instead of four: piece k of a vector belongs to lane k mod 2.

#define AVX2 __attribute__((target("avx2")))

// The planes hold elements rotated left by a bit.
AVX2 static inline __m256i turned2(__m256i rotated) {
    return _mm256_or_si256(_mm256_srli_epi16(rotated, 1), _mm256_slli_epi16(rotated, 15));
}

AVX2 static inline __m256i turned4(__m256i rotated) {
    return _mm256_or_si256(_mm256_srli_epi32(rotated, 1), _mm256_slli_epi32(rotated, 31));
}

AVX2 size_t thaw_planes_merge2_avx2(const uint8_t *const *planes, size_t count, uint8_t *elements) {
    size_t index = 0;
    for (; index + 32 <= count; index += 32) {
        // Quarters 0 1 2 3 → 0 2 1 3.
        __m256i low = _mm256_permute4x64_epi64(_mm256_loadu_si256((const __m256i *)(planes[0] + index)), 0xd8);
        __m256i high = _mm256_permute4x64_epi64(_mm256_loadu_si256((const __m256i *)(planes[1] + index)), 0xd8);
        __m256i *out = (__m256i *)(elements + index * 2);
        _mm256_storeu_si256(out, turned2(_mm256_unpacklo_epi8(low, high)));
        _mm256_storeu_si256(out + 1, turned2(_mm256_unpackhi_epi8(low, high)));
    }
    return index;
}

AVX2 size_t thaw_planes_merge4_avx2(const uint8_t *const *planes, size_t count, uint8_t *elements) {
    const __m256i order = _mm256_setr_epi32(0, 2, 4, 6, 1, 3, 5, 7);
    size_t index = 0;
    for (; index + 32 <= count; index += 32) {
        __m256i a = _mm256_permutevar8x32_epi32(_mm256_loadu_si256((const __m256i *)(planes[0] + index)), order);
        __m256i b = _mm256_permutevar8x32_epi32(_mm256_loadu_si256((const __m256i *)(planes[1] + index)), order);
        __m256i c = _mm256_permutevar8x32_epi32(_mm256_loadu_si256((const __m256i *)(planes[2] + index)), order);
        __m256i d = _mm256_permutevar8x32_epi32(_mm256_loadu_si256((const __m256i *)(planes[3] + index)), order);
        __m256i abLow = _mm256_unpacklo_epi8(a, b), abHigh = _mm256_unpackhi_epi8(a, b);
        __m256i cdLow = _mm256_unpacklo_epi8(c, d), cdHigh = _mm256_unpackhi_epi8(c, d);
        __m256i *out = (__m256i *)(elements + index * 4);
        _mm256_storeu_si256(out, turned4(_mm256_unpacklo_epi16(abLow, cdLow)));
        _mm256_storeu_si256(out + 1, turned4(_mm256_unpackhi_epi16(abLow, cdLow)));
        _mm256_storeu_si256(out + 2, turned4(_mm256_unpacklo_epi16(abHigh, cdHigh)));
        _mm256_storeu_si256(out + 3, turned4(_mm256_unpackhi_epi16(abHigh, cdHigh)));
    }
    return index;
}
