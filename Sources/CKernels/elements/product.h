// Matrix products of the types that have no kernel of their own, and panels for the one that has.

void thaw_pack_panels(
    const float *b, int64_t inner_stride, int64_t column_stride, int64_t inner, int64_t columns, float *panels
) {
    for (int64_t start = 0; start < columns; start += THAW_PANEL_COLUMNS) {
        int64_t some = columns - start < THAW_PANEL_COLUMNS ? columns - start : THAW_PANEL_COLUMNS;
        const float *from = b + start * column_stride;
        for (int64_t k = 0; k < inner; k++, panels += THAW_PANEL_COLUMNS) {
            const float *row = from + k * inner_stride;
            if (some == THAW_PANEL_COLUMNS && column_stride == 1) {
                memcpy(panels, row, THAW_PANEL_COLUMNS * sizeof(float));
                continue;
            }
            for (int64_t i = 0; i < some; i++) {
                panels[i] = row[i * column_stride];
            }
            for (int64_t i = some; i < THAW_PANEL_COLUMNS; i++) {
                panels[i] = 0;
            }
        }
    }
}

#define MATMUL(NAME, T, SUM)                                                                                           \
    void NAME(const T *a, const T *b, T *out, int64_t rows, int64_t inner, int64_t columns) {                          \
        for (int64_t row = 0; row < rows; row++) {                                                                     \
            SUM *to = (SUM *)(out + row * columns);                                                                    \
            memset(to, 0, (size_t)columns * sizeof(T));                                                                \
            for (int64_t k = 0; k < inner; k++) {                                                                      \
                SUM x = (SUM)a[row * inner + k];                                                                       \
                const SUM *from = (const SUM *)(b + k * columns);                                                      \
                for (int64_t column = 0; column < columns; column++) {                                                 \
                    to[column] += x * from[column];                                                                    \
                }                                                                                                      \
            }                                                                                                          \
        }                                                                                                              \
    }

MATMUL(thaw_matmul_f64, double, double)
MATMUL(thaw_matmul_i64, int64_t, uint64_t)
MATMUL(thaw_matmul_i32, int32_t, uint32_t)
