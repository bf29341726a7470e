#include "CPlanes.h"

#include <immintrin.h>

// Unpacking works inside 128-bit lanes, so lane L of an output vector is made of lane L of the inputs. Each plane
// is therefore reordered once on load, such that what belongs to the k-th output vector sits k-th in every lane:
// then the unpacked vectors come out in order, and no output needs a shuffle of its own.

#define AVX512 __attribute__((target("avx512f,avx512bw")))

// The planes hold elements rotated left by a bit.
AVX512 static inline __m512i turned2(__m512i rotated) {
    return _mm512_or_si512(_mm512_srli_epi16(rotated, 1), _mm512_slli_epi16(rotated, 15));
}

AVX512 size_t thaw_planes_merge2_avx512(const uint8_t *const *planes, size_t count, uint8_t *elements) {
    const __m512i order = _mm512_setr_epi64(0, 4, 1, 5, 2, 6, 3, 7);
    size_t index = 0;
    for (; index + 64 <= count; index += 64) {
        __m512i low = _mm512_permutexvar_epi64(order, _mm512_loadu_si512(planes[0] + index));
        __m512i high = _mm512_permutexvar_epi64(order, _mm512_loadu_si512(planes[1] + index));
        uint8_t *out = elements + index * 2;
        _mm512_storeu_si512(out, turned2(_mm512_unpacklo_epi8(low, high)));
        _mm512_storeu_si512(out + 64, turned2(_mm512_unpackhi_epi8(low, high)));
    }
    return index;
}

AVX512 size_t thaw_planes_merge4_avx512(const uint8_t *const *planes, size_t count, uint8_t *elements) {
    const __m512i order = _mm512_setr_epi32(0, 4, 8, 12, 1, 5, 9, 13, 2, 6, 10, 14, 3, 7, 11, 15);
    size_t index = 0;
    for (; index + 64 <= count; index += 64) {
        __m512i a = _mm512_permutexvar_epi32(order, _mm512_loadu_si512(planes[0] + index));
        __m512i b = _mm512_permutexvar_epi32(order, _mm512_loadu_si512(planes[1] + index));
        __m512i c = _mm512_permutexvar_epi32(order, _mm512_loadu_si512(planes[2] + index));
        __m512i d = _mm512_permutexvar_epi32(order, _mm512_loadu_si512(planes[3] + index));
        __m512i abLow = _mm512_unpacklo_epi8(a, b), abHigh = _mm512_unpackhi_epi8(a, b);
        __m512i cdLow = _mm512_unpacklo_epi8(c, d), cdHigh = _mm512_unpackhi_epi8(c, d);
        uint8_t *out = elements + index * 4;
        _mm512_storeu_si512(out, _mm512_ror_epi32(_mm512_unpacklo_epi16(abLow, cdLow), 1));
        _mm512_storeu_si512(out + 64, _mm512_ror_epi32(_mm512_unpackhi_epi16(abLow, cdLow), 1));
        _mm512_storeu_si512(out + 128, _mm512_ror_epi32(_mm512_unpacklo_epi16(abHigh, cdHigh), 1));
        _mm512_storeu_si512(out + 192, _mm512_ror_epi32(_mm512_unpackhi_epi16(abHigh, cdHigh), 1));
    }
    return index;
}
