// What is done once to a kernel of 3 × 3, when a model is packed: G · kernel · Gᵀ in doubles.
#include "include/convolution.h"

static const double matrix[6][3] = {
    {1.0 / 4, 0, 0},
    {-1.0 / 6, -1.0 / 6, -1.0 / 6},
    {-1.0 / 6, 1.0 / 6, -1.0 / 6},
    {1.0 / 24, 1.0 / 12, 1.0 / 6},
    {1.0 / 24, -1.0 / 12, 1.0 / 6},
    {0, 0, 1},
};

void thaw_winograd_weights(const float *kernel, float *points) {
    for (int y = 0; y < 6; y++) {
        for (int x = 0; x < 6; x++) {
            double sum = 0;
            for (int i = 0; i < 9; i++) {
                sum += matrix[y][i / 3] * (double)kernel[i] * matrix[x][i % 3];
            }
            points[y * 6 + x] = (float)sum;
        }
    }
}
