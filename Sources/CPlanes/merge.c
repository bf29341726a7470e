#include "CPlanes.h"

int thaw_planes_best(void) {
    // The compiler's table asks the operating system too, whether it saves the wide registers.
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512bw")) {
        return THAW_PLANES_AVX512;
    }
    if (__builtin_cpu_supports("avx2")) {
        return THAW_PLANES_AVX2;
    }
    return THAW_PLANES_SCALAR;
}

typedef size_t merge_vectors(const uint8_t *const *planes, size_t count, uint8_t *elements);

// The one table: only the widths of weights (bf16, f16: 2, f32: 4) have vector forms.
static merge_vectors *const variants[3][2] = {
    [THAW_PLANES_SCALAR] = {0, 0},
    [THAW_PLANES_AVX2] = {thaw_planes_merge2_avx2, thaw_planes_merge4_avx2},
    [THAW_PLANES_AVX512] = {thaw_planes_merge2_avx512, thaw_planes_merge4_avx512},
};

void thaw_planes_merge(int variant, const uint8_t *const *planes, size_t count, size_t width, uint8_t *elements) {
    merge_vectors *vectors = width == 2 ? variants[variant][0] : width == 4 ? variants[variant][1] : 0;
    for (size_t index = vectors ? vectors(planes, count, elements) : 0; index < count; index++) {
        uint64_t rotated = 0;
        for (size_t plane = 0; plane < width; plane++) {
            rotated |= (uint64_t)planes[plane][index] << (8 * plane);
        }
        uint64_t element = rotated >> 1 | (rotated & 1) << (8 * width - 1);
        for (size_t byte = 0; byte < width; byte++) {
            elements[index * width + byte] = (uint8_t)(element >> (8 * byte));
        }
    }
}
