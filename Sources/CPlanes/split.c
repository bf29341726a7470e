#include "CPlanes.h"

void thaw_planes_split(const uint8_t *elements, size_t count, size_t width, uint8_t *planes) {
    for (size_t plane = 0; plane < width; plane++) {
        for (size_t index = 0; index < count; index++) {
            planes[plane * count + index] = elements[index * width + plane];
        }
    }
}
