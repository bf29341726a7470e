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

// The one table: only the widths of weights (bf16, f16: 2, f32: 4) have vector forms.
static size_t merge_vectors(int variant, const uint8_t *const *planes, size_t count, size_t width, uint8_t *out) {
    if (variant == THAW_PLANES_AVX512) {
        return width == 4 ? thaw_planes_merge4_avx512(planes, count, out)
             : width == 2 ? thaw_planes_merge2_avx512(planes, count, out)
                          : 0;
    }
    if (variant == THAW_PLANES_AVX2) {
        return width == 4 ? thaw_planes_merge4_avx2(planes, count, out)
             : width == 2 ? thaw_planes_merge2_avx2(planes, count, out)
                          : 0;
    }
    return 0;
}

void thaw_planes_merge(int variant, const uint8_t *const *planes, size_t count, size_t width, uint8_t *elements) {
    size_t done = merge_vectors(variant, planes, count, width, elements);
    for (size_t plane = 0; plane < width; plane++) {
        for (size_t index = done; index < count; index++) {
            elements[index * width + plane] = planes[plane][index];
        }
    }
}
