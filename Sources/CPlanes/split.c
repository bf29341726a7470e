#include "CPlanes.h"

void thaw_planes_split(const uint8_t *elements, size_t count, size_t width, uint8_t *planes) {
    for (size_t index = 0; index < count; index++) {
        uint64_t element = 0;
        for (size_t byte = 0; byte < width; byte++) {
            element |= (uint64_t)elements[index * width + byte] << (8 * byte);
        }
        uint64_t rotated = element << 1 | element >> (8 * width - 1);
        for (size_t plane = 0; plane < width; plane++) {
            planes[plane * count + index] = (uint8_t)(rotated >> (8 * plane));
        }
    }
}
