// One row of scores at a time, head by head; the row waits in scratch.
static void attention(
    const float *fused, const float *places, int64_t places_stride, float *out, float *scratch, int64_t length,
    int64_t heads, int64_t width, int64_t first, int64_t last) {
    int64_t columns = heads * width, stride = 3 * columns;
    float scale = 1.0f / sqrtf((float)width);
    for (int64_t head = first; head < last; head++) {
        const float *queries = fused + head * width;
        const float *keys = queries + columns;
        const float *values = keys + columns;
        for (int64_t row = 0; row < length; row++) {
            for (int64_t other = 0; other < length; other++) {
                float sum = 0.0f;
                for (int64_t i = 0; i < width; i++) {
                    sum += queries[row * stride + i] * keys[other * stride + i];
                }
                scratch[other] = sum * scale + (places ? places[head * places_stride + other - row] : 0.0f);
            }
            softmax(scratch, scratch, length, 1, length);
            for (int64_t i = 0; i < width; i++) {
                float sum = 0.0f;
                for (int64_t other = 0; other < length; other++) {
                    sum += scratch[other] * values[other * stride + i];
                }
                out[row * columns + head * width + i] = sum;
            }
        }
    }
}
